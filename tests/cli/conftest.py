import jax
import pytest

from minitorch.cli import main


@pytest.fixture(scope="session", autouse=True)
def jax_runs_already():
    """Start JAX, so that commands do not set up devices in the process that the tests share."""
    jax.devices()


@pytest.fixture(scope="session")
def finished(text_file, tmp_path_factory):
    """Return the folder of a finished run whose settings differ from the defaults."""
    out = tmp_path_factory.mktemp("runs") / "finished"
    sizes = "--layers 1 --heads 2 --kv-heads 1 --width 16 --context 16 --batch 4 --limit 5000 --tokenizer bpe:260"
    how = "--model llama --optimizer muon --dtype bfloat16 --lr 0.02 --steps 12 --eval-every 5 --checkpoint-every 4"
    with pytest.raises(SystemExit) as stop:
        main(["train", "--data", str(text_file), "--out", str(out), *sizes.split(), *how.split()])
    assert stop.value.code == 0
    return out
