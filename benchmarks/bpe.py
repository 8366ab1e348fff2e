"""Byte-pair encoding: minitorch against the Rust package `tokenizers`, in training and encoding of the same texts.

    python -m benchmarks.bpe [ROUNDS]

Each round starts one new process per contestant, so that no cache is warm and a busy machine slows all of them. Prints
a table and writes it to `bpe.md` next to this file. `make .venv/.bench` installs the peers.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import tokenizers

from minitorch.text import RegexBPETokenizer
from minitorch.text.regex_bpe import split_words

from .harness import ROOT, describe_rounds, machine, table, verdict, write_page

if TYPE_CHECKING:
    from collections.abc import Callable

MERGES, SIZE = 1000, 1_000_000
VOCAB = 256 + MERGES
CONTESTANTS: dict[str, dict[str, str]] = {
    "minitorch": {},
    "Rust, one thread": {"TOKENIZERS_PARALLELISM": "false", "RAYON_NUM_THREADS": "1"},
    "Rust, as installed": {"TOKENIZERS_PARALLELISM": "true"},
}
TRAIN, ENCODE = f"train {MERGES:,} merges", "encode the training text"
MOST_TRAINING, LEAST_ENCODING = 10, 1.0  # times the Rust package's time; MB/s
PAGE = """# Byte-pair encoding against the Rust package `tokenizers`

Written by `python -m benchmarks.bpe`: {rounds}. The contestants take turns, each in a new process, and each task has a
tokenizer that has not encoded anything before. minitorch is pure Python on one core.

{table}

* Training within 10x the time of the Rust package on one thread: {training}.
* Encoding at 1 MB/s or better on one core: {encoding}.
* Merges equal to those of the Rust trainer on the same words: {equal}.

The training text is the first million bytes of the modules of the standard library (SHA-256 {digest}...),
and the other text is the first million bytes of its packages. No unusual word occurs twice, so a cache of words does
not help; the long word has 100,000 letters and no space. The Rust package encodes with `encode_batch_fast`, its fastest
call; its threads share the lines of a text, but not a single text. If the numbers of ids differ, ties between equally
frequent pairs were broken differently, because its byte alphabet has another order. {machine}.
"""


def library_text(pattern: str) -> str:
    """Return the first million bytes of the standard library's files that match `pattern`, sorted by name."""
    root = Path(sysconfig.get_paths()["stdlib"])
    text = b""
    for path in sorted(root.glob(pattern)):
        if len(text) < SIZE and path.parent.name not in ("test", "tests", "site-packages"):
            text += path.read_bytes()
    return text[:SIZE].decode(errors="ignore")


def unusual_words() -> str:
    """Return about a million bytes of words that never occur twice, in Latin, Cyrillic and Chinese letters."""
    rng = random.Random(0)
    scripts = [range(0x61, 0x7B), range(0x430, 0x450), range(0x4E00, 0x9FA5)]
    words = ("".join(map(chr, rng.choices(rng.choice(scripts), k=rng.randint(5, 20)))) for _ in range(39_000))
    return " ".join(words)


def make_texts() -> dict[str, list[str]]:
    """Return the texts that each task encodes, by task."""
    training = library_text("*.py")
    return {
        ENCODE: [training],
        "the same, line by line": training.splitlines(keepends=True),
        "encode another text": [library_text("*/*.py")],
        "encode unusual words": [unusual_words()],
        "encode one long word": ["".join(random.Random(0).choices("etaoinshrdlu", k=SIZE // 10))],
    }


def train_rust(text: str) -> tokenizers.Tokenizer:
    """Train a tokenizer of the Rust package on `text`."""
    rust = tokenizers.Tokenizer(tokenizers.models.BPE())
    rust.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)  # type: ignore[assignment]
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=VOCAB, initial_alphabet=alphabet, show_progress=False)
    rust.train_from_iterator([text], trainer)
    return rust


def timed(function: Callable[..., Any], *args: Any) -> tuple[float, Any]:
    """Call `function`; return the seconds that it took, and its result."""
    start = time.perf_counter()
    result = function(*args)
    return time.perf_counter() - start, result


def measure(contestant: str) -> dict[str, tuple[float, int]]:
    """Return the seconds and the number of ids, by task. Each task has a tokenizer that has not encoded before."""
    tasks = make_texts()
    if contestant == "minitorch":
        seconds, trained = timed(RegexBPETokenizer.train, tasks[ENCODE][0], VOCAB)
        encoders = [RegexBPETokenizer(trained.merges).encode for _ in tasks]
        encode_all = [lambda texts, encode=encode: [encode(text) for text in texts] for encode in encoders]
    else:
        seconds, trained = timed(train_rust, tasks[ENCODE][0])
        fresh = [tokenizers.Tokenizer.from_str(trained.to_str()) for _ in tasks]
        # Its fastest call, which leaves out the position of each id in the text.
        encode_all = [lambda texts, rust=rust: [e.ids for e in rust.encode_batch_fast(texts)] for rust in fresh]
    results = {TRAIN: (seconds, 0)}
    for (task, texts), encode in zip(tasks.items(), encode_all, strict=True):
        seconds, rows = timed(encode, texts)
        results[task] = (seconds, sum(map(len, rows)))
    return results


def measure_in_new_process(contestant: str) -> dict[str, tuple[float, int]]:
    """Return the result of `measure` in a new process."""
    environment = {**os.environ, **CONTESTANTS[contestant]}
    command = [sys.executable, "-m", "benchmarks.bpe", contestant]
    done = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, check=True, encoding="utf-8")
    return json.loads(done.stdout)


