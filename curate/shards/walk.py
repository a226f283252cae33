"""The files below a directory: which to give, which to leave out, and saying so.

Knows no file formats; a file is never opened, but the `run.json` that marks a directory as a run of curate.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from curate.errors import InputError
from curate.storage import Location

_HEAD_BYTES = 4096  # of a run.json; it is read on only where these say which curate made it
_SHOWN = 5


@dataclass(slots=True)
class LeftOut:
    """What was found but is no input: run directories of curate, and links whose target does not exist."""

    runs: list[Location] = field(default_factory=list)
    links: list[Location] = field(default_factory=list)

    def words(self) -> Iterator[str]:
        """Say what was left out, in a few words a kind."""
        if self.runs:
            yield f"{_names('run directory', 'run directories', self.runs)}, made by curate (name one to read it)"
        if self.links:
            yield f"{_names('link', 'links', self.links)}, whose target does not exist"


def _names(one: str, many: str, paths: list[Location]) -> str:
    names = ", ".join(printable(path) for path in paths[:_SHOWN]) + (", …" if len(paths) > _SHOWN else "")
    return f"{len(paths):,} {one if len(paths) == 1 else many} ({names})"


def walk(top: Path, left_out: LeftOut) -> Iterator[Path]:
    """Yield the files below `top`, sorted; hidden names are left out, a directory is entered once.

    Run directories below `top` and broken links are left out, and added to `left_out`. Raises InputError
    where a directory cannot be read: a part of the input would be missing without a word.
    """
    seen = {os.path.realpath(top)}
    for folder, directories, files in os.walk(top, followlinks=True, onerror=_refuse):
        inside = []
        for name in sorted(directories):
            path = Path(folder, name)
            real = os.path.realpath(path)
            if name.startswith(".") or real in seen:
                continue
            seen.add(real)
            if is_run(path):
                left_out.runs.append(path)
            else:
                inside.append(name)
        directories[:] = inside
        shown = (Path(folder, name) for name in sorted(files) if not name.startswith("."))
        yield from without_broken_links(shown, left_out)


def _refuse(error: OSError) -> None:
    why = "permission denied" if isinstance(error, PermissionError) else error.strerror
    raise InputError(
        f"{printable(error.filename)}: this directory cannot be read: {why}; "
        "make it readable, or name the files to read instead of a directory above it"
    ) from error


def without_broken_links(paths: Iterable[Path], left_out: LeftOut) -> Iterator[Path]:
    """Yield `paths` but for links whose target does not exist, which are added to `left_out`."""
    for path in paths:
        if is_broken_link(path):
            left_out.links.append(path)
        else:
            yield path


def without_runs(pattern: Path, matches: Iterable[Path], left_out: LeftOut) -> Iterator[Path]:
    """Yield what a glob matched but for run directories and, where it has `**`, what is inside them."""
    first = len(fixed_part(pattern).parts)
    known: dict[Path, bool] = {}
    for match in matches:
        deepest = len(match.parts) + 1
        levels = range(first + 1, deepest) if "**" in pattern.parts else range(len(match.parts), deepest)
        for path in (Path(*match.parts[:level]) for level in levels):
            if path not in known:
                known[path] = is_run(path)
                left_out.runs += [path] if known[path] else []
            if known[path]:
                break
        else:
            yield match


def fixed_part(pattern: Path) -> Path:
    """Return the directory above the first part of a glob that is a pattern."""
    first = next((i for i, part in enumerate(pattern.parts) if re.search(r"[*?[]", part)), len(pattern.parts))
    return Path(*pattern.parts[:first])


def refuse_unreadable(folder: Path) -> None:
    """Raise InputError where `folder` is there but cannot be listed."""
    try:
        os.scandir(folder).close()
    except FileNotFoundError:
        pass
    except OSError as error:
        _refuse(error)


def is_broken_link(path: Path) -> bool:
    """Tell whether `path` is a link, and there is nothing where it leads to."""
    if not os.path.islink(path):  # noqa: PTH114 (a str or Path that cannot be looked at is no link)
        return False
    try:
        path.stat()
    except PermissionError:  # it may be there; reading says what is wrong
        return False
    except OSError:
        return True
    return False


def is_run(folder: Location) -> bool:
    """Tell whether `folder` is a run directory: one with a run.json that has the keys "curate" and "inputs"."""
    try:
        with (folder / "run.json").open("rb") as file:
            head = file.read(_HEAD_BYTES)
            if not head.startswith(b"{") or b'"curate"' not in head:  # data by that name may be large
                return False
            manifest = json.loads((head + file.read()).decode(errors="replace"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(manifest, dict) and {"curate", "inputs"} <= manifest.keys()


def printable(path: str | Location) -> str:
    r"""Return a path as text that can be written as UTF-8: bytes of it that are not UTF-8 percent-encoded.

    >>> printable("caf\udce9.txt")
    'caf%E9.txt'
    """
    return re.sub(r"[\udc80-\udcff]", lambda byte: f"%{ord(byte[0]) - 0xDC00:02X}", str(path))
