"""From what the user names to a place: a Path of this machine, or a RemotePath of an object store.

Credentials come from the environment only: an address that holds some is refused, and none is ever shown.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any, TypeAlias

from curate.errors import InputError
from curate.storage.backend import PROTOCOLS, filesystem, known_protocols
from curate.storage.retry import persist

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_ANY_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*:/{1,2})(?:[^\s/@'\"]*@)?([^\s?'\"<>]*)(\?[^\s'\"<>]*=[^\s'\"<>]*)?")
_CONTAINER_FIRST = ("abfs", "abfss")  # whose addresses are container@account/path, with nothing secret in them
_STATES = ("ETag", "etag", "blob_id", "LastModified", "last_modified", "updated", "mtime", "created")


@dataclass(frozen=True, slots=True)
class State:
    """What tells that an object is still the one that it was: its size, and its etag or time of change."""

    st_size: int
    version: str


class RemotePath:
    """An object of a store, or the prefix of many; answers to those names of `pathlib.Path` that curate uses.

    Every operation tries again where the store fails for a moment. Raises FileNotFoundError where there is no such
    object, StorageError where the store cannot be reached or refuses. There are no folders: making one does nothing.
    """

    __slots__ = ("key", "protocol")

    def __init__(self, protocol: str, key: str) -> None:
        self.protocol = protocol
        self.key = key.strip("/")

    # What it is called

    def __str__(self) -> str:
        return f"{self.protocol}://{self.key}"

    def __repr__(self) -> str:
        return f"RemotePath({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RemotePath) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __lt__(self, other: RemotePath) -> bool:
        return self.parts < other.parts

    def __reduce__(self) -> tuple[Any, ...]:
        return RemotePath, (self.protocol, self.key)

    def __truediv__(self, name: str | Path) -> RemotePath:
        return RemotePath(self.protocol, f"{self.key}/{name}")

    @property
    def parts(self) -> tuple[str, ...]:
        """The protocol, the bucket, and every part of the name between slashes."""
        return (f"{self.protocol}://", *self.key.split("/"))

    @property
    def name(self) -> str:
        """What is after the last slash."""
        return self.key.rpartition("/")[2]

    @property
    def suffix(self) -> str:
        """What the name ends with, from its last dot on."""
        return PurePosixPath(self.name).suffix

    @property
    def parent(self) -> RemotePath:
        """What is before the last slash."""
        return RemotePath(self.protocol, self.key.rpartition("/")[0])

    def with_name(self, name: str) -> RemotePath:
        """Return the place beside it of another name."""
        return self.parent / name

    def relative_to(self, other: Location) -> PurePosixPath:
        """Return the part of the name that follows another's. Raises ValueError where that is no prefix of it."""
        if not isinstance(other, RemotePath) or self.protocol != other.protocol:
            raise ValueError(f"{self} is not below {other}")
        return PurePosixPath(self.key).relative_to(other.key)

    def is_relative_to(self, other: Location) -> bool:
        """Tell whether it is below another place, or the same."""
        try:
            self.relative_to(other)
        except ValueError:
            return False
        return True

    # What is there

    def info(self) -> dict[str, Any]:
        """Return what the store says of the object, without asking for a listing. FileNotFoundError: nothing there."""
        found: dict[str, Any] = persist(str(self), lambda: filesystem(self.protocol).info(str(self)))
        return found

    def is_file(self) -> bool:
        """Tell whether there is such an object."""
        try:
            return bool(self.info()["type"] == "file")
        except FileNotFoundError:
            return False

    def is_dir(self) -> bool:
        """Tell whether there are objects below this prefix."""
        try:
            return bool(self.info()["type"] == "directory")
        except FileNotFoundError:
            return False

    def exists(self) -> bool:
        """Tell whether there is such an object, or one below this prefix."""
        try:
            self.info()
        except FileNotFoundError:
            return False
        return True

    def stat(self) -> State:
        """Return size and version of the object. Raises FileNotFoundError."""
        return state_of(self.info())

    def below(self) -> Iterator[tuple[RemotePath, dict[str, Any]]]:
        """Yield every object below this prefix that a listing shows, in the order of names, with what is said of it."""
        find = filesystem(self.protocol).find
        try:
            found: Any = persist(str(self), lambda: find(str(self), detail=True))
            if not isinstance(found, dict):  # adlfs, of an object: its name alone
                found = {name: self.of(name).info() for name in found}
        except FileNotFoundError:  # there is not even a bucket
            return
        for name, info in sorted(found.items()):
            if info["type"] == "file" and not name.endswith("/"):  # such an object stands for a folder
                yield self.of(name), info

    def of(self, name: str) -> RemotePath:
        """Return the path of an object of the same store, by the name that the store gives it."""
        return RemotePath(self.protocol, name.removeprefix(f"{self.protocol}://"))

    def matching(self) -> Iterator[tuple[RemotePath, dict[str, Any]]]:
        """Yield the objects, and prefixes of objects, that this place is a pattern of."""
        glob = filesystem(self.protocol).glob
        try:
            found: dict[str, dict[str, Any]] = persist(str(self), lambda: glob(str(self), detail=True))
        except FileNotFoundError:
            return
        for name, info in sorted(found.items()):
            yield self.of(name), info

    def glob(self, pattern: str) -> Iterator[RemotePath]:
        """Yield the objects below that a pattern of as many parts matches; of one that ends with / the prefixes."""
        parts = pattern.strip("/").split("/")
        top, depth = self, 0
        while depth < len(parts) - 1 and not re.search(r"[*?[]", parts[depth]):
            top, depth = top / parts[depth], depth + 1
        names = [path.relative_to(self) for path, _ in top.below()]
        if pattern.endswith("/"):
            names = sorted({PurePosixPath(*name.parts[: len(parts)]) for name in names if len(name.parts) > len(parts)})
        for name in names:
            if len(name.parts) == len(parts) and name.match("/".join(parts)):
                yield self / str(name)

    # Reading and writing

    def open(self, mode: str = "rb", **_: Any) -> IO[Any]:
        """Open the object for reading bytes; to write, see `curate.shards.atomic`."""
        from curate.storage.reading import ReadAhead

        if mode != "rb":
            raise io.UnsupportedOperation(f"{self}: objects are written as a whole")
        return io.BufferedReader(ReadAhead(self))

    def read_bytes(self) -> bytes:
        """Return the object."""
        from curate.storage.reading import fetch

        return fetch(self, 0, self.stat().st_size)

    def read_text(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return the object as text."""
        return self.read_bytes().decode(encoding, errors)

    def mkdir(self, **_: Any) -> None:
        """Do nothing: a store has no folders."""

    def rmdir(self) -> None:
        """Do nothing: a store has no folders."""

    def unlink(self, missing_ok: bool = False) -> None:
        """Delete the object. Raises FileNotFoundError unless it may be missing."""
        from curate.storage.reading import changed

        changed(self)
        store = filesystem(self.protocol)

        def delete() -> None:
            try:
                store.rm_file(str(self))
            except FileNotFoundError:  # also where an attempt before this one did it, and its answer was lost
                if not missing_ok:
                    raise

        persist(str(self), delete)


Location: TypeAlias = Path | RemotePath
"""A place for a file or for many."""


def state_of(info: dict[str, Any]) -> State:
    """Return the state of an object of which a store says `info`."""
    found = next((info[name] for name in _STATES if info.get(name)), "")
    version = found.isoformat() if isinstance(found, datetime) else str(found).strip('"')
    return State(int(info.get("size") or 0), version)


def locate(place: str | Location) -> Location:
    """Return the place that the user means: `s3://bucket/key` and the like are remote, all else is a local path.

    Raises InputError for an address with credentials in it, and for one of a store that curate does not know.
    """
    if isinstance(place, Path | RemotePath):
        return place
    match = _URL.fullmatch(place)
    if match is None:
        return Path(place)
    protocol, key = match[1].lower(), match[2]
    if protocol in ("file", "local"):
        return Path(key)
    shown = without_secrets(place)
    owner = key.partition("/")[0]
    if "@" in owner and not (protocol in _CONTAINER_FIRST and ":" not in owner):
        raise InputError(
            f"{shown}: an address must not hold credentials, which would end up in logs and in the run; leave them "
            f"out and give them in the environment (docs/storage.md)"
        )
    if re.search(r"\?[^/]*=", key):
        raise InputError(
            f"{shown}: an address must not hold a query (signed addresses grant access to who reads a log); name the "
            f"object itself and give credentials in the environment (docs/storage.md)"
        )
    if protocol not in PROTOCOLS and protocol not in known_protocols():
        raise InputError(f"{shown}: {protocol}:// is not known; use a local path, {', '.join(PROTOCOLS)}://")
    if not key.strip("/"):
        raise InputError(f"{shown}: names no bucket; write {protocol}://BUCKET/NAME")
    if protocol in _CONTAINER_FIRST and "@" in owner:
        key = _in_container(key, shown)
    return RemotePath(protocol, key)


def _in_container(key: str, shown: str) -> str:
    """Return CONTAINER/NAME of CONTAINER@ACCOUNT.dfs.core.windows.net/NAME, which is what adlfs calls it.

    Raises InputError for another account than that of the environment, as adlfs would read from that one.
    """
    container, _, rest = key.partition("@")
    host, _, name = rest.partition("/")
    account = host.partition(".")[0]
    connection = re.search(r"AccountName=([^;]*)", os.environ.get("AZURE_STORAGE_CONNECTION_STRING", ""))
    given = connection[1] if connection else os.environ.get("AZURE_STORAGE_ACCOUNT_NAME")
    if account != given:
        raise InputError(
            f"{shown}: the account is taken from the environment, which names {given or 'none'}; name {account} there "
            f"(docs/storage.md)"
        )
    return f"{container}/{name}"


def is_remote(place: str | Location) -> bool:
    """Tell whether a place is in an object store; False for text that is a local path."""
    if isinstance(place, str):
        match = _URL.fullmatch(place)
        return match is not None and match[1].lower() not in ("file", "local")
    return isinstance(place, RemotePath)


def absolute(place: str) -> str:
    """Return a place as it is called from anywhere."""
    return place if is_remote(place) else str(Path(place).absolute())


def without_secrets(text: str) -> str:
    """Return a message without what could be a secret: who is named before an @ in an address, and queries.

    >>> without_secrets("cannot read https://me:pass@host/file?sig=abc now")
    'cannot read https://***@host/file?*** now'
    """

    def hide(match: re.Match[str]) -> str:
        whole = match[0]
        user = "***@" if whole.startswith(f"{match[1]}") and "@" in whole[len(match[1]) :].partition("/")[0] else ""
        if user and match[1].startswith(_CONTAINER_FIRST) and ":" not in whole[len(match[1]) :].partition("@")[0]:
            return whole[: len(whole) - len(match[3] or "")] + ("?***" if match[3] else "")
        return f"{match[1]}{user}{match[2]}{'?***' if match[3] else ''}"

    return _ANY_URL.sub(hide, text)
