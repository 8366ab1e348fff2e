"""The site, built once for all workers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def site(tmp_path_factory, worker_id):
    """The folder of the built site. A warning fails the build: a broken link or anchor, a name without a docstring."""
    pytest.importorskip("mkdocs", reason="The site needs mkdocs: make .venv/.docs")
    filelock = pytest.importorskip("filelock")
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    folder, log = shared / "site", shared / "site.log"
    with filelock.FileLock(shared / "site.lock"):
        if not log.exists():
            command = [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(folder)]
            environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
            log.write_text(f"{done.returncode}\n{done.stdout}{done.stderr}", encoding="utf-8")
    text = log.read_text(encoding="utf-8")
    assert text.startswith("0\n"), text
    return folder
