"""distill, prune, finetune and merge: each writes a run that generate and evaluate accept."""

import json
import re

import numpy as np
import pytest

from minitorch.compress import prune
from minitorch.nn import paths
from minitorch.train import load_run, read_record

pytestmark = pytest.mark.costly

FINAL = r"final val_loss=[\d.]+ tokens_per_s=\d+ seconds=[\d.]+\n"


@pytest.fixture(scope="module")
def teacher(text_file, tmp_path_factory):
    """Return the folder of a finished run with two layers."""
    from minitorch.train import RunConfig, train

    out = tmp_path_factory.mktemp("runs") / "teacher"
    sizes = dict(layers=2, heads=2, width=16, context=16, batch=4)
    train(RunConfig(data=str(text_file), limit=5000, **sizes, steps=8, lr=1e-2, eval_every=8, checkpoint_every=8), out)
    return out


@pytest.fixture
def accepted(minitorch):
    """Assert that `generate` accepts a run."""

    def check(out, prompt="ab"):
        code, text, err = minitorch("generate", "--run", out, "--prompt", prompt, "--tokens", 3)
        assert code == 0, err
        assert text.startswith(prompt), err

    return check


def test_distill_writes_a_smaller_run(minitorch, accepted, teacher, tmp_path):
    code, out, err = minitorch("distill", "--teacher", teacher, "--out", tmp_path / "s", "--steps", 4, "--hidden", 0.5)
    assert code == 0, err
    assert re.fullmatch(FINAL, out), err
    student = load_run(tmp_path / "s")
    assert student.config.width == 8
    assert student.step == 4
    assert student.tokenizer == load_run(teacher).tokenizer
    assert "Distilled from a larger model: 4 steps" in (tmp_path / "s" / "model-card.md").read_text("utf-8")
    accepted(tmp_path / "s")


def test_distill_trains_on_samples_of_the_teacher(minitorch, teacher, tmp_path):
    code, out, err = minitorch("distill", "--teacher", teacher, "--out", tmp_path / "s", "--steps", 2, "--samples", 100)
    assert code == 0, err
    assert re.fullmatch(FINAL, out), err


def test_prune_removes_parts_and_zeroes_weights(minitorch, accepted, teacher, text_file, tmp_path):
    small = tmp_path / "small"
    arguments = ("--heads", 0.5, "--neurons", 0.5, "--layers", 0.5, "--sparsity", 0.5, "--method", "wanda")
    code, out, err = minitorch("prune", "--run", teacher, "--out", small, *arguments)
    assert code == 0, err
    printed = re.fullmatch(r"final val_loss=([\d.]+) parameters=(\d+) sparsity=0.500\n", out)
    model = load_run(small).model
    assert printed
    assert int(printed[2]) == paths.count(model) == read_record(small).provenance.parameters
    assert int(printed[2]) < 0.5 * paths.count(load_run(teacher).model)
    accepted(small)
    code, out, err = minitorch("evaluate", "--run", small, "--data", text_file, "--limit", 1000)
    assert code == 0, err
    before = sorted(tmp_path.rglob("*"))
    code, _, err = minitorch("prune", "--run", teacher, "--out", small, "--heads", 0.5)
    assert code == 1
    assert "there is a run in" in err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("how", [("--method", "2:4"), ("--sparsity", 0.75, "--gradual")])
def test_pruned_weights_stay_zero_during_training(minitorch, accepted, teacher, tmp_path, how):
    code, out, err = minitorch("prune", "--run", teacher, "--out", tmp_path / "p", "--steps", 6, *how)
    assert code == 0, err
    assert re.fullmatch(FINAL, out), err
    assert prune.sparsity(load_run(tmp_path / "p").model) == pytest.approx(
        0.75 if "--gradual" in how else 0.5, abs=1e-3
    )
    accepted(tmp_path / "p")


@pytest.fixture(scope="module")
def chat_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("chat") / "chat.jsonl"
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcdefgh"), 4)) for _ in range(30)]
    talks = [[{"role": "user", "content": w}, {"role": "assistant", "content": w[-1]}] for w in words]
    rows = [{"messages": t, "chosen": "a", "rejected": "b"} for t in talks]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    return path


