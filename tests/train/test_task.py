import dataclasses

import jax
import numpy as np
import pytest

from minitorch import nn
from minitorch.models import Llama, LlamaConfig
from minitorch.nn import paths
from minitorch.train import language_modelling, load_run, read_record, save_run, train
from minitorch.train.record import CARD, DATASHEET, STRUCTURE, WEIGHTS, write_record


def scaled(config, out):
    """Train one number that multiplies the logits of a frozen model."""
    task = language_modelling(config, out)

    def model(scale, frozen):
        return dataclasses.replace(frozen, norm=dataclasses.replace(frozen.norm, scale=frozen.norm.scale * scale["x"]))

    def loss(scale, inputs, targets, frozen):
        return nn.cross_entropy(scale["x"] * frozen(inputs), targets)

    start = {"x": jax.numpy.ones(1)}
    return dataclasses.replace(
        task,
        start=start,
        frozen=(task.start,),
        loss=loss,
        model=model,
        save=lambda x, out: paths.save_safetensors(x, out / "x"),
    )


def test_a_task_trains_a_part_while_the_rest_stays_frozen(tiny, tmp_path):
    config = dataclasses.replace(tiny, steps=4, weight_decay=0.0)
    result = train(config, tmp_path / "run", task=scaled)
    assert set(paths.load_safetensors(tmp_path / "run" / "x")) == {"x"}
    assert not (tmp_path / "run" / WEIGHTS).exists()
    assert result.val_loss > 0
    with pytest.raises(ValueError, match=r"does not train the whole model: resume it .* or merge its adap"):
        load_run(tmp_path / "run")


def test_a_changed_model_is_saved_with_its_structure_and_loads(finished, tmp_path):
    before = load_run(finished[0].out)
    other = Llama.init(
        jax.random.key(0), LlamaConfig(vocab=before.model.config.vocab, context=8, layers=1, heads=2, width=8)
    )
    save_run(tmp_path / "new", finished[0].out, other, before.tokenizer, origin="Initialized")
    again = load_run(tmp_path / "new")
    assert (tmp_path / "new" / STRUCTURE).is_file()
    assert jax.tree.structure(again.model) == jax.tree.structure(other)
    jax.tree.map(np.testing.assert_array_equal, again.model, other)
    assert read_record(tmp_path / "new").provenance.parameters == paths.count(other)
    with pytest.raises(FileExistsError, match="there is a run in"):
        save_run(tmp_path / "new", finished[0].out, other, before.tokenizer, origin="Initialized")
    (tmp_path / "new" / STRUCTURE).write_text('{"class": "os.system"}', encoding="utf-8")
    write_record(tmp_path / "new", read_record(tmp_path / "new")._replace(files={}))
    with pytest.raises(ValueError, match=r"cannot read .*structure.json: not the description of a minitorch model"):
        load_run(tmp_path / "new")


def test_an_unchanged_model_needs_no_structure(finished, tmp_path):
    run = load_run(finished[0].out)
    save_run(tmp_path / "copy", finished[0].out, run.model, run.tokenizer, origin="Copied")
    assert not (tmp_path / "copy" / STRUCTURE).exists()
    assert (tmp_path / "copy" / WEIGHTS).read_bytes() == (finished[0].out / WEIGHTS).read_bytes()


def test_card_and_datasheet_are_copied_and_the_card_names_the_parent_run(finished, tmp_path):
    parent, run = finished[0].out, load_run(finished[0].out)
    save_run(tmp_path / "copy", parent, run.model, run.tokenizer, origin="Copied", parameters=77)
    title, *lines = (tmp_path / "copy" / CARD).read_text(encoding="utf-8").splitlines()
    assert title.startswith("# Model card: ")
    assert lines[1].startswith("> Copied: 77 parameters.")
    assert str(parent) in lines[1]
    assert (parent / CARD).read_text(encoding="utf-8").endswith("\n".join(lines[4:]) + "\n")
    assert (tmp_path / "copy" / DATASHEET).read_bytes() == (parent / DATASHEET).read_bytes()
    assert read_record(tmp_path / "copy").provenance.parameters == 77


def test_a_run_leaves_its_start_model_unchanged(tiny, tmp_path):
    config = dataclasses.replace(tiny, steps=2, eval_every=2, checkpoint_every=2)
    model = config.init_model(12)

    def task(config, out):
        return dataclasses.replace(language_modelling(config, out), start=model)

    train(config, tmp_path / "run", task=task)
    assert not np.array_equal(load_run(tmp_path / "run").model.token.weight, model.token.weight)
