"""The image, not its description: built, looked into, started, asked, and told to stop."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from ..review import Comment, Item
from .builders import Builder, BuildError, Container, detect
from .dockerfile import FILE

READY_WITHIN, ANSWERS_WITHIN = 120, 60
PROMPT = {"prompt": "def", "max_tokens": 4, "temperature": 0}
TOOLS = re.compile(r"^(usr/)?(local/)?bin/(gcc|g\+\+|cc|make|cmake|git|curl|wget)$")
CACHES = re.compile(r"(^|/)\.cache/pip/|^var/lib/apt/lists/.+_Packages|(^|/)\.git/")
CARRIED = ("model-card.md", "LICENSE", ".cdx.json")
ITEMS = {
    "build": ("It can be built", 10),
    "inside": ("Inside are card, licence and bill, an ordinary user, and no tools or caches", 8),
    "answers": ("It starts without a place to write to, and completes a text", 12),
    "health": ("Its own health check is content", 4),
    "stops": ("It stops when told to", 6),
}


def look(folder: Path) -> list[Item]:
    """Every item about the real image; where it cannot be made here, each says so and gives no points."""
    builder, why = detect()
    if builder is None:
        text = f"{why}. Install one, and check again."
        return [Item(name, title, points, unverified=f"{title}: {text}") for name, (title, points) in ITEMS.items()]
    found: dict[str, list[Comment]] = {}
    try:
        builder.build(folder)
        found = {"build": [], "inside": list(_inside(builder))}
        with builder.run() as container:
            found |= _ask(container, builder)
    except BuildError as error:
        step = "build" if not found else "answers"
        found.setdefault(
            step, [Comment(FILE, f"{builder.name} cannot {'build' if step == 'build' else 'run'} it: {error}")]
        )
    missing = [Comment(FILE, "could not be tried: see what is said above.")]
    return [Item(name, title, points, found.get(name, missing)) for name, (title, points) in ITEMS.items()]


def _inside(builder: Builder) -> Iterator[Comment]:
    files = builder.files()
    for name in CARRIED:
        if not any(
            path.endswith(name) and "dist-info" not in path and not path.startswith("usr/share/") for path in files
        ):
            yield Comment(FILE, f"the image holds no file {name}.")
    for pattern, what in ((TOOLS, "a tool that only builds need"), (CACHES, "a cache")):
        if spoilt := next(filter(pattern.search, files), None):
            yield Comment(FILE, f"the image holds /{spoilt}, {what}: leave it in the build stage.")
    user = (builder.config().get("User") or "root").partition(":")[0]
    if user in ("root", "0"):
        yield Comment(FILE, "the image's user is root.")


def _ask(container: Container, builder: Builder) -> dict[str, list[Comment]]:
    """Start, completion, health and end of a container."""
    if not _until(lambda: not container.alive() or _status(container, "/health") == 200, READY_WITHIN):
        text = f"GET /health is not answered with 200 within {READY_WITHIN} s"
        return {"answers": [Comment("serve.py", f"{text}: {_end(container)}")]}
    if not container.alive():
        return {"answers": [Comment("serve.py", f"the program ended at once: {_end(container)}")]}
    found = {"answers": list(_complete(container))}
    found["health"] = list(_health(container, builder))
    status = container.stop()
    found["stops"] = [] if status in (0, 143) else [Comment("serve.py", _about_end(status))]
    return found


def _complete(container: Container) -> Iterator[Comment]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{container.port}/v1/completions",
        json.dumps(PROMPT).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=ANSWERS_WITHIN) as answer:
            text = json.load(answer)["choices"][0]["text"]
            if not isinstance(text, str) or not text:
                yield Comment("serve.py", f"completes {PROMPT} with {text!r}, where a text was asked for.")
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        yield Comment("serve.py", f"POST /v1/completions with {PROMPT} fails: {error}. {_end(container)}")


def _health(container: Container, builder: Builder) -> Iterator[Comment]:
    test = (builder.config().get("Healthcheck") or {}).get("Test") or ["NONE"]
    command = {"CMD": test[1:], "CMD-SHELL": ["/bin/sh", "-c", *test[1:]]}.get(test[0])
    if not command:
        yield Comment(FILE, "the image has no health check.")
    elif not container.health(command):
        yield Comment(FILE, f"the health check fails while the server answers: {' '.join(command)[:120]}")


def _about_end(status: int | None) -> str:
    if status is None:
        return "SIGTERM was not obeyed within 10 s, so the container was killed: requests under way are lost."
    return f"ended with {status} after SIGTERM, where 0 was expected."


def _status(container: Container, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{container.port}{path}", timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def _end(container: Container) -> str:
    return " | ".join(line.strip() for line in container.said().strip().splitlines()[-3:]) or "it printed nothing"


def _until(condition: Callable[[], bool], seconds: float) -> bool:
    """Does the condition come true in time?"""
    end = time.monotonic() + seconds
    while not (came := condition()) and time.monotonic() < end:
        time.sleep(0.2)
    return came
