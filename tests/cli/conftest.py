import random

import jax
import pytest

from minitorch.cli import main


@pytest.fixture(scope="session", autouse=True)
def jax_runs_already():
    """Commands set up devices for their process. These tests share theirs with others, so JAX must have started."""
    jax.devices()


@pytest.fixture(scope="session")
def text_file(tmp_path_factory):
    """Invented words: no passage comes twice, so that no check of the data objects."""
    rng = random.Random(0)
    words = ["".join(rng.choices("abcdefghij", k=rng.randint(2, 7))) for _ in range(200)]
    path = tmp_path_factory.mktemp("data") / "words.txt"
    path.write_text("\n".join(" ".join(rng.choices(words, k=10)) for _ in range(150)) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def finished(text_file, tmp_path_factory):
    """The folder of a finished run, unlike the defaults in whatever can be."""
    out = tmp_path_factory.mktemp("runs") / "finished"
    sizes = "--layers 1 --heads 2 --kv-heads 1 --width 16 --context 16 --batch 4 --limit 5000 --tokenizer bpe:260"
    how = "--model llama --optimizer muon --dtype bfloat16 --lr 0.02 --steps 12 --eval-every 5 --checkpoint-every 4"
    with pytest.raises(SystemExit) as stop:
        main(["train", "--data", str(text_file), "--out", str(out), *sizes.split(), *how.split()])
    assert stop.value.code == 0
    return out
