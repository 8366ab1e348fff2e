"""Whole numbers and reals, wherever a user gives one."""

import dataclasses
import functools
import importlib
import json
import pkgutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import minitorch
from minitorch import compress, infer, nn
from minitorch._numbers import check_real, check_whole, real, whole
from minitorch.compress import moe, prune, structured_prune
from minitorch.finetune import dpo, lora
from minitorch.models import GPT, MLP, ConvNet, ConvNetConfig, GPTConfig, Llama, LlamaConfig, MLPConfig
from minitorch.models.moe import MoE
from minitorch.text import BPETokenizer, RegexBPETokenizer

pytestmark = pytest.mark.usefixtures("without_type_checks")

WHOLE = [np.int64, np.int32, np.uint8, lambda n: np.array(n, np.int16), jnp.int32, jnp.uint8]
REAL = [np.float64, np.float32, np.float16, lambda x: np.array(x, np.float32), jnp.float32, jnp.bfloat16]
NOT_WHOLE = [1.5, 2.0, "2", True, np.True_, jnp.array(True), [2], np.array([2]), 1j, np.float32(2), jnp.float32(2)]
NOT_REAL = ["2", True, np.True_, jnp.array(True), [0.5], np.array([0.5]), 0.5j, b"1"]
NUMBERS = ("int", "float", "int | None", "float | None", "bool", "tuple[int, ...]")
NEEDED = {  # settings without a default
    "GPTConfig": dict(vocab=8, context=8, layers=2, heads=2, width=8),
    "LlamaConfig": dict(vocab=8, context=8, layers=2, heads=2, width=8, kv_heads=2, feedforward=8),
    "TransformerConfig": dict(vocab=8, context=8, layers=2, heads=2, width=8),
    "MLPConfig": dict(inputs=4, hidden=(8, 8), classes=2),
    "ConvNetConfig": dict(size=8),
    "RunConfig": dict(data="x", model="llama", kv_heads=2, limit=100, warmup=10),
    "LoRAConfig": dict(alpha=16.0),
    "Scheme": dict(group=64),
}


def configurations():
    """All dataclasses of the library that are named `...Config`, and `Scheme`."""
    found = {}
    for info in pkgutil.walk_packages(minitorch.__path__, "minitorch."):
        if ".cli" not in info.name:
            for name, kind in vars(importlib.import_module(info.name)).items():
                if dataclasses.is_dataclass(kind) and isinstance(kind, type) and name.endswith(("Config", "Scheme")):
                    found[name] = kind
    return {name: kind for name, kind in found.items() if name != "Config"}


SETTINGS = [
    (kind, field.name, field.type)
    for kind in configurations().values()
    for field in dataclasses.fields(kind)
    if field.type in NUMBERS
]


def test_the_settings_of_every_configuration_are_found():
    assert {kind.__name__ for kind, _, _ in SETTINGS} == {*NEEDED, "MoEConfig", "DistillConfig"}
    assert len(SETTINGS) > 50


@pytest.mark.parametrize(("kind", "name", "annotation"), SETTINGS, ids=lambda x: getattr(x, "__name__", x))
def test_a_setting_takes_numbers_of_numpy_and_jax_and_names_what_it_refuses(kind, name, annotation):
    right = kind(**NEEDED.get(kind.__name__, {}))
    value = getattr(right, name)
    if annotation == "bool":
        given, wrong, plain = [np.bool_(value), jnp.array(value)], ["False", 1, None], bool
    elif annotation == "tuple[int, ...]":
        given, wrong, plain = [tuple(map(np.int64, value))], [(1.5,), (True,), ("2",), 2], tuple
    elif "int" in annotation:
        given, wrong, plain = [convert(value) for convert in (WHOLE if value < 256 else WHOLE[:2])], NOT_WHOLE, int
    else:
        value = 0.25  # a number that every kind of float holds
        given, wrong, plain = [convert(value) for convert in REAL], NOT_REAL, float
    for number in given:
        config = dataclasses.replace(right, **{name: number})
        assert (getattr(config, name), type(getattr(config, name))) == (value, plain)
        json.dumps(dataclasses.asdict(config))
    for number in wrong if "None" in annotation else [*wrong, None]:
        with pytest.raises(ValueError, match=f"{name} must be .*, and is "):
            dataclasses.replace(right, **{name: number})


@pytest.mark.parametrize("group", [np.int64(64), jnp.int32(64)])
def test_groups_are_whole_numbers_too(group):
    scheme = compress.Scheme(group=group)
    assert (scheme.group, type(scheme.group)) == (64, int)
    with pytest.raises(ValueError, match="do not divide"):
        compress.scheme.quantize_matrix(np.ones((1, 4)), scheme)


@functools.cache
def gpt():
    return GPT.init(jax.random.key(0), GPTConfig(vocab=8, context=8, layers=1, heads=1, width=8))


