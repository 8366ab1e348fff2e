import dataclasses
import json

import pytest

from minitorch.models import ConvNetConfig, GPTConfig, LlamaConfig, MLPConfig

CONFIGS = [GPTConfig, LlamaConfig, MLPConfig, ConvNetConfig]
SMALL = dict(vocab=65, context=64, layers=4, heads=4, width=128)


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in CONFIGS for name in kind.PRESETS])
def test_presets_are_valid_and_survive_json(kind, name):
    config = kind.preset(name)
    stored = json.loads(json.dumps(dataclasses.asdict(config)))
    assert kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in stored.items()}) == config


def test_a_preset_takes_changes():
    config = GPTConfig.preset("tiny", vocab=65, dropout=0.1)
    assert (config.vocab, config.dropout, config.width) == (65, 0.1, 128)


def test_an_unknown_preset_lists_the_known():
    with pytest.raises(ValueError, match=r"GPTConfig has no preset 'huge'. It has: tiny, nano, gpt2"):
        GPTConfig.preset("huge")


@pytest.mark.usefixtures("without_type_checks")
@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        (GPTConfig, {"width": 130}, r"4 heads do not divide the width 130"),
        (GPTConfig, {"context": 0}, r"context must be a whole number, 1 or more, and is 0"),
        (GPTConfig, {"vocab": 6.5, "layers": "2"}, r"vocab must be a whole number, and is 6.5; layers must .* is '2'"),
        (GPTConfig, {"dropout": 1.0}, r"dropout is a probability in \[0, 1\), not 1.0"),
        (LlamaConfig, {"kv_heads": 3}, r"3 key/value heads do not divide the 4 heads"),
        (LlamaConfig, {"kv_heads": 0}, r"kv_heads must be a whole number, 1 or more, and is 0"),
        (LlamaConfig, {"width": 12}, r"rotary positions need an even head size, not width / heads = 3"),
    ],
)
def test_a_transformer_that_cannot_be_built_is_rejected(kind, changes, message):
    with pytest.raises(ValueError, match=f"this {kind.__name__} cannot be built: {message}"):
        kind(**(SMALL | changes))


@pytest.mark.usefixtures("without_type_checks")
@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (MLPConfig, dict(inputs=64, hidden=[128], classes=10), r"hidden must be a tuple .* is \[128\]"),
        (
            MLPConfig,
            dict(inputs=64, hidden=(0,), classes=0),
            r"classes must .* is 0; hidden must be widths .* is \(0,\)",
        ),
        (ConvNetConfig, dict(size=3), r"2 poolings reduce a size of 3 to nothing"),
        (
            ConvNetConfig,
            dict(size=8, hidden=16),
            r"hidden must be a tuple of whole numbers, such as \(256, 128\), and is 16",
        ),
    ],
)
def test_a_classifier_that_cannot_be_built_is_rejected(kind, settings, message):
    with pytest.raises(ValueError, match=message):
        kind(**settings)
