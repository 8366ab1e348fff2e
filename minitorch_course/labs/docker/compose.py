"""Checks of compose.yaml: what it must set, and what would undo a setting of the file or of the image.

The meaning of the values is that of the Compose specification and of the engine, not their spelling.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

from minitorch._optional import require

from ..review import Comment
from .dockerfile_rules import problem_of_user
from .start import problem_of_start, writes_bytecode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

COMPOSE = "compose.yaml"
OVERRIDES = (
    "compose.override.yaml",
    "compose.override.yml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
LISTS = ("cap_drop", "cap_add", "security_opt", "tmpfs", "volumes", "devices", "env_file")  # that a merge appends
HOST_FILES = re.compile(r"(/|/etc|/proc|/sys|/dev|/root|/var/run|/run|.*docker\.sock)/?")
Service = dict[str, Any]


def is_true(value: Any) -> bool:
    """Return whether Compose reads a value as true."""
    return value is True or (isinstance(value, str) and value.lower() in ("true", "yes", "y", "on"))


def items(value: Any) -> list[Any]:
    """Return a value that may be one or a list of them."""
    return value if isinstance(value, list) else [] if value is None else [value]


def strings(value: Any) -> list[str]:
    """Return the strings in a value that may be one or a list of them."""
    return [each for each in map(str, items(value)) if each]


def pairs(value: Any) -> dict[str, Any]:
    """Return a mapping that may be written as a list of NAME=VALUE."""
    if isinstance(value, dict):
        return value
    return {name: text if equal else None for name, equal, text in (each.partition("=") for each in strings(value))}


def no_new_privileges(service: Service) -> bool:
    """Return whether the last `no-new-privileges` of security_opt sets it, as the engine reads it."""
    set_ = False
    for option in strings(service.get("security_opt")):
        name, _, value = option.replace(":", "=", 1).partition("=")
        if name == "no-new-privileges":
            set_ = value in ("", "1", "t", "T", "true", "TRUE", "True")
    return set_


def has_tmpfs(service: Service) -> bool:
    """Return whether there is a writable place in memory, in either syntax."""
    mounts = [volume for volume in items(service.get("volumes")) if isinstance(volume, dict)]
    return bool(strings(service.get("tmpfs"))) or any(mount.get("type") == "tmpfs" for mount in mounts)


def unconfined(service: Service) -> bool:
    """Return whether security_opt switches off a protection that the engine has by default."""
    options = [option.lower().replace(":", "=", 1).partition("=") for option in strings(service.get("security_opt"))]
    return any(value == "unconfined" or (name, value) == ("label", "disable") for name, _, value in options)


def host_mounts(service: Service) -> bool:
    """Return whether a volume gives the container the engine's socket or system files of the host."""
    sources = [
        str(volume.get("source", "")) if isinstance(volume, dict) else str(volume).split(":")[0]
        for volume in items(service.get("volumes"))
        if not (isinstance(volume, dict) and volume.get("type", "bind") != "bind")
    ]
    return any(HOST_FILES.fullmatch(source) for source in sources)


def command(service: Service, key: str) -> list[str]:
    """Return the words of `command` or `entrypoint`: a list, or a string that Compose splits without a shell."""
    value = service.get(key)
    try:
        return shlex.split(value) if isinstance(value, str) else strings(value)
    except ValueError:
        return [str(value)]


def problem_of_program(service: Service) -> str:
    """Return why a program that the service starts instead of the image's does not get SIGTERM."""
    words = [*command(service, "entrypoint"), *command(service, "command")]
    return problem_of_start(words) if words else ""


def bytecode_again(service: Service) -> bool:
    """Return whether the service undoes that Python writes no bytecode."""
    env = {name: str(value or "") for name, value in pairs(service.get("environment")).items()}
    words = [*command(service, "entrypoint"), *command(service, "command")]
    return writes_bytecode(words, {"PYTHONDONTWRITEBYTECODE": "1"} | env)


