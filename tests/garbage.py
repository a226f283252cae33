"""Inputs that something is wrong with, by kind, each made from nothing; used by the tests and by `stress.py`.

Every kind writes files into a folder and says which documents in them are good: these may not be lost.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.corpora import prose

GOOD = {"g0": prose(9000), "g1": prose(9001)}
"""Texts that every kind mixes with its garbage, by id."""


@dataclass(frozen=True)
class Kind:
    """A kind of garbage: `write(folder, size)` makes its files, and may return the inputs to name, else the folder.

    `good`: ids that have to be in the signals of a run over it. `refused`: part of the message where the file as a
    whole is an error; None where the run has to succeed. `rejects`: the least number of records rejected.
    """

    name: str
    write: Callable[[Path, int], object]
    good: tuple[str, ...] = ("g0", "g1")
    refused: str | None = None
    rejects: int = 0
    large: bool = False  # `size` is its size in bytes


KINDS: list[Kind] = []


def kind(name: str, **facts: object) -> Callable[[Callable[[Path, int], object]], Callable[[Path, int], object]]:
    """Register a kind."""

    def register(write: Callable[[Path, int], object]) -> Callable[[Path, int], object]:
        KINDS.append(Kind(name, write, **facts))  # type: ignore[arg-type]
        return write

    return register


def line(id: str, **more: object) -> bytes:
    return json.dumps({"id": id, "text": GOOD[id], **more}).encode()


def between(*garbage: bytes, separator: bytes = b"\n") -> bytes:
    """A good line, the garbage, another good line."""
    return separator.join([line("g0"), *garbage, line("g1")]) + separator


def jsonl(name: str, *garbage: bytes, rejects: int = 0) -> None:
    """Register lines of garbage between two good lines."""
    kind(name, rejects=rejects)(lambda folder, size: (folder / "a.jsonl").write_bytes(between(*garbage)))


_random = random.Random(7)
jsonl("random bytes", *(_random.randbytes(300).replace(b"\n", b" ") for _ in range(20)), rejects=20)
jsonl("broken UTF-8", b'{"id": "b", "text": "caf\xe9 \xff\xfe"}', b'{"id": "b", "text": "\xed\xa0\x80"}', rejects=2)
jsonl("lone surrogates in JSON escapes", rb'{"id": "s", "text": "half \ud83d of a pair"}', rejects=1)
jsonl("lone surrogates in metadata", rb'{"id": "s", "text": "A whole text.", "tag": "\udc00"}')
jsonl("NUL in a text", rb'{"id": "n", "text": "zero \u0000 byte"}')
jsonl("NUL bytes between records", b"\0\0\0\0", rejects=1)
jsonl("an unterminated string", b'{"id": "u", "text": "no end', rejects=1)
jsonl("deeply nested JSON", b'{"text": "deep", "m": ' + b"[" * 5000 + b"]" * 5000 + b"}")
jsonl("deeply nested JSON that does not end", b'{"text": "deep", "m": ' + b'{"a":' * 100_000, rejects=1)
jsonl("nested text", b'{"text": {"a": ["b"]}}', rejects=1)
jsonl("duplicate keys", b'{"id": "k", "text": "first", "text": "second"}')
jsonl("huge integers", b'{"id": 1' + b"0" * 400 + b', "text": "large id", "n": 1' + b"0" * 400 + b"}")
jsonl("integers of thousands of digits", b'{"text": "many digits", "n": 1' + b"7" * 6000 + b"}")
jsonl("numbers that are none", b'{"text": "not a number", "n": NaN, "m": -Infinity}')
jsonl(
    "a number, a list, null, a boolean as text",
    *(b'{"text": %s}' % v for v in (b"5", b"[1]", b"null", b"true")),
    rejects=4,
)
jsonl("records that are no objects", b"5", b'"a string"', b"null", b"[1, 2]", rejects=4)
jsonl("records without a text", b"{}", b'{"id": "x"}', rejects=2)
jsonl("an empty text", b'{"id": "e", "text": ""}', b'{"id": "e2", "text": "   "}')
jsonl("a key of a megabyte", b'{"text": "long key", "' + b"k" * (1 << 20) + b'": 1}')
jsonl(
    "a column named like one of curate's", b'{"text": "t", "source": 5, "doc": "x", "kept": [1], "word_count": "many"}'
)
jsonl("other line ends inside texts", '{"text": "a\u2028b\u2029c\u0085d"}'.encode())
jsonl("many different keys", *(b'{"text": "t", "k%d": %d}' % (i, i) for i in range(1500)))
jsonl("a terminal's escape sequences", rb'{"id": "\u001b[31m", "text": "red \u001b]0;title\u0007"}')


@kind("lines of a hundred megabytes", rejects=1, large=True)
def _(folder: Path, size: int) -> None:
    with (folder / "a.jsonl").open("wb") as file:
        file.write(line("g0") + b'\n{"id": "long", "text": "')
        for _ in range(size // (1 << 20) + 1):
            file.write(b"x" * (1 << 20))
        file.write(b'"}\n' + line("g1") + b"\n")


@kind("a million empty lines", large=True)
def _(folder: Path, size: int) -> None:
    (folder / "a.jsonl").write_bytes(between(b"\n" * size))


@kind("a byte order mark")
def _(folder: Path, size: int) -> None:
    (folder / "a.jsonl").write_bytes(b"\xef\xbb\xbf" + between())


@kind("CRLF")
def _(folder: Path, size: int) -> None:
    (folder / "a.jsonl").write_bytes(between(b"", separator=b"\r\n"))


@kind("UTF-16", good=(), refused="UTF-16")
def _(folder: Path, size: int) -> None:
    (folder / "a.jsonl").write_bytes(between().decode().encode("utf-16"))


@kind("one JSON array", good=(), refused="not JSON Lines")
def _(folder: Path, size: int) -> None:
    (folder / "a.json").write_bytes(b"[\n" + line("g0") + b"]")


@kind("random bytes as a Parquet file", good=(), refused="cannot be read")
def _(folder: Path, size: int) -> None:
    (folder / "a.parquet").write_bytes(random.Random(3).randbytes(5000))


@kind("gzip that is plain by its name", good=(), refused="holds gzip")
def _(folder: Path, size: int) -> None:
    (folder / "a.jsonl").write_bytes(gzip.compress(between()))


@kind("plain text that is gzip by its name", good=(), refused="does not start as gzip")
def _(folder: Path, size: int) -> None:
    (folder / "a.jsonl.gz").write_bytes(between())


@kind("Parquet that is JSONL by its name", good=(), refused="holds Parquet")
def _(folder: Path, size: int) -> None:
    pq.write_table(pa.table({"text": ["a"]}), folder / "a.jsonl")


@kind("zstd with a dictionary that nobody has", good=(), refused="cannot be read|corrupt")
def _(folder: Path, size: int) -> None:
    # A frame header that asks for dictionary 0x12345678, then a raw last block: RFC 8878, section 3.1.1.
    content = between()
    header = b"\x28\xb5\x2f\xfd" + bytes([0b10_1_0_0_0_11]) + (0x12345678).to_bytes(4, "little")
    header += len(content).to_bytes(4, "little")
    size_of_block = (len(content) << 3 | 1).to_bytes(3, "little")
    (folder / "a.jsonl.zst").write_bytes(header + size_of_block + content[::-1])


@kind("files of many frames")
def _(folder: Path, size: int) -> None:
    for codec, suffix in (("gzip", "gz"), ("zstd", "zst"), ("bz2", "bz2")):
        frames = b"".join(pa.compress(part, codec, asbytes=True) if codec == "zstd" else
                          (gzip.compress(part) if codec == "gzip" else bz2.compress(part))
                          for part in (line("g0")[:40], line("g0")[40:] + b"\n", line("g1") + b"\n"))  # fmt: skip
        (folder / f"a.jsonl.{suffix}").write_bytes(frames)


@kind("a truncated gzip file", good=(), refused="truncated")
def _(folder: Path, size: int) -> None:
    whole = gzip.compress(b"\n".join(json.dumps({"text": prose(i)}).encode() for i in range(50)))
    (folder / "a.jsonl.gz").write_bytes(whole[: len(whole) // 2])


@kind("a truncated zstd file", good=(), refused="truncated")
def _(folder: Path, size: int) -> None:
    whole = _zstd(b"\n".join(json.dumps({"text": prose(i)}).encode() for i in range(50)))
    (folder / "a.jsonl.zst").write_bytes(whole[: len(whole) // 2])


@kind("a gzip bomb", good=(), refused="times larger", large=True)
def _(folder: Path, size: int) -> None:
    with gzip.open(folder / "a.jsonl.gz", "wb") as file:
        for _ in range(max(size, 80 << 20) >> 20):
            file.write(b"\n" * (1 << 20))


@kind("a zstd bomb", good=(), refused="times larger", large=True)
def _(folder: Path, size: int) -> None:
    with pa.CompressedOutputStream(str(folder / "a.jsonl.zst"), "zstd") as file:
        file.write(line("g0") + b'\n{"text": "')
        for _ in range(max(size, 80 << 20) >> 20):
            file.write(b"\0" * (1 << 20))


@kind("a Parquet bomb: one text, many times", good=(), large=True)
def _(folder: Path, size: int) -> None:
    values = pa.DictionaryArray.from_arrays(pa.array([0] * (size >> 12), pa.int32()), pa.array(["x" * (1 << 17)]))
    pq.write_table(pa.table({"text": values}), folder / "a.parquet")


def parquet(name: str, *, good: tuple[str, ...] = ("g0", "g1"), refused: str | None = None, rejects: int = 0,
            make: Callable[[], pa.Table]) -> None:  # fmt: skip
    """Register a Parquet file."""
    kind(name, good=good, refused=refused, rejects=rejects)(
        lambda folder, size: pq.write_table(make(), folder / "a.parquet")
    )


_IDS, _TEXTS = list(GOOD), list(GOOD.values())
parquet("Parquet: large strings", make=lambda: pa.table({"id": _IDS, "text": pa.array(_TEXTS, pa.large_string())}))
parquet("Parquet: dictionaries", make=lambda: pa.table({"id": _IDS, "text": pa.array(_TEXTS).dictionary_encode()}))
_BYTES = pa.array([*map(str.encode, _TEXTS), b"\xff"], pa.binary())
parquet("Parquet: bytes", rejects=1, make=lambda: pa.table({"id": [*_IDS, "b"], "text": _BYTES}))
parquet("Parquet: nested metadata", make=lambda: pa.table(
    {"id": _IDS, "text": _TEXTS, "m": pa.array([{"a": [{"b": 1}]}, None]), "l": [[1], []]}))  # fmt: skip
parquet("Parquet: nested text", good=(), refused="not text", make=lambda: pa.table({"text": [["a"]]}))
parquet("Parquet: numbers as text", good=(), refused="not text", make=lambda: pa.table({"text": [1.5]}))
parquet("Parquet: nulls as text", good=(), rejects=2, make=lambda: pa.table({"text": pa.nulls(2)}))
parquet("Parquet: zero rows", good=(), make=lambda: pa.table({"text": pa.array([], pa.string())}))
parquet("Parquet: zero columns", good=(), refused="no column", make=lambda: pa.table({}))
parquet("Parquet: durations, decimals, times", make=lambda: pa.table(
    {"id": _IDS, "text": _TEXTS, "d": pa.array([1, None], pa.duration("s")),
     "t": pa.array([0, 1], pa.time64("ns"))}))  # fmt: skip


@kind("Parquet: two columns named text", good=(), refused="two columns")
def _(folder: Path, size: int) -> None:
    pq.write_table(pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], ["text", "text"]), folder / "a.parquet")


@kind("a truncated Parquet file", good=(), refused="cannot be read")
def _(folder: Path, size: int) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": [prose(i) for i in range(50)]}), sink)
    (folder / "a.parquet").write_bytes(sink.getvalue()[:-40])


@kind("empty files")
def _(folder: Path, size: int) -> None:
    (folder / "a.jsonl").write_bytes(between())
    for name in ("b.jsonl", "c.txt", "d.json"):
        (folder / name).write_bytes(b"")


@kind("symlink loops and broken links")
def _(folder: Path, size: int) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "a.jsonl").write_bytes(between())
    (folder / "sub" / "up").symlink_to(folder, target_is_directory=True)
    (folder / "self").symlink_to(folder / "self")
    (folder / "gone.jsonl").symlink_to(folder / "nowhere.jsonl")


@kind("odd file names")
def _(folder: Path, size: int) -> None:
    for number, name in enumerate(["with space.jsonl", "new\nline.jsonl", "ünïcode 猫.jsonl",
                                   "-rf.jsonl", "a'\"$(b)`.jsonl",
                                   "%2e%2e%2f.jsonl", "..jsonl.jsonl", "x" * 200 + ".jsonl"]):  # fmt: skip
        (folder / name).write_bytes(line("g0", n=number) + b"\n" + line("g1") + b"\n")
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.jsonl")).write_bytes(between())


@kind("a domain that is a path")
def _(folder: Path, size: int) -> None:
    paths = ("../../x", "/etc", "..", ".", "a/../../b", "nul\0l", "~", "C:\\x", "\u202e", "-", "x" * 5000, "a\nb")
    garbage = (json.dumps({"text": prose(i), "topic": topic}).encode() for i, topic in enumerate(paths))
    (folder / "a.jsonl").write_bytes(between(*garbage))


@kind("a source that is a path", good=(), refused="cannot be a source name|no such file")
def _(folder: Path, size: int) -> list[str]:
    (folder / "a.jsonl").write_bytes(between())
    return [f"..={folder}", f"../../x={folder}/a.jsonl"]


@kind("a folder named like a path upwards")
def _(folder: Path, size: int) -> list[str]:
    (folder / "..x").mkdir()
    (folder / "..x" / "a.jsonl").write_bytes(between())
    return [f"{folder}/..x"]


def _zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as file:
        file.write(content)
    return bytes(sink.getvalue())
