"""Rules for a Dockerfile, one function each: where the rule is broken, why that matters, and what to do.

The rules judge what Docker, a shell or pip makes of the text. A comment says so where the text does not determine that.
"""

from __future__ import annotations

import posixpath
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ..review import Comment
from .dockerfile import FILE, Dockerfile, Instruction, Source, pairs
from .installs import BUILD_TOOLS, installs_python, leaves_no_cache, run_commands, tool, verifies_hashes
from .shell import commands, unwrap
from .start import problem_of_start, started, writes_bytecode

if TYPE_CHECKING:
    from collections.abc import Iterator

LABELS = ("title", "description", "version", "source", "licenses", "revision")
PREFIX = "org.opencontainers.image."
DIGEST = re.compile(r"[^@]+@(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})")
UNKNOWN = "has no value in this file (an ARG without a default, or a variable of the base image)"
SUCCEED = {"true", ":", "echo", "exit"}  # commands that end a health check without failing


def stages(file: Dockerfile) -> Iterator[Comment]:
    """Check that the image is built in one stage and run in another."""
    shipped = list(file.chain())
    if len(file.stages) < 2:
        yield Comment(
            f"{FILE}:{file.final.line}",
            "has one stage, so the build tools are shipped in the image. Build in a first stage (FROM ... AS"
            " build), and copy only the results into a second one (COPY --from=build ...).",
        )
    elif not any(source.stage and any(stage is part for part in shipped) for stage, source in file.sources()):
        yield Comment(
            f"{FILE}:{file.final.line}",
            "begins the last stage, which copies nothing from earlier stages: COPY --from=build ... the packages.",
        )


def base(file: Dockerfile) -> Iterator[Comment]:
    """Check that every external image is pinned by its digest."""
    for stage in file.stages:
        where, image = f"{FILE}:{stage.line}", stage.image
        if stage.base and image != image.lower():
            yield Comment(
                where, f"names the stage {image.lower()} in capitals, which BuildKit refuses: FROM {image.lower()}."
            )
        elif not stage.base and image != "scratch" and not DIGEST.fullmatch(image):
            number = " (a number means a stage in COPY --from only)" if image.isdigit() else ""
            unset = f": ${min(stage.unset)} has no value without --build-arg" if stage.unset else ""
            yield Comment(
                where,
                f"is based on {image or 'a variable without a value'}{unset}{number}, a name that can mean another"
                " image tomorrow. Pin its digest: NAME:TAG@sha256:..., which `docker pull` prints, and the registry's"
                " page shows.",
            )
    for _, source in file.sources():
        yield from _pinned(source)


def _pinned(source: Source) -> Iterator[Comment]:
    if source.problem:
        yield Comment(source.instruction.where, f"takes files from {source.name}, but {source.problem}.")
    elif not (source.stage or source.name == "scratch" or DIGEST.fullmatch(source.name)):
        yield Comment(
            source.instruction.where,
            f"copies from {source.name}, which is not an earlier stage, so it is an image. Pin it by its digest:"
            " NAME:TAG@sha256:...",
        )


def locked(file: Dockerfile) -> Iterator[Comment]:
    """Check that packages are installed from a lock with hashes."""
    runs = [(run, command) for stage in file.stages for run in stage.all("RUN") for command in run_commands(run)]
    found = [(run, command) for run, command in runs if installs_python(command)]
    if not found:
        yield Comment(
            f"{FILE}:{file.stages[0].line}",
            "no RUN installs the locked packages: RUN pip install --require-hashes -r requirements.lock.",
        )
    for run in dict.fromkeys(run.where for run, command in found if not verifies_hashes(command)):
        yield Comment(
            run,
            "installs the newest versions on the day of the build. Install a lock and verify its hashes:"
            " pip install --require-hashes -r requirements.lock.",
        )


def user(file: Dockerfile) -> Iterator[Comment]:
    """Check that the program does not run as root."""
    found = file.last("USER")
    if found is None:
        yield Comment(
            f"{FILE}:{file.final.line}",
            "sets no USER, so the program runs as the user of the base image, which this file does not show and which"
            " is usually root: a vulnerability of the server then gives an attacker root. Set an ordinary user at the"
            " end of the last stage: USER 10001:10001.",
        )
    elif problem := problem_of_user(" ".join(found.words)):
        unset = f" ${min(found.unset)} {UNKNOWN}: give it here." if found.unset else ""
        yield Comment(found.where, problem + unset)


def problem_of_user(user: str) -> str:
    """Return what is wrong with the user of a container, `USER` or `USER:GROUP`; an empty string if it is right."""
    name = user.partition(":")[0]
    number = re.fullmatch(r"([+-]?)0*([0-9]*)", name)
    if name in ("", "root") or (number and not number[2]):
        return "runs as root: set USER to an ordinary user, such as 10001:10001."
    if number and (number[1] == "-" or len(number[2]) > 10 or int(number[2]) >= 2**31):
        return f"sets the user {name}, which is not a user's number: set it to one such as 10001:10001."
    return (
        "" if number else f"sets the user {name!r}. Give its number: a cluster that rejects root cannot look up a name."
    )


def lean(file: Dockerfile) -> Iterator[Comment]:
    """Check that the last stage installs nothing, and copies only what it needs."""
    for _, instruction in file.inherited():
        if instruction.name == "RUN" and (unwanted := next(filter(None, map(tool, run_commands(instruction))), None)):
            yield Comment(
                instruction.where,
                f"installs with or for {unwanted} in the stage that is shipped, which makes the image larger and"
                " helps an attacker. Do it in the build stage.",
            )
        if instruction.name in ("COPY", "ADD"):
            yield from _narrow(instruction)
    for run in (run for stage in file.stages for run in stage.all("RUN")):
        if any(installs_python(command) and not leaves_no_cache(command, run) for command in run_commands(run)):
            yield Comment(run.where, "leaves pip's cache in a layer: add --no-cache-dir.")


