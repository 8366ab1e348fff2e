"""What the RUNs of a Dockerfile install, with which tool, and whether hashes are verified."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from .shell import Command, commands, shell_words, unwrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .dockerfile import Instruction

BUILD_TOOLS = re.compile(
    r"(build-essential|build-base|base-devel|gcc|g\+\+|clang|llvm|make|cmake|cargo|rustc|git|curl|wget|poetry|npm|uvx?"
    r"|(python3?-)?pip3?)(-[\d.]+)?([:=~<>].*)?"
)
# Programs that install packages, and the words that make them do so.
SYSTEM_INSTALLERS = dict.fromkeys(
    ("apt-get", "apt", "aptitude", "apk", "yum", "dnf", "microdnf", "zypper", "tdnf"), ("install", "add", "in")
)
LANGUAGE_INSTALLERS = {
    "pip": ("install",),
    "uv": ("install", "sync", "add"),
    "pip-sync": ("",),
    "pipx": ("install",),
    "poetry": ("install", "add"),
    "pipenv": ("install", "sync"),
    "conda": ("install", "create"),
    "mamba": ("install", "create"),
    "npm": ("install", "ci"),
}
NO_CACHE_OPTIONS, NO_CACHE_VARIABLES = {"--no-cache-dir", "--no-cache", "-n"}, ("PIP_NO_CACHE_DIR", "UV_NO_CACHE")
HASH_VARIABLES = ("PIP_REQUIRE_HASHES", "UV_REQUIRE_HASHES")
VALUED_OPTIONS = {"-r", "-c", "-t", "-e", "-i", "-f", "-p", "--requirement", "--constraint", "--target", "--prefix"}


def run_commands(run: Instruction) -> Iterator[Command]:
    """Yield the commands of a RUN: a JSON list, a script, or heredocs that a shell runs."""
    script = "\n".join(run.words)
    if run.exec:
        yield from unwrap(run.words, run.variables)
    elif run.documents and re.fullmatch(r"\s*\d*<<-?[\"']?\w+[\"']?\s*", script):
        first, _, rest = run.documents[0].partition("\n")
        if not first.startswith("#!"):
            yield from commands(run.documents[0], run.variables)
        elif (
            shell_words([word for word in re.split(r"\s+", first[2:].strip()) if not word.endswith("env")]) is not None
        ):
            yield from commands(rest, run.variables)
    else:
        yield from commands(script, run.variables)
        if run.documents and re.match(r"\s*(\S*/)?(ba|da|a|z|k)?sh\b[^;&|]*<<", script):
            yield from commands("\n".join(run.documents), run.variables)


def installer(command: Command) -> str:
    """Return the name of the program if it installs packages, else an empty string."""
    name = "pip" if re.fullmatch(r"pip[\d.]*", command.program) else command.program
    verbs = {**SYSTEM_INSTALLERS, **LANGUAGE_INSTALLERS}.get(name, ())
    return name if any(not verb or verb in command.arguments for verb in verbs) else ""


def installs_python(command: Command) -> bool:
    """Return whether a command installs packages of Python."""
    return installer(command) in ("pip", "uv", "pip-sync")


def tool(command: Command) -> str | None:
    """Return the tool that a command installs or installs with, if only a build needs it."""
    name = installer(command)
    if name in SYSTEM_INSTALLERS:
        return next((word for word in command.arguments if BUILD_TOOLS.fullmatch(word)), None)
    return name or None


def verifies_hashes(command: Command) -> bool:
    """Return whether an installation of Python packages verifies hashes, or installs local files only."""
    words = command.arguments
    if {"--no-verify-hashes", "--no-require-hashes"} & set(words):
        return False
    if command.program == "uv" and "pip" not in words:  # uv.lock has the hashes of all files
        return bool({"--locked", "--frozen"} & set(words))
    packages = [word for before, word in itertools.pairwise(words) if before not in VALUED_OPTIONS]
    packages = [word for word in packages if word[:1] != "-" and word not in ("install", "pip", "sync")]
    is_local = packages and all(package.startswith((".", "/")) for package in packages)
    if is_local and {"--no-deps", "--no-build-isolation"} <= set(words):
        return True
    return "--require-hashes" in words or any(_is_on(command.env.get(name, "")) for name in HASH_VARIABLES)


def _is_on(value: str) -> bool:
    return value.lower() in ("1", "true", "yes", "on", "y", "t")


def leaves_no_cache(command: Command, run: Instruction) -> bool:
    """Return whether an installation of Python packages leaves no cache in the layer of its RUN."""
    removed = any(other.program == "rm" and ".cache" in " ".join(other.words) for other in run_commands(run))
    mounted = any(mount.get("type", "").lower() == "cache" for mount in run.mounts())
    options = NO_CACHE_OPTIONS & set(command.arguments)
    return bool(removed or mounted or options or any(command.env.get(name) for name in NO_CACHE_VARIABLES))
