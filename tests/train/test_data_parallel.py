"""Every task, on 1, 2 and 4 devices, against its definition on one: the loss, and the weights after a step."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.costly


def test_every_task_trains_alike_on_1_2_and_4_devices(tmp_path):
    script = Path(__file__).parent / "parallel_tasks.py"
    found = subprocess.run([sys.executable, script, tmp_path], stdout=subprocess.PIPE, check=True, timeout=600).stdout
    results = json.loads(found)
    assert len(results) == 14
    for name, (rows, error) in results.items():
        np.testing.assert_allclose(rows[1:], np.broadcast_to(rows[0], np.shape(rows[1:])), rtol=1e-4, err_msg=name)
        assert error < 1e-3, name
