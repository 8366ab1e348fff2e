"""Find a builder that works on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import buildah
from .daemon import Daemon, works

if TYPE_CHECKING:
    from .builder import Builder


def detect() -> tuple[Builder | None, str]:
    """Return the first builder that works here, or None and the reason why there is none.

    Docker comes first, then Podman, then Buildah. Buildah comes before Podman if there is a local base image, which
    means that this machine cannot reach a registry.
    """
    why = buildah.why_unavailable()
    for program in ("docker", "podman"):
        if program == "podman" and not why and buildah.has_local_base():
            break
        if works(program):
            return Daemon(program), ""
    return (None, why) if why else (buildah.Buildah(), "")
