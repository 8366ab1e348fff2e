import dataclasses
import json
import shutil

import numpy as np
import pytest

from minitorch.nn import paths
from minitorch.train import load_run, read_record
from minitorch.train.run_dir import check_facts, write_record


def test_the_record_of_a_run_comes_back(finished, tiny, tmp_path):
    record = read_record(finished[0].out)
    assert record.config == tiny
    assert record.facts.vocab == 12  # ten letters, the space, the end of a line
    write_record(tmp_path / "copy", record)
    assert read_record(tmp_path / "copy") == record


def test_an_unfinished_run_is_loaded_from_its_last_checkpoint(finished, tmp_path):
    complete = load_run(finished[0].out)
    folder = shutil.copytree(finished[0].out, tmp_path / "run")
    (folder / "model.safetensors").unlink()
    unfinished = load_run(folder)
    assert unfinished.step == complete.step == 24
    for path, array in paths.flatten(complete.model).items():
        np.testing.assert_array_equal(paths.flatten(unfinished.model)[path], array)
    shutil.rmtree(folder / "checkpoints" / "00000024")
    assert load_run(folder).step == 16
    shutil.rmtree(folder / "checkpoints")
    with pytest.raises(FileNotFoundError, match="no checkpoint yet: wait for step 8, or resume it"):
        load_run(folder)


def test_no_run_and_a_record_that_cannot_be_read_are_told_apart(finished, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no run in .*, for it has no config\.json"):
        read_record(tmp_path)
    record = json.loads((finished[0].out / "config.json").read_text("utf-8"))
    for broken in ("", '{"config": {', json.dumps(record | {"config": {"batch": 3, "colour": "red"}}), "[]"):
        (tmp_path / "config.json").write_text(broken, encoding="utf-8")
        with pytest.raises(ValueError, match=r"cannot read .*config\.json"):
            read_record(tmp_path)


def test_a_run_is_resumed_on_the_same_data_and_on_enough_devices(finished):
    facts = read_record(finished[0].out).facts
    with pytest.raises(ValueError, match=r"the data is not what the run began with .*bring the old text back"):
        check_facts(facts, dataclasses.replace(facts, data_sha256="0" * 64))
    with pytest.raises(ValueError, match=r"began on 8 devices, and here are 1: .*use_cpu_cores\(8\)"):
        check_facts(dataclasses.replace(facts, devices=8), dataclasses.replace(facts, devices=1))
    check_facts(facts, dataclasses.replace(facts, devices=facts.devices + 1))


def test_other_versions_are_a_warning(finished):
    facts = read_record(finished[0].out).facts
    older = dataclasses.replace(facts, versions=facts.versions | {"jax": "0.1"}, device="abacus")
    with pytest.warns(UserWarning, match=r"resuming with jax .*, not 0\.1, cpu, not abacus: .* may differ"):
        check_facts(older, facts)