def test_finetune_and_merge(minitorch, accepted, teacher, chat_file, tmp_path):
    tuned, merged = tmp_path / "tuned", tmp_path / "merged"
    arguments = ("--data", chat_file, "--steps", 4, "--lora", "blocks.*.mlp.*", "--rank", 2, "--dora")
    code, out, err = minitorch("finetune", "--run", teacher, "--out", tuned, *arguments)
    assert code == 0, err
    assert re.fullmatch(FINAL, out), err
    assert (tuned / "adapter.safetensors").stat().st_size < 10_000
    assert not (tuned / "model.safetensors").exists()
    code, _, err = minitorch("generate", "--run", tuned)
    assert code == 1
    assert "merge its adapters" in err
    assert err.count("\n") == 1
    code, out, err = minitorch("merge", "--run", teacher, "--adapter", tuned, "--out", merged)
    assert (code, out) == (0, f"final parameters={paths.count(load_run(teacher).model) + 64} adapters=5\n"), err
    assert "<|user|>" in load_run(merged).tokenizer.special
    accepted(merged)


def test_finetune_a_whole_model_on_preferences(minitorch, accepted, teacher, chat_file, text_file, tmp_path):
    tuned = tmp_path / "dpo"
    arguments = ("--data", chat_file, "--steps", 4, "--preferences", "--out", tuned)
    code, out, err = minitorch("finetune", "--run", teacher, *arguments)
    assert code == 0, err
    assert re.fullmatch(FINAL, out), err
    accepted(tuned)
    # Conversations cannot be used as calibration text.
    for command in (["prune", "--sparsity", 0.5], ["quantize", "--gptq"]):
        given = (*command, "--run", tuned, "--out", tmp_path / command[0])
        code, _, err = minitorch(*given)
        assert code == 1, err
        assert re.search(r"cannot use the training data of .*dpo \(.*name a text with --data", err), err
        code, _, err = minitorch(*given, "--data", text_file)
        assert code == 0, err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["distill", "--teacher", "{run}", "--width", 64, "--out", "x"],
            1,
            "the student has .* parameters and a width of 64, and its teacher",
        ),
        (
            ["distill", "--teacher", "{run}", "--out", "x", "--samples", 5, "--on-policy", 1],
            2,
            ".*choose one of --samples .from the teacher. and --on-policy",
        ),
        (
            ["distill", "--teacher", "{run}", "--out", "x", "--temperature", 0],
            1,
            "a temperature divides logits, so 0.0",
        ),
        (
            ["distill", "--teacher", "{run}", "--out", "x", "--samples", 5, "--alpha", 0.5],
            2,
            ".*--samples trains on tokens alone: leave out --temperature",
        ),
        (
            ["prune", "--run", "{run}", "--out", "x", "--sparsity", 0.5, "--method", "2:4"],
            2,
            ".*--method 2:4 always has a sparsity of 0.5: leave out --sparsity",
        ),
        (
            [
                "prune",
                "--run",
                "{run}",
                "--out",
                "x",
                "--sparsity",
                0.5,
                "--steps",
                5,
                "--gradual",
                "--method",
                "wanda",
            ],
            2,
            ".*--gradual prunes by magnitude: leave out --method",
        ),
        (
            ["prune", "--run", "{run}", "--out", "x"],
            2,
            ".*choose what to prune: --sparsity, --heads, --neurons or --layers",
        ),
        (["prune", "--run", "{run}", "--out", "x", "--sparsity", 1.5], 1, "sparsity must be the share of weights"),
        (
            ["prune", "--run", "{run}", "--out", "x", "--gradual", "--sparsity", 0.5],
            2,
            ".*--gradual needs --steps and --sparsity",
        ),
        (
            ["finetune", "--run", "{run}", "--out", "x", "--data", "no.jsonl"],
            1,
            "no file no.jsonl: give a file of JSON Lines",
        ),
        (
            ["finetune", "--run", "{run}", "--out", "x", "--data", "{chat}", "--lora", "block.0"],
            1,
            r"no linear layer has a path like 'block.0'. The nearest: blocks.0",
        ),
        (
            ["merge", "--run", "{run}", "--adapter", "{run}", "--out", "x"],
            1,
            "there are no adapters at .*adapter.safetensors: give the --out",
        ),
    ],
)
def test_impossible_options_end_in_one_line(
    minitorch, teacher, chat_file, tmp_path, monkeypatch, arguments, code, message
):
    monkeypatch.chdir(tmp_path)
    given = [str(a).format(run=teacher, chat=chat_file) for a in arguments]
    result, out, err = minitorch(*given)
    assert (result, out) == (code, ""), err
    assert re.match(f"minitorch: {message}", err), err
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())
