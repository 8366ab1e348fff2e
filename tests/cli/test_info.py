import shutil

from minitorch.train import read_record


def test_info_shows_what_a_run_is(minitorch, finished):
    code, out, err = minitorch("info", "--run", finished)
    assert (code, err) == (0, "")
    facts = read_record(finished).facts
    for fact in (
        "llama, 1 layers, 2 heads (1 key/value)",
        "12 of 12, finished",
        facts.data_sha256[:12],
        "muon",
        "bfloat16",
    ):
        assert fact in out
    assert f"{facts.parameters:,}" in out


def test_info_of_a_run_under_way_names_its_last_checkpoint(minitorch, finished, tmp_path):
    copy = shutil.copytree(finished, tmp_path / "run")
    (copy / "model.safetensors").unlink()
    assert "12 of 12, last checkpoint at step 12" in minitorch("info", "--run", copy)[1]
    shutil.rmtree(copy / "checkpoints")
    (copy / "metrics.jsonl").unlink()
    assert "0 of 12, no checkpoint" in minitorch("info", "--run", copy)[1]
