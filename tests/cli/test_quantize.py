import re

import pytest

from minitorch.train import read_record

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("options", [["--to", "int8"], ["--to", "int4", "--group", "channel", "--gptq"]])
def test_a_quantized_run_generates_and_evaluates(minitorch, finished, text_file, tmp_path, options):
    code, out, err = minitorch("quantize", "--run", finished, "--out", tmp_path / "small", *options)
    assert (code, err) == (0, "")
    bytes_, share = re.fullmatch(r"bytes=(\d+) share=([\d.]+)\n", out).groups()
    assert int(bytes_) == (tmp_path / "small" / "model.safetensors").stat().st_size and float(share) < 0.8
    assert read_record(tmp_path / "small").provenance.parameters == read_record(finished).provenance.parameters
    assert "made from another run" in minitorch("info", "--run", tmp_path / "small")[1].replace("\n", " ")
    code, out, _ = minitorch("generate", "--run", tmp_path / "small", "--prompt", "ab", "--tokens", 3)
    assert code == 0 and out.startswith("ab")
    code, out, _ = minitorch("evaluate", "--run", tmp_path / "small", "--data", text_file, "--limit", 500)
    assert code == 0 and out.startswith("loss=")
    code, _, err = minitorch("quantize", "--run", tmp_path / "small", "--out", tmp_path / "smaller")
    assert code == 1 and "quantized already" in err and not (tmp_path / "smaller").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--to", "int3"], "there is no recipe 'int3': choose one of int8"),
        (["--to", "int4"], "groups of 64 do not divide a width of 16: use 'channel' instead"),
        (["--group", "some"], "group is 'tensor', 'channel'"),
    ],
)
def test_what_cannot_be_is_said(minitorch, finished, tmp_path, options, message):
    code, _, err = minitorch("quantize", "--run", finished, "--out", tmp_path / "small", *options)
    assert code == 1 and message in err and not (tmp_path / "small").exists()


def test_a_text_that_nobody_would_read_is_refused(minitorch, finished, text_file, tmp_path):
    code, _, err = minitorch("quantize", "--run", finished, "--out", tmp_path / "small", "--data", text_file)
    assert code == 2 and "only --gptq reads a text: give both, or neither" in err and not (tmp_path / "small").exists()


def test_nothing_is_overwritten(minitorch, finished):
    code, _, err = minitorch("quantize", "--run", finished, "--out", finished)
    assert code == 1 and "there is a run in" in err