def equal_merges(text: str) -> int:
    """Return the number of merges, from the first on, that equal those of the Rust trainer on our words.

    The timed runs use the package's own alphabet, whose order breaks ties differently; here byte `b` is character `b`.
    """
    rust = tokenizers.Tokenizer(tokenizers.models.BPE())
    alphabet = [chr(b) for b in range(256)]
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=VOCAB, initial_alphabet=alphabet, show_progress=False)
    rust.train_from_iterator((word.encode().decode("latin-1") for word in split_words(text)), trainer)
    ids = rust.get_vocab()
    theirs = [(ids[left], ids[right]) for left, right in json.loads(rust.to_str())["model"]["merges"]]
    ours = list(RegexBPETokenizer.train(text, VOCAB).merges)
    return next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b), len(ours))


def cell(seconds: list[float], size: int | None) -> str:
    """Format the median and range: milliseconds for training, megabytes per second for encoding."""
    values, unit, form = [1e3 * s for s in seconds], "ms", ".0f"
    if size is not None:
        values, unit, form = [size / 1e6 / s for s in seconds], "MB/s", ".2f"
    spread = f" ({min(values):{form}}-{max(values):{form}})" if len(values) > 1 else ""
    return f"{median(values):{form}} {unit}{spread}"


def report(rounds: list[dict[str, dict[str, tuple[float, int]]]]) -> str:
    """Return the page: one row per task, one column per contestant."""
    texts = make_texts()
    sizes = {task: sum(len(text.encode()) for text in group) for task, group in texts.items()}
    seconds = {(c, task): [r[c][task][0] for r in rounds] for c in CONTESTANTS for task in (TRAIN, *sizes)}
    slower = {t: median(seconds["minitorch", t]) / median(seconds["Rust, one thread", t]) for t in (TRAIN, *sizes)}
    rows = [["", *CONTESTANTS, "time, minitorch / Rust on one thread", "ids, minitorch / Rust"]]
    for task in (TRAIN, *sizes):
        cells = [cell(seconds[c, task], sizes.get(task)) for c in CONTESTANTS]
        ids = [f"{rounds[0][c][task][1]:,}" for c in ("minitorch", "Rust, one thread")]
        rows.append([task, *cells, f"{slower[task]:.2f}", " / ".join(ids) if task in sizes else ""])
    encoding = sizes[ENCODE] / 1e6 / median(seconds["minitorch", ENCODE])
    return PAGE.format(
        rounds=describe_rounds(len(rounds), "lowest-highest"),
        table=table(rows),
        training=f"{slower[TRAIN]:.2f}x, {verdict(slower[TRAIN] <= MOST_TRAINING)}",
        encoding=f"{encoding:.2f} MB/s, {verdict(encoding >= LEAST_ENCODING)}",
        equal=f"{equal_merges(texts[ENCODE][0]):,} of {MERGES:,}",
        digest=hashlib.sha256(texts[ENCODE][0].encode()).hexdigest()[:16],
        machine=machine("tokenizers"),
    )


def main(rounds: int) -> None:
    """Measure, and write the page."""
    results = []
    for i in range(rounds):
        results.append({contestant: measure_in_new_process(contestant) for contestant in CONTESTANTS})
        print(f"round {i + 1} of {rounds}", file=sys.stderr)
    write_page(__file__, report(results))


if __name__ == "__main__":
    argument = sys.argv[1] if len(sys.argv) > 1 else "9"
    if argument in CONTESTANTS:
        print(json.dumps(measure(argument)))
    else:
        main(int(argument))
