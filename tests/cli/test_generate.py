import re

import jax
import pytest

from minitorch.infer import generate_naive, temperature, top_k
from minitorch.train import load_run


def test_the_prompt_and_its_continuation_are_printed(minitorch, finished):
    code, out, err = minitorch(
        "generate", "--run", finished, "--prompt", "ab", "--tokens", 30, "--seed", 3, "--top-k", 20
    )
    loaded = load_run(finished)
    ids = generate_naive(
        loaded.model, [loaded.tokenizer.encode("ab")], 30, key=jax.random.key(3), samplers=[temperature(0.8), top_k(20)]
    )
    assert (code, out) == (0, "ab" + loaded.tokenizer.decode(ids[0]) + "\n")
    assert re.fullmatch(r"minitorch: first token after [\d.]+ s, then [\d,]+ tokens/s\n", err)


def test_the_seed_determines_the_text(minitorch, finished):
    one, again, other = (
        minitorch("generate", "--run", finished, "--tokens", 20, "--seed", seed)[1] for seed in (1, 1, 2)
    )
    assert one == again != other


def test_all_samplers_apply(minitorch, finished):
    greedy = minitorch("generate", "--run", finished, "--prompt", "ab", "--tokens", 20, "--temperature", 0)[1]
    strict = ("--temperature", 2, "--top-k", 300), ("--top-p", 1e-9), ("--min-p", 1), ("--top-k", 1)
    free, *others = (
        minitorch("generate", "--run", finished, "--prompt", "ab", "--tokens", 20, *args)[1] for args in strict
    )
    assert free != greedy
    assert others == [greedy] * 3


def test_a_single_token_has_no_throughput(minitorch, finished):
    _, _, err = minitorch("generate", "--run", finished, "--tokens", 1)
    assert re.fullmatch(r"minitorch: first token after [\d.]+ s\n", err)


def test_a_prompt_beyond_the_context_is_truncated_with_a_warning(minitorch, finished):
    code, out, err = minitorch("generate", "--run", finished, "--prompt", "abc " * 30, "--tokens", 5)
    assert code == 0
    assert out.startswith("abc " * 30)
    unseen = re.search(r"the prompt is longer than the context of 16 tokens: its first (\d+) are not seen", err)
    assert unseen
    assert int(unseen[1]) % 8 == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--tokens", 0], 1, "minitorch: tokens must be a whole number, 1 or more, and is 0."),
        (["--temperature", -1], 1, "minitorch: temperature must be 0 for greedy decoding, or more"),
        (["--temperature", "nan"], 1, "minitorch: temperature must be 0 for greedy decoding, or more"),
        (["--top-k", 0], 1, "minitorch: top_k must be a whole number, 1 or more, and is 0"),
        (["--top-p", 1.5], 1, "minitorch: top_p must be above 0 and up to 1, such as 0.95, and is 1.5"),
        (["--min-p", -0.5], 1, "minitorch: min_p must be from 0 to 1, such as 0.05, and is -0.5"),
        (["--seed", -1], 2, "minitorch: Invalid value for '--seed': "),
        (["--tokens", "many"], 2, "minitorch: Invalid value for '--tokens': "),
    ],
)
def test_impossible_options_end_in_one_helpful_line(minitorch, finished, arguments, code, message):
    result, out, err = minitorch("generate", "--run", finished, *arguments)
    assert (result, out) == (code, "")
    assert err.startswith(message)
    assert err.count("\n") == 1


def test_a_folder_without_a_run_is_refused(minitorch, tmp_path):
    code, out, err = minitorch("generate", "--run", tmp_path)
    assert (code, out) == (1, "")
    assert err.startswith("minitorch: there is no run in")
    assert err.count("\n") == 1
