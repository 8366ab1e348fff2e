"""Checks of the real image: build it, inspect it, run it, query it, stop it."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from ..review import Comment, Item
from .builder import BuildError
from .detect import detect
from .dockerfile import FILE
from .dockerfile_rules import problem_of_user

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .builder import Builder, Container

READY_SECONDS, RESPONSE_SECONDS = 120, 60
PROMPT = {"prompt": "def", "max_tokens": 4, "temperature": 0}
TOOLS = re.compile(r"^(usr/)?(local/)?bin/(gcc|g\+\+|cc|make|cmake|git|curl|wget)$")
CACHES = re.compile(r"(^|/)\.cache/pip/|^var/lib/apt/lists/.+_Packages|(^|/)\.git/")
CARRIED = ("model-card.md", "LICENSE", ".cdx.json")
ITEMS = {
    "build": ("The image can be built", 10),
    "inside": ("The image has card, licence and SBOM, an ordinary user, and no tools or caches", 8),
    "answers": ("It starts on a read-only file system, and completes a text", 12),
    "health": ("Its health check passes", 4),
    "stops": ("It shuts down on SIGTERM", 6),
}


def check_image(folder: Path) -> list[Item]:
    """Return every item about the image. If it cannot be built here, the items are unverified and earn no points."""
    builder, why = detect()
    if builder is None:
        text = f"{why}. Install one, and check again."
        return [Item(name, title, points, unverified=f"{title}: {text}") for name, (title, points) in ITEMS.items()]
    found: dict[str, list[Comment]] = {}
    try:
        builder.build(folder)
        found = {"build": [], "inside": list(_inside(builder))}
        with builder.run() as container:
            found |= _query(container, builder)
    except BuildError as error:
        step = "build" if not found else "answers"
        found.setdefault(
            step, [Comment(FILE, f"{builder.name} cannot {'build' if step == 'build' else 'run'} it: {error}")]
        )
    missing = [Comment(FILE, "could not be tested: see the comments above.")]
    return [Item(name, title, points, found.get(name, missing)) for name, (title, points) in ITEMS.items()]


def _inside(builder: Builder) -> Iterator[Comment]:
    files = builder.files()
    for name in CARRIED:
        if not any(
            path.endswith(name) and "dist-info" not in path and not path.startswith("usr/share/") for path in files
        ):
            yield Comment(FILE, f"the image has no file {name}.")
    for pattern, what in ((TOOLS, "a tool that only a build needs"), (CACHES, "a cache")):
        if unwanted := next(filter(pattern.search, files), None):
            yield Comment(FILE, f"the image has /{unwanted}, {what}: keep it in the build stage.")
    if problem := problem_of_user(builder.config().get("User") or ""):
        yield Comment(FILE, f"the image {problem}")


def _query(container: Container, builder: Builder) -> dict[str, list[Comment]]:
    """Check start, completion, health and shutdown of a container."""
    if not _until(lambda: not container.is_running() or _status(container, "/health") == 200, READY_SECONDS):
        text = f"GET /health does not return 200 within {READY_SECONDS} s"
        return {"answers": [Comment("serve.py", f"{text}: {_end(container)}")]}
    if not container.is_running():
        return {"answers": [Comment("serve.py", f"the program exited immediately: {_end(container)}")]}
    found = {"answers": list(_complete(container))}
    found["health"] = list(_health(container, builder))
    status = container.stop()
    found["stops"] = [] if status in (0, 143) else [Comment("serve.py", _exit_comment(status))]
    return found


def _complete(container: Container) -> Iterator[Comment]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{container.port}/v1/completions",
        json.dumps(PROMPT).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=RESPONSE_SECONDS) as answer:
            text = json.load(answer)["choices"][0]["text"]
            if not isinstance(text, str) or not text:
                yield Comment("serve.py", f"completes {PROMPT} with {text!r}, which is not a text.")
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        yield Comment("serve.py", f"POST /v1/completions with {PROMPT} fails: {error}. {_end(container)}")


def _health(container: Container, builder: Builder) -> Iterator[Comment]:
    test = (builder.config().get("Healthcheck") or {}).get("Test") or ["NONE"]
    command = {"CMD": test[1:], "CMD-SHELL": ["/bin/sh", "-c", *test[1:]]}.get(test[0])
    if not command:
        yield Comment(FILE, "the image has no health check.")
    elif not container.is_healthy(command):
        yield Comment(FILE, f"the health check fails while the server answers: {' '.join(command)[:120]}")


def _exit_comment(status: int | None) -> str:
    if status is None:
        return "did not exit within 10 s after SIGTERM, so the container was killed: requests in progress are lost."
    return f"exited with {status} after SIGTERM; 0 is expected."


def _status(container: Container, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{container.port}{path}", timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def _end(container: Container) -> str:
    return " | ".join(line.strip() for line in container.logs().strip().splitlines()[-3:]) or "it printed nothing"


def _until(condition: Callable[[], bool], seconds: float) -> bool:
    """Return whether the condition becomes true in time."""
    end = time.monotonic() + seconds
    while not (holds := condition()) and time.monotonic() < end:
        time.sleep(0.2)
    return holds
