"""A student's notebook, parsed without trusting it. Every fault becomes a `reason`, never an exception."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import zipfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from .collect import IGNORED, MANIFEST, MAX_FILES, MIB, InvalidSubmissionError, SubmissionFiles, printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

MAX_NOTEBOOK_BYTES = 32 * MIB  # figures included
MAX_UNPACKED_BYTES = 2 * MAX_NOTEBOOK_BYTES  # of an archive
MAX_CODE = 2**20  # characters of all code cells together
MAX_CELLS = 2000


@dataclass(frozen=True)
class StudentCell:
    """A cell of a student's notebook. `exercise` is the one that its metadata name."""

    id: str
    code: bool
    source: str
    exercise: str = ""


@dataclass(frozen=True)
class Submission:
    """A student's notebook. `reason` says why there is none."""

    student: str
    cells: tuple[StudentCell, ...] = ()
    submitted: str | None = None
    flags: tuple[str, ...] = ()
    reason: str | None = None


def parse_submission(files: SubmissionFiles, notebook: str) -> Submission:
    """Return a student's submission for the notebook of that name, such as `02_autodiff`."""
    try:
        if files.reason:
            raise InvalidSubmissionError(files.reason)
        contents = dict(files.files)
        archives = [name for name in contents if name.lower().endswith(".zip")]
        if len(archives) == len([name for name in contents if name != MANIFEST]):
            return _latest([_parse(files.student, _unpacked(contents[name]), notebook) for name in archives])
        return _parse(files.student, contents, notebook)
    except InvalidSubmissionError as error:
        return Submission(files.student, reason=printable(str(error)))


def guess_notebook(files: SubmissionFiles, known: Collection[str]) -> str | None:
    """Return which of the `known` notebooks the files hold, by file names and metadata; None if neither name one."""
    contents = dict(files.files)
    try:
        for name in [name for name in contents if name.lower().endswith(".zip")]:
            contents |= _unpacked(contents.pop(name))
        notebooks = [content for name, content in contents.items() if name.lower().endswith(".ipynb")]
        found = [PurePosixPath(name).stem for name in contents] + [_name_in(content) for content in notebooks[:1]]
    except InvalidSubmissionError:
        return None
    return next((name for name in known if name in found), None)


def _name_in(notebook: bytes) -> Any:
    """Return the name in the metadata of a notebook that `minitorch course build` wrote."""
    found = _json(notebook)
    for part in ("metadata", "minitorch", "notebook"):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _latest(found: list[Submission]) -> Submission:
    """Return the newest of several archives: handing in again is allowed."""
    if not found:
        raise InvalidSubmissionError("It holds neither a notebook (.ipynb) nor an archive (.zip).")
    chosen = max(found, key=lambda submission: submission.submitted or "")
    flag = () if len(found) == 1 else (f"{len(found)} archives, of which the latest counts",)
    return replace(chosen, flags=(*chosen.flags, *flag))


def _unpacked(archive: bytes) -> dict[str, bytes]:
    """Return the notebooks and the manifest of an archive. Links, and paths that lead out of it, are left out."""
    files, left = {}, MAX_UNPACKED_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            for member in _members(opened):
                with opened.open(member) as file:
                    files[printable(member.filename)] = content = file.read(left + 1)  # Its own size is not believed.
                left -= len(content)
                if left < 0:
                    raise InvalidSubmissionError(
                        f"The archive holds more than {MAX_UNPACKED_BYTES // MIB} MB: clear the outputs."
                    )
    except InvalidSubmissionError:
        raise
    except Exception as error:  # zipfile and zlib raise many errors, and hostile archives cause others.
        raise InvalidSubmissionError(
            f"The archive cannot be unpacked ({type(error).__name__}: {str(error)[:200]})."
        ) from None
    return files


def _members(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    members = archive.infolist()
    if len(members) > MAX_FILES:
        raise InvalidSubmissionError(f"The archive holds more than {MAX_FILES} files.")
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        is_file = not member.is_dir() and stat.S_IFMT(member.external_attr >> 16) in (0, stat.S_IFREG)
        inside = not path.is_absolute() and ".." not in path.parts and not set(IGNORED) & set(path.parts)
        if is_file and inside and (path.suffix.lower() == ".ipynb" or path.name == MANIFEST):
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise InvalidSubmissionError(
                    "The archive has a rare compression: create it with `minitorch course submit`."
                )
            yield member


def _parse(student: str, files: Mapping[str, bytes], notebook: str) -> Submission:
    name = _notebook_among(files, notebook)
    cells = tuple(_cells(files[name]))
    manifest = next((_manifest(files[file]) for file in files if PurePosixPath(file).name == MANIFEST), None)
    if manifest is None:
        return Submission(student, cells, None, ("no manifest, so no time of submission",))
    flags = []
    if manifest.get("sha256") != hashlib.sha256(files[name]).hexdigest():
        flags.append("the notebook was changed after `minitorch course submit`")
    return Submission(student, cells, _time(manifest.get("submitted")), tuple(flags))


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


def _cells(content: bytes) -> Iterator[StudentCell]:
    if len(content) > MAX_NOTEBOOK_BYTES:
        raise InvalidSubmissionError(
            f"The notebook is larger than {MAX_NOTEBOOK_BYTES // MIB} MB: clear its outputs and save it."
        )
    parsed = _json(content)
    cells = parsed.get("cells") if isinstance(parsed, dict) else None
    if not isinstance(parsed, dict) or parsed.get("nbformat") != 4 or not isinstance(cells, list):
        raise InvalidSubmissionError(
            "The file is not a notebook of format 4: save it with JupyterLab, and hand it in again."
        )
    if len(cells) > MAX_CELLS:
        raise InvalidSubmissionError(f"The notebook has more than {MAX_CELLS} cells.")
    read = [_cell(cell) for cell in cells if isinstance(cell, dict)]
    if sum(len(cell.source) for cell in read if cell.code) > MAX_CODE:
        raise InvalidSubmissionError(f"The notebook holds more than {MAX_CODE // 1000} thousand characters of code.")
    yield from read


def _json(content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise InvalidSubmissionError(
            "The notebook is not written in UTF-8: save it with JupyterLab, and hand it in again."
        ) from None
    except RecursionError:
        raise InvalidSubmissionError("The notebook's JSON is nested too deep.") from None
    except ValueError as error:
        raise InvalidSubmissionError(f"The notebook is damaged: it is not JSON ({str(error)[:200]}).") from None


def _cell(cell: dict[str, Any]) -> StudentCell:
    """Return what can be read of a cell; malformed parts count as missing."""
    source, metadata = cell.get("source"), cell.get("metadata")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    about = metadata.get("minitorch") if isinstance(metadata, dict) else None
    is_exercise = isinstance(about, dict) and about.get("kind") == "exercise"
    return StudentCell(
        str(cell.get("id", ""))[:100],
        cell.get("cell_type") == "code",
        printable(source) if isinstance(source, str) else "",
        str(about.get("exercise"))[:100] if isinstance(about, dict) and is_exercise else "",
    )
