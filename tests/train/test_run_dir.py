import dataclasses
import json
import shutil

import numpy as np
import pytest

from minitorch.nn import paths
from minitorch.train import load_run, read_record
from minitorch.train.record import write_record
from minitorch.train.run_dir import check_provenance


def test_a_record_survives_writing_and_reading(finished, tiny, tmp_path):
    record = read_record(finished[0].out)
    assert record.config == tiny
    assert record.provenance.vocab == 12  # ten letters, space and newline
    write_record(tmp_path / "copy", record)
    assert read_record(tmp_path / "copy") == record


def test_an_unfinished_run_is_loaded_from_its_last_checkpoint(finished, tmp_path):
    complete = load_run(finished[0].out)
    folder = shutil.copytree(finished[0].out, tmp_path / "run")
    (folder / "model.safetensors").unlink()
    write_record(folder, read_record(folder)._replace(files={}))  # as before the weights are written
    unfinished = load_run(folder)
    assert unfinished.step == complete.step == 24
    for path, array in paths.flatten(complete.model).items():
        np.testing.assert_array_equal(paths.flatten(unfinished.model)[path], array)
    shutil.rmtree(folder / "checkpoints" / "00000024")
    assert load_run(folder).step == 16
    shutil.rmtree(folder / "checkpoints")
    with pytest.raises(FileNotFoundError, match="no checkpoint yet: wait for step 8, or resume it"):
        load_run(folder)


def test_a_missing_run_and_an_unreadable_record_have_different_errors(finished, tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"there is no run in .*: it has no config\.json\. Give the --out folder"
    ):
        read_record(tmp_path)
    record = json.loads((finished[0].out / "config.json").read_text("utf-8"))
    for broken in ("", '{"config": {', json.dumps(record | {"config": {"batch": 3, "colour": "red"}}), "[]"):
        (tmp_path / "config.json").write_text(broken, encoding="utf-8")
        with pytest.raises(ValueError, match=r"cannot read .*config\.json"):
            read_record(tmp_path)


def test_a_run_resumes_only_on_the_same_data_and_on_enough_devices(finished):
    provenance = read_record(finished[0].out).provenance
    with pytest.raises(ValueError, match=r"the data has changed since the run started .*restore the old text"):
        check_provenance(provenance, dataclasses.replace(provenance, data_sha256="0" * 64))
    with pytest.raises(ValueError, match=r"started on 8 devices, but there are only 1: .*use_cpu_cores\(8\)"):
        check_provenance(dataclasses.replace(provenance, devices=8), dataclasses.replace(provenance, devices=1))
    check_provenance(provenance, dataclasses.replace(provenance, devices=provenance.devices + 1))


def test_other_versions_are_a_warning(finished):
    provenance = read_record(finished[0].out).provenance
    older = dataclasses.replace(provenance, versions=provenance.versions | {"jax": "0.1"}, device="abacus")
    with pytest.warns(UserWarning, match=r"resuming with jax .*, not 0\.1, cpu, not abacus: .* may differ"):
        check_provenance(older, provenance)