KEY = jax.random.key(0)
CALLS = {  # arguments that count something: a call, and a number that it takes
    "top_k": (infer.top_k, 2),
    "generate tokens": (lambda n: infer.generate(gpt(), [[1]], n, key=KEY), 2),
    "generate stop": (lambda n: infer.generate(gpt(), [[1]], 1, key=KEY, stop=n), 2),
    "naive tokens": (lambda n: infer.generate_naive(gpt(), [[1]], n, key=KEY), 2),
    "stream tokens": (lambda n: infer.stream(gpt(), [[1]], n, key=KEY), 2),
    "init_adapters": (lambda n: lora.init_adapters(KEY, gpt(), rank=n), 2),
    "experts": (lambda n: moe.upcycle(gpt(), KEY, n, 2), 2),
    "experts of a token": (lambda n: moe.upcycle(gpt(), KEY, 2, n), 2),
    "MoE.init": (lambda n: MoE.init(KEY, 8, [gpt().blocks[0].mlp] * 2, n), 2),
    "n of m": (lambda n: prune.n_of_m(gpt(), n, 4), 2),
    "m": (lambda n: prune.n_of_m(gpt(), 2, n), 4),
    "end of a schedule": (lambda n: prune.cubic_schedule(0.5, 0, n), 2),
    "bpe": (lambda n: BPETokenizer.train("abab", n), 257),
    "regex bpe": (lambda n: RegexBPETokenizer.train("abab", n), 257),
}
SHARES = {
    "temperature": infer.temperature,
    "top_p": infer.top_p,
    "min_p": infer.min_p,
    "sparsity": lambda x: prune.magnitude(gpt(), x),
    "schedule": lambda x: prune.cubic_schedule(x, 0, 2),
    "shrink": lambda x: structured_prune.shrink(gpt(), jnp.ones((1, 4), int), neurons=x),
    "beta": lambda x: dpo.dpo(gpt(), None, None, beta=x),
}


@pytest.mark.parametrize(("call", "number"), CALLS.values(), ids=CALLS)
def test_every_argument_that_counts_takes_all_that_has_an_index_and_nothing_else(call, number):
    for convert in (np.int64, np.uint16, jnp.int32):
        call(convert(number))
    for wrong in [x for x in NOT_WHOLE if not isinstance(x, np.ndarray)]:
        with pytest.raises((ValueError, TypeError), match="must be a whole number"):
            call(wrong)


@pytest.mark.parametrize("call", SHARES.values(), ids=SHARES)
def test_every_argument_that_measures_takes_all_real_numbers_and_nothing_else(call):
    for wrong in (*NOT_REAL, None, float("nan")):
        with pytest.raises(ValueError, match=r"must be .*, and is "):
            call(wrong)


@pytest.mark.parametrize("convert", REAL)
def test_samplers_take_all_real_numbers(convert):
    for make in (infer.temperature, infer.top_p, infer.min_p):
        assert make(convert(0.5)).number == 0.5


def test_a_message_names_the_number_and_its_bounds():
    assert (check_whole("n", np.int8(3)), check_real("x", np.float32(0.5), lambda x: x > 0, "positive")) == (3, 0.5)
    assert (real(3), type(real(3)), real(10**400), whole(10**400)) == (3, int, 10**400, 10**400)
    with pytest.raises(ValueError, match=r"^n must be a whole number, 1 or more, and is 0.$"):
        check_whole("n", np.int64(0))
    with pytest.raises(ValueError, match=r"^n must be a whole number, from 0 to 2, and is '2'.$"):
        check_whole("n", "2", 0, 2)
    with pytest.raises(ValueError, match=r"^x must be positive, and is -1.0.$"):
        check_real("x", np.float32(-1), lambda x: x > 0, "positive")


def test_settings_of_layers_are_written_as_plain_numbers():
    layer = nn.Attention.init(KEY, 8, np.int64(2), rope_base=np.float32(100))
    assert json.dumps(nn.structure.to_json(layer)) == json.dumps(
        nn.structure.to_json(nn.Attention.init(KEY, 8, 2, rope_base=100.0))
    )


@pytest.mark.parametrize(
    ("model", "config"),
    [
        (GPT, GPTConfig.preset("tiny")),
        (Llama, LlamaConfig.preset("tiny")),
        (MLP, MLPConfig.preset("digits")),
        (ConvNet, ConvNetConfig.preset("digits")),
    ],
)
def test_a_model_without_weights_or_with_a_seed_for_a_key_says_what_to_write(model, config):
    with pytest.raises(TypeError, match=rf"write {model.__name__}.init\(jax.random.key\(0\), config\)"):
        model(config)
    for wrong in (0, config, np.zeros(2), "key"):
        with pytest.raises(TypeError, match=r"a random key is needed, such as jax.random.key\(0\), and not "):
            model.init(wrong, config)
