import dataclasses
import os
import shutil

import pytest

from minitorch.train import read_record
from minitorch.train.record import write_record

TRAIN = "train --data {words} --out {new}"
RESUME = "train --resume --out"

MISTAKES = {
    # mistake: the command, the exit code, and a part of the error line
    "no file": ("train --data nowhere.txt --out {new}", 1, "no file nowhere.txt: give the path"),
    "a folder as data": (
        "train --data {run} --out {new}",
        1,
        "is a folder: give a text, .jsonl, .ndjson, .json or .parquet file",
    ),
    "an empty file": ("train --data {empty} --out {new}", 1, "empty.txt is empty: give data that is not empty"),
    "no text": ("train --data {binary} --out {new}", 1, "not UTF-8 text: save it as UTF-8"),
    "data that repeats": ("train --data {twice} --out {new}", 1, "take these out of the validation data"),
    "a tiny text": ("train --data {tiny} --out {new} --context 2", 1, "evaluation needs at least 2 tokens"),
    "no data": ("train --out {new}", 2, "Invalid value for '--data': give a file or a name, such as --data stdlib"),
    "a long context": (f"{TRAIN} --context 99999", 1, "context 99999 needs at least 100000 tokens, but the data"),
    "heads and width": (f"{TRAIN} --heads 3", 1, "3 heads do not divide the width 128: choose"),
    "key heads for gpt": (f"{TRAIN} --kv-heads 2", 1, "kv_heads needs model='llama': choose that"),
    "no steps": (f"{TRAIN} --steps 0", 1, "steps must be a whole number, 1 or more, and is 0"),
    "a negative rate": (f"{TRAIN} --lr -1", 1, "lr must be a positive number, such as 1e-3, not -1.0"),
    "an unknown tokenizer": (f"{TRAIN} --tokenizer word", 1, "unknown tokenizer 'word'; use char, byte or bpe:N"),
    "too few ids": (f"{TRAIN} --tokenizer bpe:10", 1, "256"),
    "an unknown optimizer": (f"{TRAIN} --optimizer custom", 2, "'--optimizer': 'custom' is not one of 'adamw'"),
    "an unknown dtype": (f"{TRAIN} --dtype float8", 2, "'--dtype': 'float8' is not one of 'float32', 'bfloat16'"),
    "an unknown model": (f"{TRAIN} --model bert", 2, "'--model': 'bert' is not one of 'gpt', 'llama'"),
    "a word for a number": (f"{TRAIN} --layers many", 2, "Invalid value for '--layers'"),
    "an unknown option": (f"{TRAIN} --depth 3", 2, "No such option: --depth. See"),
    "an unknown command": ("trian", 2, "No such command 'trian'. Did you mean 'train'? See"),
    "a command of a plugin": ("coruse", 2, "No such command 'coruse'. Did you mean 'course'? See"),
    "a subcommand of a plugin": ("course chekc", 2, "No such command 'chekc'. Did you mean 'check'? See"),
    "a misspelled option": (f"{TRAIN} --layer 3", 2, "No such option: --layer. Did you mean '--layers'? See"),
    "a misspelled optimizer": (f"{TRAIN} --optimizer adam", 2, "'adafactor'. Did you mean 'adamw'? See"),
    "a misspelled model": (f"{TRAIN} --model LAMA", 2, "Did you mean 'llama'? See"),
    "a misspelled tokenizer": (f"{TRAIN} --tokenizer bpe4096", 1, "such as bpe:4096. Did you mean 'bpe:4096'?"),
    "a misspelled name of data": ("train --data stdlb --out {new}", 1, "Did you mean 'stdlib'?"),
    "a misspelled file": ("train --data {words}t --out {new}", 1, "Did you mean '{words.name}'?"),
    "a misspelled recipe": ("quantize --run {run} --out {new} --to int8dynamic", 1, "Did you mean 'int8-dynamic'?"),
    "a misspelled lab": ("lab check doker", 2, "Did you mean 'docker'?"),
    "no out": ("train --data {words}", 2, "Missing option '--out'"),
    "a run that exists": ("train --data {words} --out {run}", 1, "there is a run in {run} already: resume it"),
    "a folder of others": ("train --data {words} --out {elsewhere}", 1, "is not an empty folder: choose another"),
    "a file as out": ("train --data {words} --out {empty}", 1, "is not an empty folder: choose another"),
    "a file above out": ("train --data {words} --out {empty}/run", 1, "empty.txt"),
    "nothing to resume": (f"{RESUME} {{new}}", 1, "there is no run in {new}: it has no config.json"),
    "another rate": (f"{RESUME} {{run}} --lr 0.5", 1, "lr is 0.5 and was 0.02. Leave these out"),
    "a checkpoint cut short": (f"{RESUME} {{cut}}", 1, "00000012 is damaged (manifest.ocdbt has"),
    "data that changed": (f"{RESUME} {{moved}}", 1, "the data has changed since the run started"),
    "a record cut short": (f"{RESUME} {{unreadable}}", 1, "cannot read {unreadable}"),
    "a misspelled run": ("info --run {run}s", 1, "Did you mean '{run.name}'?"),
    "info on no run": ("info --run {new}", 1, "there is no run in {new}"),
    "evaluate no run": ("evaluate --run {new} --data {words}", 1, "there is no run in {new}"),
    "evaluate no file": ("evaluate --run {run} --data nowhere.txt", 1, "no file nowhere.txt"),
    "evaluate a letter": ("evaluate --run {run} --data {letter}", 1, "evaluation needs at least 2 tokens"),
    "weights cut short": ("evaluate --run {damaged} --data {words}", 1, "model.safetensors is not as the run wrote it"),
    "no weights": ("generate --run {weightless}", 1, "model.safetensors is missing, and the run wrote it: restore it"),
    "an edited record": ("info --run {edited}", 1, "config.json was changed after the run wrote it"),
    "a tokenizer cut short": ("evaluate --run {unspoken} --data {words}", 1, "tokenizer.json is not as the run"),
}


