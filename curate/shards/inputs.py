"""From what the user names (files, directories, globs, `source=INPUT`) to the files it means.

Looks at names only: what is below a directory `walk` says, and how files are cut into shards `plan`.
"""

from __future__ import annotations

import glob
import logging
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate.errors import InputError
from curate.shards.walk import (
    LeftOut,
    fixed_part,
    is_broken_link,
    is_run,
    printable,
    refuse_unreadable,
    walk,
    without_broken_links,
    without_runs,
)
from curate.storage import Location, RemotePath, is_remote, locate

log = logging.getLogger("curate.shards")

FORMATS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".ipc": "arrow",
    ".feather": "arrow",
    ".txt": "txt",
    ".wet": "wet",
}
"""Format by file name suffix, what is left after a compression suffix is taken off."""

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd", ".bz2": "bz2"}
"""Codec by file name suffix, as pyarrow names it."""

_SOURCE = re.compile(r"[A-Za-z0-9._-]+")
_KNOWN = "use .jsonl, .ndjson, .json, .txt, .wet (also with .gz, .zst, .bz2), .parquet, .arrow or .feather"


@dataclass(frozen=True, slots=True)
class Found:
    """One input file: its path as given, the source it counts for, and its format."""

    path: str
    source: str
    format: str
    size: int | None = None  # where the listing of a store said so


def kind(path: str | Path) -> tuple[str | None, str | None]:
    """Return (format, codec) by the suffixes of `path`; None where unknown or not compressed.

    >>> kind("raw/CC-MAIN.warc.wet.gz")
    ('wet', 'gzip')
    """
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    codec = COMPRESSIONS.get(suffixes.pop()) if suffixes and suffixes[-1] in COMPRESSIONS else None
    format = FORMATS.get(suffixes[-1]) if suffixes else None
    if codec and format in ("parquet", "arrow"):  # these compress inside
        return None, codec
    return format, codec


def stem(path: str) -> str:
    """Return the file name without the suffixes that say how it is stored.

    >>> stem("raw/CC-MAIN-1.2.warc.wet.gz")
    'CC-MAIN-1.2'
    """
    name = Path(path)
    for known in (COMPRESSIONS, FORMATS, (".warc",)):
        if name.suffix.lower() in known:
            name = name.with_suffix("")
    return name.name


def find(inputs: Sequence[str | Location]) -> list[Found]:
    """Return the files that `inputs` mean, each once, in an order that does not depend on that of `inputs`.

    Raises InputError when an input matches nothing, has an unknown suffix, or gives one file two sources.
    """
    if isinstance(inputs, str | Path | RemotePath):
        inputs = [inputs]
    if not inputs:
        raise InputError("no input given: name a file, a directory or a glob such as 'raw/*.jsonl.zst'")
    chosen: dict[str, tuple[Found, bool]] = {}
    for given in inputs:
        source, where = _split_source(str(given))
        place = locate(where)
        for found in _expand(place, where, source) if isinstance(place, Path) else _expand_remote(place, source):
            real = found.path if is_remote(found.path) else os.path.realpath(found.path)
            chosen[real] = _merge(chosen.get(real), (found, source is not None))
    return sorted((found for found, _ in chosen.values()), key=lambda found: (found.source, found.path))


def _merge(old: tuple[Found, bool] | None, new: tuple[Found, bool]) -> tuple[Found, bool]:
    """Choose between two ways of naming one file: a source given outright wins, then the smaller path."""
    if old is None:
        return new
    if old[1] and new[1] and old[0].source != new[0].source:
        first, second = sorted((old[0].source, new[0].source))
        raise InputError(
            f'{printable(new[0].path)} is given twice, as source "{first}" and as "{second}"; give it once'
        )
    if old[1] != new[1]:
        return old if old[1] else new
    return min(old, new, key=lambda pair: (pair[0].path, pair[0].source))


def _split_source(given: str) -> tuple[str | None, str]:
    """Split `source=INPUT`; a path that exists as it is, or has a slash before the `=`, is a path."""
    if not given:
        raise InputError("an input is empty (an unset variable?); name a file, a directory or a glob")
    source, equals, where = given.partition("=")
    if not equals or "/" in source or os.path.lexists(given):
        return None, given
    if not _SOURCE.fullmatch(source):
        raise InputError(
            f'{printable(given)}: "{printable(source)}" cannot be a source name; '
            f'use letters, digits, ".", "_" and "-" only, as in web={printable(where) or "raw/"}'
        )
    if not where:
        raise InputError(f"{given}: names no input; write it right after the =, as in {given}raw/ (no space)")
    return source, where


def _expand(place: Path, where: str, source: str | None) -> Iterator[Found]:
    path = place.expanduser()
    if os.path.isdir(path):  # noqa: PTH112 (pathlib's raises where it may not look)
        yield from _directory(path, source)
    elif is_broken_link(path):
        raise InputError(
            f"{printable(path)}: is a link to {printable(os.readlink(path))}, which does not exist; "  # noqa: PTH115
            "restore its target or leave it out"
        )
    elif os.path.lexists(path):
        format, codec = kind(path)
        if format is None:
            raise InputError(f"{printable(path)}: {_unknown_suffix(path, codec)}")
        yield Found(str(path), source or _as_source(stem(str(path))), format)
    elif glob.has_magic(where):
        yield from _glob(path, source)
    else:
        raise _missing(path)


