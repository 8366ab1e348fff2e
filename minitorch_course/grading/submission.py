"""A student's notebook, parsed without trusting it. Every fault becomes a `reason`, never an exception."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import stat
import zipfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from .._ipynb import MAX_NOTEBOOK_BYTES, MIB, StudentCell, parse_ipynb, parse_json, printable
from .collect import IGNORED, MANIFEST, MAX_FILES, SUFFIXES, InvalidSubmissionError, SubmissionFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

MAX_UNPACKED_BYTES = 2 * MAX_NOTEBOOK_BYTES  # of an archive
MAX_GUESS_BYTES = 8 * MIB  # of a student that are looked at to guess the notebook: no process bounds this work
MAX_METADATA_BYTES = 2 * MIB  # of a notebook that is parsed for it
NO_MANIFEST = "no manifest, so no time of submission"


@dataclass(frozen=True)
class Submission:
    """A student's notebook. `reason` says why there is none."""

    student: str
    cells: tuple[StudentCell, ...] = ()
    submitted: str | None = None
    flags: tuple[str, ...] = ()
    reason: str | None = None


def parse_submission(files: SubmissionFiles, notebook: str) -> Submission:
    """Return a student's submission for the notebook of that name, such as `02_autodiff`.

    Each archive is one submission, and so are the files outside of archives. If several can be read, the latest counts,
    and if their times leave that open, none.
    """
    try:
        if files.reason:
            raise InvalidSubmissionError(files.reason)
        readable, refused = [], []
        for name, contents in _handed_in(files.files):
            try:
                readable.append((name, _parse(files.student, contents(), notebook)))
            except InvalidSubmissionError as error:
                refused.append((name, str(error)))
        chosen = _latest(readable, refused)
        return replace(chosen, flags=(*chosen.flags, *files.flags))
    except InvalidSubmissionError as error:
        return Submission(files.student, flags=files.flags, reason=printable(str(error)))


def _handed_in(files: Mapping[str, bytes]) -> Iterator[tuple[str, Callable[[], Mapping[str, bytes]]]]:
    """Yield what was handed in by name, and a function that reads its files."""
    archives = [name for name in files if name.lower().endswith(".zip")]
    loose = {name: content for name, content in files.items() if name not in archives}
    if notebooks := [name for name in loose if name.lower().endswith(".ipynb")]:
        yield notebooks[0] if len(notebooks) == 1 else f"{len(notebooks)} notebooks", lambda: loose
    for name in archives:
        yield name, partial(_unpacked, files[name])


def _latest(readable: Sequence[tuple[str, Submission]], refused: Sequence[tuple[str, str]]) -> Submission:
    """Return the newest of what could be read: handing in again is allowed."""
    if not readable and len(refused) == 1:
        raise InvalidSubmissionError(refused[0][1])
    if not readable:
        unread = " ".join(f"{name}: {reason}" for name, reason in refused)
        raise InvalidSubmissionError(unread or "It holds neither a notebook (.ipynb) nor an archive (.zip).")
    name, chosen = max(readable, key=lambda named: named[1].submitted or "")
    flags = [f"{other} was not read, {name} counts: {reason}" for other, reason in refused]
    if any(_code(other) != _code(chosen) for _, other in readable):
        times = [submission.submitted for _, submission in readable]
        if None in times or times.count(chosen.submitted) > 1:
            names = ", ".join(other for other, _ in readable)
            raise InvalidSubmissionError(f"It is not clear which of {names} is the latest: keep one.")
        flags.append(f"{len(readable)} submissions, and {name} is the latest")
    return replace(chosen, flags=(*chosen.flags, *flags))


def _code(submission: Submission) -> list[str]:
    return [cell.source for cell in submission.cells if cell.code]


def guess_notebook(files: SubmissionFiles, known: Collection[str]) -> str | None:
    """Return which of the `known` notebooks the files hold, by file names, else by the metadata of the first notebook.

    Returns None if neither name one, or if more than `MAX_GUESS_BYTES` would have to be read.
    """
    names, notebook, left = [], b"", MAX_GUESS_BYTES
    for name, content in files.files.items():
        left -= len(content)
        if left < 0:
            break
        if not name.lower().endswith(".zip"):
            names, notebook = [*names, name], notebook or content
            continue
        # As in `_unpacked`, hostile archives cause all errors; it is the grading that says which.
        with contextlib.suppress(Exception), zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [m for m in _members(archive) if m.filename.lower().endswith(".ipynb")]
            names += [member.filename for member in members]
            if members and not notebook:
                with archive.open(members[0]) as file:
                    notebook = file.read(MAX_METADATA_BYTES + 1)
    found = [PurePosixPath(name).stem for name in names]
    if not set(found) & set(known) and len(notebook) <= MAX_METADATA_BYTES:
        with contextlib.suppress(ValueError):
            found.append(_name_in(notebook))
    return next((name for name in known if name in found), None)


