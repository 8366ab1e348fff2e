import re

import pytest

from minitorch.train import read_record

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("options", [["--to", "int8"], ["--to", "int4", "--group", "channel", "--gptq"]])
def test_a_quantized_run_generates_and_evaluates(minitorch, finished, text_file, tmp_path, options):
    code, out, err = minitorch("quantize", "--run", finished, "--out", tmp_path / "small", *options)
    assert (code, err) == (0, "")
    bytes_, share = re.fullmatch(r"bytes=(\d+) share=([\d.]+)\n", out).groups()
    assert int(bytes_) == (tmp_path / "small" / "model.safetensors").stat().st_size
    assert float(share) < 0.8
    assert read_record(tmp_path / "small").provenance.parameters == read_record(finished).provenance.parameters
    assert "derived from another run" in minitorch("info", "--run", tmp_path / "small")[1].replace("\n", " ")
    code, out, _ = minitorch("generate", "--run", tmp_path / "small", "--prompt", "ab", "--tokens", 3)
    assert code == 0
    assert out.startswith("ab")
    code, out, _ = minitorch("evaluate", "--run", tmp_path / "small", "--data", text_file, "--limit", 500)
    assert code == 0
    assert out.startswith("loss=")
    code, _, err = minitorch("quantize", "--run", tmp_path / "small", "--out", tmp_path / "smaller")
    assert code == 1
    assert "quantized already" in err
    assert not (tmp_path / "smaller").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--to", "int3"], "there is no recipe 'int3': choose one of int8"),
        (["--to", "int4"], "groups of 64 do not divide a width of 16: use 'channel' instead"),
        (["--group", "some"], "group is 'tensor', 'channel'"),
    ],
)
def test_an_impossible_recipe_or_group_is_refused(minitorch, finished, tmp_path, options, message):
    code, _, err = minitorch("quantize", "--run", finished, "--out", tmp_path / "small", *options)
    assert code == 1
    assert message in err
    assert not (tmp_path / "small").exists()


def test_a_text_without_gptq_is_refused(minitorch, finished, text_file, tmp_path):
    code, _, err = minitorch("quantize", "--run", finished, "--out", tmp_path / "small", "--data", text_file)
    assert code == 2
    assert "only --gptq reads a text: give both options, or neither" in err
    assert not (tmp_path / "small").exists()


def test_an_existing_run_is_not_overwritten(minitorch, finished):
    code, _, err = minitorch("quantize", "--run", finished, "--out", finished)
    assert code == 1
    assert "there is a run in" in err