def _narrow(copy: Instruction) -> Iterator[Comment]:
    """Check that a COPY or ADD copies neither everything nor a tool."""
    paths = [posixpath.normpath(word) for word in copy.words[:-1]]
    unwanted = next((name for path in paths if BUILD_TOOLS.fullmatch(name := posixpath.basename(path))), None)
    if copy.flag("from") and unwanted:
        yield Comment(copy.where, f"copies {unwanted} into the stage that is shipped. Use it in the build stage.")
    elif not copy.flag("from") and any(path.lstrip("/") in ("", ".", "..", "*", "**") for path in paths):
        yield Comment(
            copy.where,
            "copies everything next to the Dockerfile, including caches and secrets. Name the files that the"
            " image needs.",
        )


def health(file: Dockerfile) -> Iterator[Comment]:
    """Check that the image has a health check that can run."""
    found = file.last("HEALTHCHECK")
    words = found.words if found else ("NONE",)
    checks = list(unwrap(words[1:])) if found and found.exec else list(commands(" ".join(words[1:])))
    if found is None or not checks or words[0].upper() != "CMD":
        yield Comment(
            found.where if found else f"{FILE}:{file.final.line}",
            "nothing notices a server that hangs. Add HEALTHCHECK CMD [...] that requests /health and fails if there is"
            " no response.",
        )
    elif any(check.program in ("curl", "wget") for check in checks):
        yield Comment(
            found.where,
            "uses curl or wget, which a slim image does not have. Use python -c with urllib.request.",
        )
    elif checks[-1].program in SUCCEED and checks[-1].arguments != ["1"]:
        yield Comment(
            found.where,
            f"ends with `{' '.join(checks[-1].words)[:40]}`, which succeeds also if there is no response. End with the"
            " request itself, or with `|| exit 1`.",
        )


def signals(file: Dockerfile) -> Iterator[Comment]:
    """Check that SIGTERM reaches the program."""
    found, words, problem = started(file)
    if found is None:
        yield Comment(f"{FILE}:{file.final.line}", 'starts no program: add ENTRYPOINT ["python", "serve.py"].')
        return
    if problem := problem or problem_of_start(words, file.folder):
        yield Comment(found.where, f'{problem} Write a JSON list: {found.name} ["python", "serve.py"].')
    stop = file.last("STOPSIGNAL")
    if stop and stop.words[0].upper().removeprefix("SIG") not in ("TERM", "15"):
        yield Comment(stop.where, f"stops the container with {stop.words[0]}, not with SIGTERM: remove it.")


def read_only(file: Dockerfile) -> Iterator[Comment]:
    """Check that the image does not expect a writable file system."""
    env = environment(file)
    if not writes_bytecode(started(file)[1], env):
        return
    yield Comment(
        f"{FILE}:{file.final.line}",
        "Python will try to write __pycache__ to a read-only file system: set ENV PYTHONDONTWRITEBYTECODE=1 (an empty"
        " value does not count, and python -I, python -E and env -i ignore it).",
    )


def labels(file: Dockerfile) -> Iterator[Comment]:
    """Check that the image has the annotations of the OCI."""
    found = [instruction for _, instruction in file.inherited() if instruction.name == "LABEL"]
    labels = {key: value for label in found for key, value in pairs(label).items()}
    missing = [PREFIX + name for name in LABELS if not labels.get(PREFIX + name)]
    if missing:
        unset = sorted({name for label in found for name in label.unset})
        hint = f" ${unset[0]} {UNKNOWN}, so a label with it may be empty: give it a default." if unset else ""
        yield Comment(
            found[-1].where if found else f"{FILE}:{file.final.line}",
            f"the image does not describe itself and its source: add LABEL {', '.join(missing)}.{hint}",
        )


def documents(file: Dockerfile) -> Iterator[Comment]:
    """Check that the licence and the SBOM are in the image."""
    yield from carried(file, "LICENSE", "the licence", "without a licence nobody may use the content")
    yield from carried(file, "sbom.cdx.json", "the SBOM", "it shows whether a new vulnerability affects the image")


def carried(file: Dockerfile, name: str, what: str, why: str) -> Iterator[Comment]:
    """Check that the last stage copies a file or folder called `name`, or under that name."""
    copies = [copy for _, copy in file.inherited() if copy.name in ("COPY", "ADD")]
    if not any(_copies(copy, name) for copy in copies):
        yield Comment(
            f"{FILE}:{file.final.line}",
            f"the last stage does not contain {what}, or not by its name (COPY {name} ...): {why}.",
        )


def _copies(copy: Instruction, name: str) -> bool:
    """Return whether a COPY names a file or folder; a suffix such as .cdx.json is enough for a file that has two."""
    suffix = name[name.index(".") :] if name.count(".") > 1 else None
    for word in (*copy.words[:-1], *copy.words[-1:] * (len(copy.words) == 2)):
        parts = [part for part in posixpath.normpath(word).split("/") if part] or ["."]
        named = [parts[-1], *parts[-2:-1] * ("*" in parts[-1])]
        if any(fnmatchcase(name, part) or (suffix and part.endswith(suffix)) for part in named if part.strip("*")):
            return not any(fnmatchcase(name, posixpath.basename(left_out)) for left_out in copy.all_flags("exclude"))
    return False


def environment(file: Dockerfile) -> dict[str, str]:
    """Return the variables that the image sets."""
    return file.final.env