def _expand_remote(place: RemotePath, source: str | None) -> Iterator[Found]:
    """Yield the objects that a name, a prefix or a pattern means; what is left out is the same as of directories."""
    if glob.has_magic(str(place)) and not place.is_file():
        matches = list(place.matching())
        found = [(path, info) for path, info in matches if info["type"] == "file"]
        folders = [] if "**" in str(place) else [path for path, info in matches if info["type"] != "file"]
        if not found and not folders:
            raise InputError(f"{place}: matches no object; check the spelling (and quote it for the shell)")
        known = list(_known_objects(place, found))
        if not known and not folders:
            raise InputError(f"{place}: matches no input file; {_KNOWN}")
        yield from (_found(path, info, source or _as_source(stem(str(path)))) for path, info in known)
        for folder in folders:
            yield from _prefix(folder, source)
    elif place.is_file():
        format, codec = kind(str(place))
        if format is None:
            raise InputError(f"{place}: {_unknown_suffix(Path(place.name), codec)}")
        yield _found(place, place.info(), source or _as_source(stem(str(place))))
    else:
        yield from _prefix(place, source)


def _prefix(place: RemotePath, source: str | None) -> Iterator[Found]:
    """Yield the objects below a prefix, but for hidden ones and what is in runs of curate."""
    listed = list(place.below())
    if not listed:
        raise InputError(f"{place}: no such object, and none below it; check the spelling")
    left_out = LeftOut(runs=[path.parent for path, _ in listed if path.name == "run.json" and is_run(path.parent)])
    left_out.runs = [run for run in left_out.runs if run != place]
    shown = [
        (path, info)
        for path, info in listed
        if not any(path.is_relative_to(run) for run in left_out.runs)
        and not any(part.startswith(".") for part in path.relative_to(place).parts)
    ]
    known = list(_known_objects(place, shown, left_out))
    if not known:
        held = "; ".join(filter(None, [_suffixes([path for path, _ in shown]), *left_out.words()]))
        raise InputError(f"{place}: no input files below it (it holds {held}); {_KNOWN}")
    yield from (_found(path, info, source or _as_source(place.name)) for path, info in known)


def _known_objects(
    place: RemotePath, objects: Sequence[tuple[RemotePath, dict[str, Any]]], left_out: LeftOut | None = None
) -> Iterator[tuple[RemotePath, dict[str, Any]]]:
    _say_skipped(place, [path for path, _ in objects], left_out or LeftOut())
    return ((path, info) for path, info in objects if kind(str(path))[0])


def _found(path: RemotePath, info: dict[str, Any], source: str) -> Found:
    return Found(str(path), source, kind(str(path))[0] or "", info.get("size"))


def _missing(path: Path) -> InputError:
    try:
        path.stat()
    except PermissionError:
        return InputError(f"{printable(path)}: cannot be read: permission denied for a directory on the way to it")
    except OSError:
        pass
    parent = path.parent
    hint = "check the spelling" if parent.is_dir() else f"there is no directory {printable(parent)} either"
    return InputError(f"{printable(path)}: no such file or directory; {hint}")


def _directory(path: Path, source: str | None) -> Iterator[Found]:
    left_out = LeftOut()
    files = list(walk(path, left_out))
    known = [file for file in files if kind(file)[0]]
    if not known:
        held = "; ".join(filter(None, [_suffixes(files), *left_out.words()]))
        held = f"it holds {held}" if held else "it is empty"
        raise InputError(f"{printable(path)}: no input files in this directory ({held}); {_KNOWN}")
    _say_skipped(path, files, left_out)
    name = source or _as_source(path.resolve().name)
    yield from (Found(str(file), name, kind(file)[0] or "") for file in known)


def _glob(pattern: Path, source: str | None) -> Iterator[Found]:
    matches = [Path(match) for match in sorted(glob.glob(str(pattern), recursive=True))]  # noqa: PTH207 (absolute)
    if not matches:
        refuse_unreadable(fixed_part(pattern))
        raise InputError(f"{printable(pattern)}: matches no file; check the spelling (and quote it for the shell)")
    left_out = LeftOut()
    matches = list(without_runs(pattern, matches, left_out))
    folders = [match for match in matches if match.is_dir()]
    files = list(without_broken_links((match for match in matches if not match.is_dir()), left_out))
    known = [file for file in files if kind(file)[0]]
    # `a/**` matches the directories and all that is in them: these are not walked a second time.
    folders = [] if "**" in pattern.parts else folders
    if not known and not folders:
        held = "; ".join(filter(None, [_suffixes(files), *left_out.words()])) or "directories"
        raise InputError(f"{printable(pattern)}: matches no input file, only {held}; {_KNOWN}")
    _say_skipped(pattern, files, left_out)
    yield from (Found(str(file), source or _as_source(stem(str(file))), kind(file)[0] or "") for file in known)
    for folder in folders:
        yield from _directory(folder, source)


def _say_skipped(where: Location, files: Sequence[Location], left_out: LeftOut) -> None:
    skipped = [file for file in files if not kind(str(file))[0]]
    if skipped:
        log.warning("%s: not read, for their suffix: %d files (%s)", printable(where), len(skipped), _suffixes(skipped))
    for words in left_out.words():
        log.warning("%s: not read: %s", printable(where), words)


def _suffixes(files: Sequence[Location]) -> str:
    counts = Counter(printable(file.suffix) or "without suffix" for file in files)
    return ", ".join(f"{count} {suffix}" for suffix, count in counts.most_common(5))


def _unknown_suffix(path: Path, codec: str | None) -> str:
    if codec and kind(path.with_suffix(""))[0] in ("parquet", "arrow"):
        return "Parquet and Arrow files are compressed inside; decompress this one first"
    return f'cannot tell the format from the suffix "{printable(path.suffix)}"; {_KNOWN}'


def _as_source(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name) or "input"
