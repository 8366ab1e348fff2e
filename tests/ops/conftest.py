"""Makes the table of cases importable from the tests in this folder, which is not a package."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
