"""Rules for a Dockerfile, one function each: where the rule is broken, why that matters, and what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..review import Comment
from .dockerfile import FILE, Dockerfile, Instruction, pairs

if TYPE_CHECKING:
    from collections.abc import Iterator

LABELS = ("title", "description", "version", "source", "licenses", "revision")
PREFIX = "org.opencontainers.image."
BUILD_TOOLS = r"\b(build-essential|gcc|g\+\+|clang|make|cmake|cargo|rustc|git|curl|wget|pip|uv|poetry|npm)\b"
INSTALLS = r"\b(apt-get|apt|apk|yum|dnf|microdnf)\b[^&|;]*\b(install|add)\b|\b(pip|uv pip|pip3)\b[^&|;]*\binstall\b"
CACHE_OFF = ("--no-cache-dir", "--no-cache", "PIP_NO_CACHE_DIR", "--mount=type=cache", "UV_NO_CACHE")


def stages(file: Dockerfile) -> Iterator[Comment]:
    """Check that the image is built in one stage and run in another."""
    if len(file.stages) < 2:
        yield Comment(
            f"{FILE}:{file.final.line}",
            "has one stage, so the build tools are shipped in the image. Build in a first stage (FROM ... AS"
            " build), and copy only the results into a second one (COPY --from=build ...).",
        )
    elif not any(copy.flag("from") for stage in file.chain() for copy in stage.all("COPY")):
        yield Comment(
            f"{FILE}:{file.final.line}",
            "begins the last stage, which copies nothing from earlier stages: COPY --from=build ... the packages.",
        )


def base(file: Dockerfile) -> Iterator[Comment]:
    """Check that every external image is pinned by its digest."""
    for stage in file.external():
        if not re.search(r"@sha256:[0-9a-f]{64}$", stage.image):
            yield Comment(
                f"{FILE}:{stage.line}",
                f"is based on {stage.image or 'a variable without a value'}, a name that can mean another image"
                " tomorrow. Pin its digest: NAME:TAG@sha256:..., which `docker pull` prints, and the registry's page"
                " shows.",
            )
    for instruction in (i for stage in file.stages for i in stage.body if i.name == "COPY"):
        source = instruction.flag("from") or ""
        if ("/" in source or ":" in source) and "@sha256:" not in source:
            yield Comment(instruction.where, f"copies from the image {source}, which is not pinned by its digest.")


def locked(file: Dockerfile) -> Iterator[Comment]:
    """Check that packages are installed from a lock with hashes."""
    found = [run for stage in file.stages for run in stage.all("RUN") if _installs_with_pip(run)]
    if not found:
        yield Comment(
            f"{FILE}:{file.stages[0].line}",
            "no RUN installs the locked packages: RUN pip install --require-hashes -r requirements.lock.",
        )
    for run in found:
        if "--require-hashes" not in run.text and not re.search(r"--no-deps .*--no-build-isolation [./]", run.text):
            yield Comment(
                run.where,
                "installs the newest versions on the day of the build. Install a lock and verify its hashes:"
                " pip install --require-hashes -r requirements.lock.",
            )


def user(file: Dockerfile) -> Iterator[Comment]:
    """Check that the program does not run as root."""
    found = file.last("USER")
    name = found.words[0].partition(":")[0] if found and found.words else ""
    if found is None:
        yield Comment(
            f"{FILE}:{file.final.line}",
            "the image runs as root, so a vulnerability of the server gives an attacker root. Set an ordinary user at"
            " the end of the last stage: USER 10001:10001.",
        )
    elif name in ("root", "0"):
        yield Comment(found.where, "runs as root: set USER to an ordinary user, such as 10001:10001.")
    elif not name.isdigit():
        yield Comment(
            found.where,
            f"sets the user {name!r}. Give its number: a cluster that rejects root cannot look up a name.",
        )


def lean(file: Dockerfile) -> Iterator[Comment]:
    """Check that the last stage installs nothing, and copies only what it needs."""
    for stage in file.chain():
        for run in stage.all("RUN"):
            if tool := re.search(BUILD_TOOLS, run.text) if re.search(INSTALLS, run.text) else None:
                yield Comment(
                    run.where,
                    f"installs with or for {tool[0]} in the stage that is shipped, which makes the image larger and"
                    " helps an attacker. Do it in the build stage.",
                )
        for copy in stage.all("COPY") + stage.all("ADD"):
            if not copy.flag("from") and any(word in (".", "./", "*") for word in copy.words[:-1]):
                yield Comment(
                    copy.where,
                    "copies everything next to the Dockerfile, including caches and secrets. Name the files that the"
                    " image needs.",
                )
    for run in (run for stage in file.stages for run in stage.all("RUN")):
        if _installs_with_pip(run) and not any(word in run.text for word in CACHE_OFF) and not _sets_cache_off(file):
            yield Comment(run.where, "leaves pip's cache in a layer: add --no-cache-dir.")


def health(file: Dockerfile) -> Iterator[Comment]:
    """Check that the image has a health check that can run."""
    found = file.last("HEALTHCHECK")
    if found is None or found.words[:1] == ("NONE",):
        yield Comment(
            found.where if found else f"{FILE}:{file.final.line}",
            "nothing notices a server that hangs. Add HEALTHCHECK CMD [...] that requests /health and fails if there is"
            " no response.",
        )
    elif re.search(r"\b(curl|wget)\b", found.text):
        yield Comment(
            found.where,
            "uses curl or wget, which a slim image does not have. Use python -c with urllib.request.",
        )


def signals(file: Dockerfile) -> Iterator[Comment]:
    """Check that SIGTERM reaches the program."""
    found = file.last("ENTRYPOINT") or file.last("CMD")
    if found is None:
        yield Comment(f"{FILE}:{file.final.line}", 'starts no program: add ENTRYPOINT ["python", "serve.py"].')
    elif not found.exec or found.words[:1] in (("sh",), ("/bin/sh",), ("bash",)):
        yield Comment(
            found.where,
            "starts a shell, which does not pass on SIGTERM: the server does not shut down, and is killed after ten"
            f' seconds. Write a JSON list: {found.name} ["python", "serve.py"].',
        )


def read_only(file: Dockerfile) -> Iterator[Comment]:
    """Check that the image does not expect a writable file system."""
    if "PYTHONDONTWRITEBYTECODE" not in environment(file):
        yield Comment(
            f"{FILE}:{file.final.line}",
            "Python will try to write __pycache__ to a read-only file system: set ENV PYTHONDONTWRITEBYTECODE=1.",
        )


def labels(file: Dockerfile) -> Iterator[Comment]:
    """Check that the image has the annotations of the OCI."""
    labels = {
        key: value for stage in file.chain() for label in stage.all("LABEL") for key, value in pairs(label).items()
    }
    missing = [PREFIX + name for name in LABELS if not labels.get(PREFIX + name)]
    if missing:
        first = file.last("LABEL")
        yield Comment(
            first.where if first else f"{FILE}:{file.final.line}",
            f"the image does not describe itself and its source: add LABEL {', '.join(missing)}.",
        )


def documents(file: Dockerfile) -> Iterator[Comment]:
    """Check that the licence and the SBOM are in the image."""
    yield from carried(file, "LICENSE", "the licence", "without a licence nobody may use the content")
    yield from carried(file, ".cdx.json", "the SBOM", "it shows whether a new vulnerability affects the image")


def carried(file: Dockerfile, ending: str, what: str, why: str) -> Iterator[Comment]:
    """Check that the last stage copies a file whose name ends with `ending`, or a folder of that name."""
    sources = [word.rstrip("/") for stage in file.chain() for copy in stage.all("COPY") for word in copy.words[:-1]]
    if not any(source.endswith(ending) for source in sources):
        yield Comment(
            f"{FILE}:{file.final.line}",
            f"the last stage does not contain {what} (COPY {ending.lstrip('.')} ...): {why}.",
        )


def environment(file: Dockerfile) -> dict[str, str]:
    """Return the variables that the image sets."""
    stages = reversed(list(file.chain()))
    return {key: value for stage in stages for env in stage.all("ENV") for key, value in pairs(env).items()}


def _installs_with_pip(run: Instruction) -> bool:
    return bool(re.search(r"\b(pip3?|uv pip)\b[^&|;\n]*\binstall\b", run.text.replace("\\\n", " ")))


def _sets_cache_off(file: Dockerfile) -> bool:
    return any("PIP_NO_CACHE_DIR" in env.text for stage in file.stages for env in stage.all("ENV"))