def _name_in(notebook: bytes) -> Any:
    """Return the name in the metadata of a notebook that `minitorch course build` wrote."""
    found = parse_json(notebook)
    for part in ("metadata", "minitorch", "notebook"):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _unpacked(archive: bytes) -> dict[str, bytes]:
    """Return the notebooks and the manifest of an archive, and of archives in it.

    Links, and paths that lead out of it, are left out.
    """
    files: dict[str, bytes] = {}
    try:
        _unpack(archive, files, MAX_UNPACKED_BYTES)
    except InvalidSubmissionError:
        raise
    except Exception as error:  # zipfile and zlib raise many errors, and hostile archives cause others.
        raise InvalidSubmissionError(
            f"The archive cannot be unpacked ({type(error).__name__}: {str(error)[:200]})."
        ) from None
    return files


def _unpack(archive: bytes, files: dict[str, bytes], left: int, nested: bool = False) -> int:
    """Add the files of an archive to `files`, and return how many of the bytes `left` are left after them."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        for member in _members(opened):
            with opened.open(member) as file:
                content = file.read(left + 1)  # The size that the archive claims is not believed.
            left -= len(content)
            if left < 0:
                raise InvalidSubmissionError(
                    f"The archive holds more than {MAX_UNPACKED_BYTES // MIB} MB: clear the outputs."
                )
            if not member.filename.lower().endswith(".zip"):
                files[printable(member.filename)] = content
            elif not nested:
                left = _unpack(content, files, left, nested=True)
    return left


def _members(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    members = archive.infolist()
    if len(members) > MAX_FILES:
        raise InvalidSubmissionError(f"The archive holds more than {MAX_FILES} files.")
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        is_file = not member.is_dir() and stat.S_IFMT(member.external_attr >> 16) in (0, stat.S_IFREG)
        inside = not path.is_absolute() and ".." not in path.parts and not set(IGNORED) & set(path.parts)
        if is_file and inside and (path.suffix.lower() in SUFFIXES or path.name == MANIFEST):
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise InvalidSubmissionError(
                    "The archive has a rare compression: create it with `minitorch course submit`."
                )
            yield member


def _parse(student: str, files: Mapping[str, bytes], notebook: str) -> Submission:
    name = _notebook_among(files, notebook)
    try:
        cells = tuple(parse_ipynb(files[name]))
    except ValueError as error:
        raise InvalidSubmissionError(str(error)) from None
    manifest = next((_manifest(files[file]) for file in files if PurePosixPath(file).name == MANIFEST), None)
    if manifest is None:
        return Submission(student, cells, None, (NO_MANIFEST,))
    submitted, flags = _time(manifest.get("submitted")), []
    if manifest.get("sha256") != hashlib.sha256(files[name]).hexdigest():
        flags.append("the notebook was changed after `minitorch course submit`")
    if submitted is None:
        flags.append("the manifest names no time with a zone, so it is not known whether this is late")
    return Submission(student, cells, submitted, tuple(flags))


def _notebook_among(files: Mapping[str, bytes], notebook: str) -> str:
    """Return the file of that name, or of one that begins so (`02_autodiff (1).ipynb`), or the only notebook."""
    found = [name for name in files if name.lower().endswith(".ipynb")]
    for fits in (lambda stem: stem == notebook, lambda stem: stem.startswith(notebook), lambda stem: True):
        fitting = [name for name in found if fits(PurePosixPath(name).stem)]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            raise InvalidSubmissionError(
                f"There are {len(fitting)} notebooks and it is not clear which counts: keep {notebook}.ipynb."
            )
    raise InvalidSubmissionError(f"There is no {notebook}.ipynb in it.")


def _manifest(content: bytes) -> dict[str, Any]:
    try:
        manifest = json.loads(content[:MIB])
    except (ValueError, RecursionError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _time(written: Any) -> str | None:
    """Return a time as `2026-11-23T10:00:00Z`."""
    try:
        read = datetime.fromisoformat(str(written))
        return read.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if read.tzinfo else None
    except (ValueError, OverflowError):
        return None
