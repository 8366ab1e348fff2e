"""Whoever misspells a name reads the nearest one that exists."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from minitorch import models, text, train
from minitorch._suggest import did_you_mean, did_you_mean_path


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("trian", "train"),
        ("TRAIN", "train"),
        ("--layer", "--layers"),
        ("layers", "--layers"),
        ("-layers", "--layers"),
        ("nothing", None),
        ("", None),
        (None, None),
        (3, None),
    ],
)
def test_the_nearest_name_is_suggested_if_one_is_near(name: object, found: str | None) -> None:
    assert did_you_mean(name, iter(["train", "--layers", "--lr"])) == (f" Did you mean {found!r}?" if found else "")


def test_the_nearest_file_is_suggested_by_its_name_whatever_the_folder_is_called(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").touch()
    assert did_you_mean_path(tmp_path / "trian.jsonl", ["stdlib"]) == " Did you mean 'train.jsonl'?"
    assert did_you_mean_path(Path("stdlb"), ["stdlib"]) == " Did you mean 'stdlib'?"
    for far in ("zzz", "train.jsonl", "missing/train.jsonl"):
        assert did_you_mean_path(tmp_path / far) == ""


CONFIGS = [models.GPTConfig, models.LlamaConfig, models.MLPConfig, models.ConvNetConfig, train.RunConfig]


@pytest.mark.parametrize(
    ("cls", "name"), [(cls, field.name) for cls in CONFIGS for field in dataclasses.fields(cls) if len(field.name) > 2]
)
def test_a_setting_that_does_not_exist_is_refused_with_the_nearest(cls: type, name: str) -> None:
    with pytest.raises(TypeError, match=rf"^{cls.__name__} has no setting '{name}x'. Did you mean '{name}'\?$"):
        cls(**{f"{name}x": 1})


@pytest.mark.parametrize(
    ("setting", "found"),
    [({"optimizer": "adam"}, "adamw"), ({"model": "lama"}, "llama"), ({"dtype": "Float32"}, "float32")],
)
def test_a_choice_that_does_not_exist_is_refused_with_the_nearest(setting: dict[str, str], found: str) -> None:
    with pytest.raises(ValueError, match=rf"Did you mean '{found}'\?$"):
        train.RunConfig(data="x", **setting)
    with pytest.raises(ValueError, match=r"not 'zzz'\.$"):
        train.RunConfig(data="x", **dict.fromkeys(setting, "zzz"))


def test_a_preset_and_a_tokenizer_that_do_not_exist_are_refused_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"has no preset 'tny'. It has: .* Did you mean 'tiny'\?$"):
        models.GPTConfig.preset("tny")
    with pytest.raises(ValueError, match=r"unknown tokenizer 'bytes'; .* Did you mean 'byte'\?$"):
        text.train_tokenizer("bytes", "text")
