"""Files that a run needs beside its corpus, on machines that do not have them: models, word lists, a tokenizer.

An engine whose tasks run elsewhere packs them once; what opens such a file asks `local_copy` where it is here.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from curate.caches import user_cache
from curate.shards.atomic import atomic_bytes

_here: dict[str, Path] = {}


@dataclass(frozen=True)
class Shipment:
    """Files by their absolute path, each with the time it was last modified. Picklable."""

    content: Mapping[str, bytes]
    modified: Mapping[str, int]
    given: Mapping[str, str]  # what each was called, and its absolute path

    @staticmethod
    def of(files: Iterable[str | Path]) -> Shipment:
        """Read files; what goes with a model (its card, of the same name) goes too. Names of modules are left out."""
        given = {str(file): str(Path(file).absolute()) for file in files if Path(file).is_file()}
        paths = set(map(Path, given.values()))
        paths |= {card for path in paths if (card := path.with_suffix(".json")).is_file()}
        content = {str(path): path.read_bytes() for path in sorted(paths)}
        return Shipment(content, {name: Path(name).stat().st_mtime_ns for name in content}, given)

    def unpack(self) -> None:
        """Put the files where `local_copy` finds them: once for all processes of a user on this machine.

        Two processes must not do so at the same time.
        """
        root = user_cache() / "shipped"
        for name, content in self.content.items():
            if Path(name).is_file() and Path(name).read_bytes() == content:
                _here[name] = Path(name)
                continue
            copy = root / self._digest(Path(name)) / Path(name).name
            folder = copy.parent
            if not copy.is_file():
                folder.mkdir(parents=True, exist_ok=True)
                atomic_bytes(copy, content)
                os.utime(copy, ns=(self.modified[name], self.modified[name]))
            _here[name] = copy
        _here.update({given: _here[name] for given, name in self.given.items()})

    def _digest(self, path: Path) -> str:
        """Return a hash of a file and of what goes with it: they are found beside each other."""
        digest = hashlib.sha256(str(path.parent).encode(errors="surrogateescape"))
        for name, content in self.content.items():
            if Path(name).with_suffix("") == path.with_suffix(""):
                digest.update(content)
        return digest.hexdigest()[:24]


def local_copy(path: str | Path) -> Path:
    """Return where a file is on this machine: its own path, or where a shipment put it."""
    if not _here:
        return Path(path)
    return _here.get(str(path)) or _here.get(str(Path(path).absolute()), Path(path))