# What a service must set: the key, whether it is right, and the advice.
REQUIRED: dict[str, tuple[Callable[[Service], bool], str]] = {
    "read_only": (
        lambda service: is_true(service.get("read_only")),
        "read_only: true, so that an attacker cannot write files",
    ),
    "tmpfs": (has_tmpfs, "tmpfs: [/tmp], since the server needs a small writable place"),
    "cap_drop": (
        lambda service: "ALL" in map(str.upper, strings(service.get("cap_drop"))),
        "cap_drop: [ALL]: a server needs no capabilities of root",
    ),
    "security_opt": (no_new_privileges, 'security_opt: ["no-new-privileges:true"]'),
}
# What undoes a setting: the key, whether it does, and why.
UNDOES: dict[str, tuple[Callable[[Service], Any], str]] = {
    "privileged": (
        lambda service: is_true(service.get("privileged")),
        "gives the container all rights of the host, whatever else is set",
    ),
    "cap_add": (lambda service: strings(service.get("cap_add")), "gives back capabilities that cap_drop removes"),
    "security_opt": (unconfined, "switches off a protection of the engine (unconfined, label:disable)"),
    "user": (
        lambda service: service.get("user") is not None and problem_of_user(str(service["user"])),
        "replaces the USER of the image by root, or by a name that cannot be judged",
    ),
    "pid": (lambda service: service.get("pid") == "host", "shows the processes of the host"),
    "ipc": (lambda service: service.get("ipc") == "host", "shares the memory of the host"),
    "network_mode": (lambda service: service.get("network_mode") == "host", "gives the container the host's network"),
    "userns_mode": (lambda service: service.get("userns_mode") == "host", "maps users to those of the host"),
    "devices": (lambda service: strings(service.get("devices")), "gives the container devices of the host"),
    "volumes": (host_mounts, "mounts system files or the engine's socket, so the container can control the host"),
    "stop_signal": (
        lambda service: str(service.get("stop_signal", "SIGTERM")).upper().removeprefix("SIG") not in ("TERM", "15"),
        "replaces SIGTERM",
    ),
    "healthcheck": (
        lambda service: (
            isinstance(check := service.get("healthcheck"), dict)
            and (is_true(check.get("disable")) or strings(check.get("test"))[:1] == ["NONE"])
        ),
        "switches off the health check of the image",
    ),
    "entrypoint": (problem_of_program, "or command starts a shell, which need not pass on SIGTERM"),
    "environment": (bytecode_again, "lets Python write bytecode to the read-only file system again"),
}
# Settings that may not depend on a variable of the person who runs it.
DECIDED = {"privileged", "cap_add", "pid", "ipc", "network_mode", "userns_mode", "stop_signal"}


def run_read_only(folder: Path) -> Iterator[Comment]:
    """Check that compose.yaml runs the container read-only, with minimal rights."""
    text = _text(folder / COMPOSE)
    try:
        services = _services(folder)
    except ValueError as error:
        yield Comment(COMPOSE, f"cannot be read: {error}.")
        return
    if not services:
        yield Comment(COMPOSE, "does not exist, or has no service. It describes how to run the image: write it.")
    for service in services:
        yield from _restricted(text, service)


def _restricted(text: str, service: Service) -> Iterator[Comment]:
    for key, (is_right, advice) in REQUIRED.items():
        if "$" in str(service.get(key, "")):
            yield Comment(f"{COMPOSE}:{_line(text, key)}", f"{key} depends on a variable: write its value here.")
        elif not is_right(service):
            yield Comment(f"{COMPOSE}:{_line(text, key)}", f"add {advice}.")
    for key, (undoes, why) in UNDOES.items():
        if key in DECIDED and "$" in str(service.get(key, "")):
            yield Comment(f"{COMPOSE}:{_line(text, key)}", f"{key} depends on a variable: write its value here.")
        elif undoes(service):
            yield Comment(f"{COMPOSE}:{_line(text, key)}", f"{key} {why}: remove it.")


def _services(folder: Path) -> list[Service]:
    """Return the services that `docker compose up` runs. Raises ValueError for what cannot be read."""
    overrides = [path for name in OVERRIDES if (path := folder / name).is_file()]
    merged: dict[str, Service] = {}
    for path in [folder / COMPOSE, *overrides[:1]]:
        for name, service in _load(path).items():
            merged[name] = _merge(merged.get(name, {}), service)
    return [_extended(service, merged) for service in merged.values()]


def _load(path: Path) -> dict[str, Service]:
    yaml = require("yaml", "Reading compose.yaml", "pip install pyyaml")
    try:
        content = yaml.safe_load(path.read_bytes()) if path.is_file() else None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ValueError(f"{path.name}: {' '.join(str(error).split())[:200]}") from error
    if isinstance(content, dict) and "include" in content:
        raise ValueError(f"{path.name} includes other files, which are not read here: write the services in one file")
    services = content.get("services") if isinstance(content, dict) else None
    return (
        {str(name): each for name, each in services.items() if isinstance(each, dict)}
        if isinstance(services, dict)
        else {}
    )


def _extended(service: Service, services: dict[str, Service]) -> Service:
    """Return a service with what it takes from another one (`extends`)."""
    seen: list[str] = []
    while (extends := service.get("extends")) is not None:
        name = str(extends.get("service") if isinstance(extends, dict) else extends)
        if name in seen or name not in services or (isinstance(extends, dict) and "file" in extends):
            raise ValueError(f"the service {name} that another one extends is not in this file, or extends itself")
        seen.append(name)
        service = _merge(services[name], {key: value for key, value in service.items() if key != "extends"})
    return service


def _merge(below: Service, above: Service) -> Service:
    """Return a service with the settings of another one on top: lists are appended, mappings are joined."""
    result = below | above
    for key in below.keys() & above.keys():
        if key in LISTS:
            result[key] = [*items(below[key]), *items(above[key])]
        elif key == "environment":
            result[key] = pairs(below[key]) | pairs(above[key])
        elif isinstance(below[key], dict) and isinstance(above[key], dict):
            result[key] = below[key] | above[key]
    return result


def _line(text: str, word: str) -> int:
    return next((number for number, line in enumerate(text.splitlines(), 1) if word in line), 1)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