def truncate(path):
    os.truncate(path, path.stat().st_size // 2)


COPIES = ("cut", "damaged", "edited", "moved", "unreadable", "unspoken", "weightless")


@pytest.fixture(scope="module")
def places(finished, text_file, tmp_path_factory):
    """Return the files and folders of the mistakes, by name."""
    root = tmp_path_factory.mktemp("places")
    files = {"empty.txt": b"", "binary.txt": b"\xff\xfe\x00\x01" * 99, "letter.txt": b"a", "tiny.txt": b"abcdefghij"}
    files["twice.txt"] = text_file.read_bytes() * 2
    for name, content in files.items():
        (root / name).write_bytes(content)
    copies = {name: shutil.copytree(finished, root / name) for name in COPIES}
    truncate(copies["cut"] / "checkpoints" / "00000012" / "manifest.ocdbt")
    truncate(copies["damaged"] / "model.safetensors")
    truncate(copies["unreadable"] / "config.json")
    truncate(copies["unspoken"] / "tokenizer.json")
    record = read_record(copies["moved"])
    provenance = dataclasses.replace(record.provenance, data_sha256="0" * 64)
    write_record(copies["moved"], record._replace(provenance=provenance, files={}))  # not finished
    record = copies["edited"] / "config.json"
    record.write_text(record.read_text("utf-8").replace('"seed": 0', '"seed": 1'), encoding="utf-8")
    (copies["weightless"] / "model.safetensors").unlink()
    record = read_record(copies["cut"])
    write_record(copies["cut"], record._replace(files={}))  # Its weights are not written, so it reads the checkpoint.
    (root / "elsewhere").mkdir()
    (root / "elsewhere" / "thesis.txt").touch()
    given = {name.removesuffix(".txt"): root / name for name in files}
    return given | copies | {"words": text_file, "run": finished, "elsewhere": root / "elsewhere", "new": root / "new"}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_ends_in_one_helpful_line(minitorch, places, mistake):
    command, code, expected = MISTAKES[mistake]
    found, _, err = minitorch(*(word.format(**places) for word in command.split()))
    assert found == code
    assert err.startswith("minitorch: "), err
    assert err.count("\n") == 1, err
    assert expected.format(**places) in err
    assert not places["new"].exists()


def test_a_bug_keeps_its_traceback(minitorch, monkeypatch, text_file):
    def buggy(*args, **kwargs):
        int("a bug")

    monkeypatch.setattr("minitorch.train.train", buggy)
    with pytest.raises(ValueError, match="invalid literal"):
        minitorch("train", "--data", text_file, "--out", "never")
