"""Compressed, truncated, corrupt and unreadable files."""

from __future__ import annotations

import bz2
import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from shards_content import read_content

from curate.errors import InputError
from curate.shards import plan, read

LINES = [f'{{"text": "{os.urandom(40).hex()}"}}\n'.encode() for _ in range(2000)]
PLAIN = b"".join(LINES)


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


CODECS = {"gz": gzip.compress, "zst": zstd, "bz2": bz2.compress}
codecs = pytest.mark.parametrize("suffix", CODECS)


@codecs
@pytest.mark.parametrize("members", [1, 2, 50])
def test_files_of_one_or_many_compressed_members_are_read_whole(tmp_path: Path, suffix: str, members: int) -> None:
    step = -(-len(PLAIN) // members)
    path = tmp_path / f"a.jsonl.{suffix}"
    path.write_bytes(b"".join(CODECS[suffix](PLAIN[i : i + step]) for i in range(0, len(PLAIN), step)))
    content = read_content(path, batch_bytes=10_000)
    assert len(content.texts) == 2000
    assert content.rows == list(range(2000))


@codecs
@pytest.mark.parametrize("missing", [1, 5, 9, 20_000])
def test_a_truncated_file_is_named_with_the_records_before(tmp_path: Path, suffix: str, missing: int) -> None:
    path = tmp_path / f"cut.jsonl.{suffix}"
    path.write_bytes(CODECS[suffix](PLAIN)[:-missing])
    with pytest.raises(InputError, match=rf"cut\.jsonl\.{suffix}: is truncated.*--skip-bad-files"):
        read_content(path)
    got = 0
    with pytest.raises(InputError) as caught:
        for batch in read(plan([path])[0], on_reject=print):
            got += len(batch)
    assert not got or f"({got:,} records were read before)" in str(caught.value)


@codecs
def test_a_file_cut_between_members_ends_inside_a_line_which_is_rejected(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.jsonl.{suffix}"
    path.write_bytes(CODECS[suffix](PLAIN[:150]))
    content = read_content(path)
    assert len(content.texts) == 1
    assert content.reasons == {2: "invalid JSON: unterminated string"}


@codecs
def test_a_corrupt_file_is_named(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"bad.jsonl.{suffix}"
    data = CODECS[suffix](PLAIN)
    path.write_bytes(data + b"this is not compressed")
    with pytest.raises(InputError, match=rf"bad\.jsonl\.{suffix}: is corrupt .*copy or download it again"):
        read_content(path)


@codecs
def test_an_empty_compressed_file_is_an_error_and_an_empty_plain_one_is_not(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"a.jsonl.{suffix}").touch()
    with pytest.raises(InputError, match=r"is empty, which no .* file is"):
        read_content(tmp_path / f"a.jsonl.{suffix}")
    (tmp_path / "b.jsonl").touch()
    assert read_content(tmp_path / "b.jsonl").texts == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", gzip.compress(PLAIN), "is plain text by its name but holds gzip; rename"),
        ("a.jsonl", bz2.compress(PLAIN), "is plain text by its name but holds bz2"),
        ("a.txt", zstd(PLAIN), "is plain text by its name but holds zstd"),
        ("a.jsonl.gz", PLAIN, "is gzip by its name but does not start as gzip does"),
        ("a.jsonl.zst", gzip.compress(PLAIN), "is zstd by its name but holds gzip"),
    ],
    ids=["gzip", "bz2", "zstd", "plain", "another"],
)
def test_a_file_that_is_not_what_its_name_says_is_named(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_content(tmp_path / name)


def test_a_file_that_vanished_is_named(jsonl: Callable[..., Path]) -> None:
    path = jsonl('{"text": "a"}')
    (shard,) = plan([path])
    path.unlink()
    with pytest.raises(InputError, match=r"web\.jsonl: is gone"):
        list(read(shard, on_reject=print))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_named(jsonl: Callable[..., Path]) -> None:
    path = jsonl('{"text": "a"}')
    path.chmod(0)
    with pytest.raises(InputError, match=r"web\.jsonl: cannot be read: permission denied"):
        read_content(path)
