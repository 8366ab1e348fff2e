"""Rules for a Dockerfile, a function each: it says where the rule is broken, why that matters, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..review import Comment
from .dockerfile import FILE, Dockerfile, Instruction, pairs

LABELS = ("title", "description", "version", "source", "licenses", "revision")
PREFIX = "org.opencontainers.image."
BUILD_TOOLS = r"\b(build-essential|gcc|g\+\+|clang|make|cmake|cargo|rustc|git|curl|wget|pip|uv|poetry|npm)\b"
INSTALLS = r"\b(apt-get|apt|apk|yum|dnf|microdnf)\b[^&|;]*\b(install|add)\b|\b(pip|uv pip|pip3)\b[^&|;]*\binstall\b"
CACHE_OFF = ("--no-cache-dir", "--no-cache", "PIP_NO_CACHE_DIR", "--mount=type=cache", "UV_NO_CACHE")


def stages(file: Dockerfile) -> Iterator[Comment]:
    """Built in one stage, run in another."""
    if len(file.stages) < 2:
        yield Comment(
            f"{FILE}:{file.final.line}",
            "has one stage, so whatever builds the image is shipped in it. Build in a first stage (FROM ... AS"
            " build), and copy only the results into a second one (COPY --from=build ...).",
        )
    elif not any(copy.flag("from") for stage in file.chain() for copy in stage.all("COPY")):
        yield Comment(
            f"{FILE}:{file.final.line}",
            "begins the last stage, which takes nothing from the stages before it: COPY --from=build ... the packages.",
        )


def base(file: Dockerfile) -> Iterator[Comment]:
    """Every image from elsewhere is named by what it holds."""
    for stage in file.external():
        if not re.search(r"@sha256:[0-9a-f]{64}$", stage.image):
            yield Comment(
                f"{FILE}:{stage.line}",
                f"stands on {stage.image or 'a variable without a value'}, a name that can mean another image"
                " tomorrow. Pin the digest too: NAME:TAG@sha256:..., which `docker pull` prints, or the registry's"
                " page shows.",
            )
    for instruction in (i for stage in file.stages for i in stage.body if i.name == "COPY"):
        source = instruction.flag("from") or ""
        if ("/" in source or ":" in source) and "@sha256:" not in source:
            yield Comment(instruction.where, f"copies from the image {source}, which is not pinned by its digest.")


def locked(file: Dockerfile) -> Iterator[Comment]:
    """Packages come from a lock, and are compared with its hashes."""
    found = [run for stage in file.stages for run in stage.all("RUN") if _installs_with_pip(run)]
    if not found:
        yield Comment(
            f"{FILE}:{file.stages[0].line}",
            "nothing installs the locked packages: RUN pip install --require-hashes -r requirements.lock.",
        )
    for run in found:
        if "--require-hashes" not in run.text and not re.search(r"--no-deps .*--no-build-isolation [./]", run.text):
            yield Comment(
                run.where,
                "installs whatever versions there are on the day of the build. Install a lock and compare its hashes:"
                " pip install --require-hashes -r requirements.lock.",
            )


def user(file: Dockerfile) -> Iterator[Comment]:
    """The program is not root."""
    found = file.last("USER")
    name = found.words[0].partition(":")[0] if found and found.words else ""
    if found is None:
        yield Comment(
            f"{FILE}:{file.final.line}",
            "the image runs as root, so a hole in the server is a hole in much more. Name an ordinary user at the end"
            " of the last stage: USER 10001:10001.",
        )
    elif name in ("root", "0"):
        yield Comment(found.where, "runs as root: let USER name an ordinary user, such as 10001:10001.")
    elif not name.isdigit():
        yield Comment(
            found.where,
            f"names the user {name!r}. Give the number: a cluster that refuses root cannot see who a name is.",
        )


def lean(file: Dockerfile) -> Iterator[Comment]:
    """The last stage installs nothing, and takes no more than it needs."""
    for stage in file.chain():
        for run in stage.all("RUN"):
            if tool := re.search(BUILD_TOOLS, run.text) if re.search(INSTALLS, run.text) else None:
                yield Comment(
                    run.where,
                    f"installs with or for {tool[0]} in the stage that is shipped: it makes the image larger, and helps"
                    " whoever breaks in. Do it in the build stage.",
                )
        for copy in stage.all("COPY") + stage.all("ADD"):
            if not copy.flag("from") and any(word in (".", "./", "*") for word in copy.words[:-1]):
                yield Comment(
                    copy.where,
                    "copies all that lies beside the Dockerfile, caches and secrets included. Name the files that the"
                    " image needs.",
                )
    for run in (run for stage in file.stages for run in stage.all("RUN")):
        if _installs_with_pip(run) and not any(word in run.text for word in CACHE_OFF) and not _sets_cache_off(file):
            yield Comment(run.where, "leaves pip's cache in a layer: add --no-cache-dir.")


def health(file: Dockerfile) -> Iterator[Comment]:
    """Whoever runs it can ask whether it works."""
    found = file.last("HEALTHCHECK")
    if found is None or found.words[:1] == ("NONE",):
        yield Comment(
            found.where if found else f"{FILE}:{file.final.line}",
            "a server that hangs looks like one that works. Add HEALTHCHECK CMD [...] that asks /health and fails if"
            " there is no answer.",
        )
    elif re.search(r"\b(curl|wget)\b", found.text):
        yield Comment(
            found.where,
            "asks with curl or wget, which a slim image does not have. Use what is there: python -c with"
            " urllib.request.",
        )


def signals(file: Dockerfile) -> Iterator[Comment]:
    """SIGTERM reaches the program."""
    found = file.last("ENTRYPOINT") or file.last("CMD")
    if found is None:
        yield Comment(f"{FILE}:{file.final.line}", 'starts nothing: add ENTRYPOINT ["python", "serve.py"].')
    elif not found.exec or found.words[:1] in (("sh",), ("/bin/sh",), ("bash",)):
        yield Comment(
            found.where,
            "starts a shell, which keeps SIGTERM to itself: the server never hears that it should stop, and is killed"
            " after"
            f' ten seconds. Write a JSON list: {found.name} ["python", "serve.py"].',
        )


def read_only(file: Dockerfile) -> Iterator[Comment]:
    """Nothing in the image expects that it can write to it."""
    if "PYTHONDONTWRITEBYTECODE" not in environment(file):
        yield Comment(
            f"{FILE}:{file.final.line}",
            "Python will try to write __pycache__ into a file system that is read-only: ENV PYTHONDONTWRITEBYTECODE=1.",
        )


def labels(file: Dockerfile) -> Iterator[Comment]:
    """The image says what it is, in the words of the OCI."""
    given = {
        key: value for stage in file.chain() for label in stage.all("LABEL") for key, value in pairs(label).items()
    }
    missing = [PREFIX + name for name in LABELS if not given.get(PREFIX + name)]
    if missing:
        first = file.last("LABEL")
        yield Comment(
            first.where if first else f"{FILE}:{file.final.line}",
            f"the image does not say what it is, and from which source: LABEL {', '.join(missing)} is missing.",
        )


def documents(file: Dockerfile) -> Iterator[Comment]:
    """Licence and bill of materials go where the program goes."""
    yield from carried(file, "LICENSE", "the licence", "without it nobody may use what is inside")
    yield from carried(
        file, ".cdx.json", "the bill of materials", "so that the next hole in a library can be looked up"
    )


def carried(file: Dockerfile, ending: str, what: str, why: str) -> Iterator[Comment]:
    """Does the last stage copy a file whose name ends so, or a folder of that name?"""
    sources = [word.rstrip("/") for stage in file.chain() for copy in stage.all("COPY") for word in copy.words[:-1]]
    if not any(source.endswith(ending) for source in sources):
        yield Comment(
            f"{FILE}:{file.final.line}", f"the last stage does not hold {what} (COPY {ending.lstrip('.')} ...): {why}."
        )


def environment(file: Dockerfile) -> dict[str, str]:
    """The variables that the image sets."""
    stages = reversed(list(file.chain()))
    return {key: value for stage in stages for env in stage.all("ENV") for key, value in pairs(env).items()}


def _installs_with_pip(run: Instruction) -> bool:
    return bool(re.search(r"\b(pip3?|uv pip)\b[^&|;\n]*\binstall\b", run.text.replace("\\\n", " ")))


def _sets_cache_off(file: Dockerfile) -> bool:
    return any("PIP_NO_CACHE_DIR" in env.text for stage in file.stages for env in stage.all("ENV"))
