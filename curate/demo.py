"""A corpus that every machine has: the texts of the Python installation and of its packages.

Documentation, licences, READMEs, package metadata and docstrings: thousands of real documents with real
near-duplicates, such as the same licence in fifty packages. Used by `curate demo`; read, never executed.
"""

from __future__ import annotations

import inspect
import re
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from curate.shards import atomic_file

_TEXT = {".txt", ".md", ".rst"}
_NAMED = ("license", "licence", "copying", "notice", "authors", "readme", "changelog", "changes", "metadata")
_MAX_BYTES = 2_000_000
_MAX_CORPUS_BYTES = 40_000_000  # enough to see what curate does, and done in seconds
_DOCSTRING = re.compile(r'^[ \t]*[rRuU]?"""(.*?)"""', re.MULTILINE | re.DOTALL)
_MIN_DOCSTRING = 80  # characters: shorter ones say little


def folders() -> list[Path]:
    """Return the folders of installed packages and the standard library, in this order."""
    paths = sysconfig.get_paths()
    return list(dict.fromkeys(Path(paths[name]).resolve() for name in ("purelib", "platlib", "stdlib")))


def documents(roots: list[Path]) -> Iterator[dict[str, Any]]:
    """Yield records with id, text, kind (file, docstrings) and package, in a fixed order.

    A Python module gives one document of all its docstrings: the documentation of that module.
    """
    for root in roots:
        for path in sorted(root.rglob("*")):
            relative = path.relative_to(root)
            if relative.parts[0] in ("site-packages", "dist-packages") or not path.is_file():
                continue  # the packages of another environment around this one
            record = {"id": f"{root.name}/{relative.as_posix()}", "package": relative.parts[0]}
            if path.suffix == ".py":
                text = docstrings(path)
                kind = "docstrings"
            elif path.suffix.lower() in _TEXT or path.stem.lower().startswith(_NAMED):
                text = _read(path)
                kind = "file"
            else:
                continue
            if text:
                yield {**record, "kind": kind, "text": text}


def docstrings(path: Path) -> str:
    """Return the strings in triple quotes that begin a line of a module: its docstrings, separated by blank lines."""
    found = (inspect.cleandoc(text) for text in _DOCSTRING.findall(_read(path)))
    return "\n\n".join(text for text in found if len(text) >= _MIN_DOCSTRING)


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _MAX_BYTES:
            return ""
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def write_corpus(directory: Path) -> Path:
    """Write the documents as `python.jsonl` in `directory`; return its path. An existing one is kept."""
    target = directory / "python.jsonl"
    if target.is_file():
        return target
    directory.mkdir(parents=True, exist_ok=True)
    room = _MAX_CORPUS_BYTES
    with atomic_file(target) as file:
        for record in documents(folders()):
            room -= file.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
            if room < 0:
                break
    return target
