import shutil

from minitorch.train import read_record
from minitorch.train.record import write_record


def test_info_summarizes_a_run(minitorch, finished):
    code, out, err = minitorch("info", "--run", finished)
    assert (code, err) == (0, "")
    provenance = read_record(finished).provenance
    for fact in (
        "llama, 1 layers, 2 heads (1 key/value)",
        "12 of 12, finished",
        provenance.data_sha256[:12],
        "muon",
        "bfloat16",
    ):
        assert fact in out
    assert f"{provenance.parameters:,}" in out


def test_info_of_an_unfinished_run_names_its_last_checkpoint(minitorch, finished, tmp_path):
    copy = shutil.copytree(finished, tmp_path / "run")
    (copy / "model.safetensors").unlink()
    write_record(copy, read_record(copy)._replace(files={}))
    assert "12 of 12, last checkpoint at step 12" in minitorch("info", "--run", copy)[1]
    shutil.rmtree(copy / "checkpoints")
    (copy / "metrics.jsonl").unlink()
    assert "0 of 12, no checkpoint" in minitorch("info", "--run", copy)[1]
