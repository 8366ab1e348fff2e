"""The record of a run vouches for its files: a byte that changed anywhere is one error that names the file."""

import json
import random
import re
import shutil

import pytest

from minitorch.finetune import lora
from minitorch.train import load_run, read_record, save_run, train
from minitorch.train.record import CARD, CONFIG, DATASHEET, DRAFTS, METRICS, STRUCTURE, TOKENIZER, WEIGHTS, write_record

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(finished, tmp_path_factory):
    """Return one run of each kind: trained, derived from it, and derived with another structure."""
    from minitorch import compress

    root, (result, _) = tmp_path_factory.mktemp("kinds"), finished
    loaded = load_run(result.out)
    small = compress.quantize(loaded.model, compress.RECIPES["int8"])
    save_run(root / "derived", result.out, loaded.model, loaded.tokenizer, origin="Copied")
    save_run(root / "quantized", result.out, small, loaded.tokenizer, origin="Quantized")
    return {"trained": result.out, "derived": root / "derived", "quantized": root / "quantized"}


KINDS = ("trained", "derived", "quantized")


def places(size, number=12):
    return sorted({0, size - 1, *random.Random(0).sample(range(size), min(size, number))})


def line_at(content, place):
    return content.rfind(b"\n", 0, place) + 1, content.find(b"\n", place)


def flip(path, place, bit):
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)


@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_bit_in_any_file_is_one_error_that_names_the_file_and_the_way_out(runs, tmp_path, kind):
    folder = shutil.copytree(runs[kind], tmp_path / "run")
    files = [path for path in sorted(folder.iterdir()) if path.is_file()]
    assert {path.name for path in files} == {CONFIG, *(read_record(folder).files or ())}
    for path in files:
        whole = path.read_bytes()
        for i, place in enumerate(places(len(whole))):
            flip(path, place, i % 8)
            if path.name == CONFIG:
                pass  # see the next test
            elif path.name in DRAFTS:
                with pytest.warns(UserWarning, match=rf"{path.name} is not as the run wrote it: .* If you completed"):
                    load_run(folder)
            else:
                with pytest.raises(ValueError, match=r"(?i)restore it") as error:
                    load_run(folder)
                assert str(path) in str(error.value)
                assert "\n" not in str(error.value)
            path.write_bytes(whole)
    load_run(folder)


def test_no_bit_of_the_record_can_flip_unnoticed(runs, tmp_path):
    folder = shutil.copytree(runs["derived"], tmp_path / "run")
    path, record = folder / CONFIG, read_record(folder)
    whole, drafts = path.read_bytes(), re.compile("|".join(DRAFTS).encode())
    for place in places(len(whole), 400):
        flip(path, place, place % 8)
        if drafts.search(whole, *line_at(whole, place)):
            continue  # The hash of a text that people complete: a warning is about that text.
        with pytest.raises(ValueError, match=r"config\.json"):
            read_record(folder)
        path.write_bytes(whole)
    assert read_record(folder) == record


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_file_that_the_model_needs_is_an_error_and_never_a_fallback(runs, tmp_path, kind):
    for name in read_record(runs[kind]).files or ():
        folder = shutil.copytree(runs[kind], tmp_path / name)
        (folder / name).unlink()
        if name in (WEIGHTS, TOKENIZER, STRUCTURE):
            with pytest.raises(FileNotFoundError, match=rf"{name} is missing, and the run wrote it: restore it from"):
                load_run(folder)
        else:
            load_run(folder)


def test_files_of_another_run_are_refused(runs, tmp_path):
    folder = shutil.copytree(runs["derived"], tmp_path / "run")
    shutil.copy(runs["quantized"] / WEIGHTS, folder / WEIGHTS)
    with pytest.raises(ValueError, match=r"model\.safetensors is not as the run wrote it: .* belongs to another run"):
        load_run(folder)


def test_a_run_without_hashes_loads_with_a_warning_but_not_without_its_weights(runs, tmp_path):
    folder = shutil.copytree(runs["trained"], tmp_path / "run")
    write_record(folder, read_record(folder)._replace(files=None))
    assert set(json.loads((folder / CONFIG).read_text("utf-8"))) == {"config", "provenance"}
    with pytest.warns(UserWarning, match="is of an older version, which recorded no SHA-256 of its files"):
        assert load_run(folder).step == 24
    (folder / WEIGHTS).unlink()
    with (
        pytest.warns(UserWarning, match="older version"),
        pytest.raises(FileNotFoundError, match=r"model\.safetensors is missing from a finished run: resume it"),
    ):
        load_run(folder)


def test_a_completed_draft_is_accepted_by_deleting_its_line(runs, tmp_path):
    folder = shutil.copytree(runs["derived"], tmp_path / "run")
    for name in DRAFTS:
        (folder / name).write_text("Licence: mine.\n", encoding="utf-8")
    record = read_record(folder)
    write_record(folder, record._replace(files={k: v for k, v in record.files.items() if k not in DRAFTS}))
    load_run(folder)


def test_adapters_are_checked(runs, tmp_path):
    adapters = lora.init_adapters(jax_key(), load_run(runs["trained"]).model, rank=1)
    folder = shutil.copytree(runs["derived"], tmp_path / "run")
    (folder / WEIGHTS).unlink()
    lora.save_adapters(adapters, folder / lora.ADAPTER)
    from minitorch.train.record import record_hashes

    record_hashes(folder, read_record(folder), (TOKENIZER, lora.ADAPTER))
    assert lora.load_adapters(folder / lora.ADAPTER).keys() == adapters.keys()
    flip(folder / lora.ADAPTER, -9, 3)
    with pytest.raises(ValueError, match=r"adapter\.safetensors is not as the run wrote it"):
        lora.load_adapters(folder / lora.ADAPTER)


def jax_key():
    import jax

    return jax.random.key(0)


@pytest.mark.parametrize("name", [TOKENIZER, METRICS, WEIGHTS])
def test_a_finished_run_with_a_damaged_file_is_not_resumed(tiny, runs, tmp_path, name):
    folder = shutil.copytree(runs["trained"], tmp_path / "run")
    flip(folder / name, 30, 0)
    with pytest.raises(ValueError, match=rf"{name} is not as the run wrote it"):
        train(tiny, folder, resume=True)


def test_resuming_writes_missing_files_again_and_keeps_what_people_completed(tiny, runs, tmp_path):
    folder = shutil.copytree(runs["trained"], tmp_path / "run")
    for name in (WEIGHTS, TOKENIZER):
        (folder / name).unlink()
    for name in DRAFTS:
        (folder / name).write_text("Licence: mine.\n", encoding="utf-8")
    with pytest.warns(UserWarning, match="is not as the run wrote it"):
        train(tiny, folder, resume=True)
    load_run(folder)
    for name in (WEIGHTS, TOKENIZER, METRICS):
        assert (folder / name).read_bytes() == (runs["trained"] / name).read_bytes()
    for name in (CARD, DATASHEET):
        assert (folder / name).read_text("utf-8") == "Licence: mine.\n"


def test_resuming_a_complete_run_writes_nothing(tiny, finished, tmp_path):
    folder = shutil.copytree(finished[0].out, tmp_path / "run")

    def state():
        return {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in (folder, *folder.rglob("*"))}

    before = state()
    assert train(tiny, folder, resume=True).val_loss == finished[0].val_loss
    assert state() == before
