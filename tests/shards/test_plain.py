"""Text files and WET files."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from shards_content import read_content

from curate.errors import InputError
from curate.shards import ReadOptions, Reject, plan, read


def test_every_text_file_is_a_document_with_its_path(tmp_path: Path) -> None:
    for name, content in {"b.txt": b"second", "a.txt": b"\xef\xbb\xbffirst\r\n", "c/d.txt": b""}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "z.txt.gz").write_bytes(gzip.compress(b"packed"))
    content = read_content(tmp_path)
    assert content.texts == ["first\r\n", "second", "", "packed"]
    assert [row["path"] for row in content.metadata] == [
        str(tmp_path / name) for name in ("a.txt", "b.txt", "c/d.txt", "z.txt.gz")
    ]
    assert content.rows == [0, 1, 2, 3]
    assert read_content(tmp_path, id_column="path").ids[0] == str(tmp_path / "a.txt")


def test_text_files_that_cannot_be_documents_are_rejected(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xff\xfea\0")
    (tmp_path / "b.txt").write_bytes(b"caf\xe9")
    (tmp_path / "c.txt").write_bytes(b"x" * 101)
    (tmp_path / "d.txt").write_bytes(b"fine")
    content = read_content(tmp_path, max_record_bytes=100)
    assert content.texts == ["fine"]
    assert content.rows == [3]
    assert [(Path(reject.file).name, reject.record, reject.reason) for reject in content.rejects] == [
        ("a.txt", 1, "is UTF-16, not UTF-8"),
        ("b.txt", 1, "invalid UTF-8"),
        ("c.txt", 1, "larger than 100 bytes"),
    ]


def test_one_unreadable_text_file_stops_the_reading_or_is_rejected_when_asked(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("fine")
    (tmp_path / "b.txt").write_text("gone before it is read")
    (shard,) = plan([tmp_path])
    (tmp_path / "b.txt").unlink()
    with pytest.raises(InputError, match=r"b\.txt: is gone.*broken link"):
        list(read(shard, on_reject=print))
    rejects: list[Reject] = []
    (batch,) = read(shard, ReadOptions(skip_bad_files=True), on_reject=rejects.append)
    assert batch.texts.to_pylist() == ["fine"]
    assert rejects[0].reason.startswith("cannot be read")


def record(kind: str, content: bytes, url: str = "", length: int | None = None) -> bytes:
    headers = [
        "WARC/1.0",
        f"WARC-Type: {kind}",
        *([f"WARC-Target-URI: {url}"] if url else []),
        "WARC-Date: 2020-01-01T00:00:00Z",
        f"WARC-Record-ID: <urn:uuid:{url or kind}>",
        f"Content-Length: {len(content) if length is None else length}",
    ]
    return "\r\n".join(headers).encode() + b"\r\n\r\n" + content + b"\r\n\r\n"


WET = [
    record("warcinfo", b"Software-Info: x\r\n"),
    record("conversion", "Zażółć\n\nWARC/1.0\n".encode(), "https://a.example/"),
    record("conversion", b"\xff", "https://b.example/"),
    record("conversion", b"last", "https://c.example/"),
]


@pytest.mark.parametrize("name", ["a.warc.wet.gz", "a.wet", "a.wet.gz"])
def test_conversion_records_of_wet_are_documents(tmp_path: Path, name: str) -> None:
    pack = gzip.compress if name.endswith(".gz") else bytes
    (tmp_path / name).write_bytes(b"".join(pack(part) for part in WET))
    content = read_content(tmp_path / name)
    assert content.texts == ["Zażółć\n\nWARC/1.0\n", "last"]
    assert content.rows == [1, 3]
    assert content.metadata[0] == {
        "url": "https://a.example/",
        "date": "2020-01-01T00:00:00Z",
        "warc_id": "<urn:uuid:https://a.example/>",
    }
    assert content.reasons == {3: "invalid UTF-8"}
    by_url = read_content(tmp_path / name, id_column="url")
    assert by_url.ids == ["https://a.example/", "https://c.example/"]
    assert by_url.schema.names == ["date", "warc_id"]


def test_a_large_record_is_rejected_and_the_next_one_found(tmp_path: Path) -> None:
    large = record("conversion", b"x" * (3 << 20), "https://d.example/")
    (tmp_path / "a.wet").write_bytes(WET[0] + large + WET[3])
    content = read_content(tmp_path / "a.wet", max_record_bytes=1000)
    assert content.texts == ["last"]
    assert content.reasons == {2: "larger than 1,000 bytes"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"".join(WET)[:-10], "is truncated: it ends inside a record .3 records were read before"),
        (WET[0] + WET[1][:30], "is truncated"),
        (WET[0] + record("conversion", b"abc", "https://x.example/", length=2), "is not WARC"),
        (b"hello\n" * 100_000, "is not WARC"),
    ],
)
def test_broken_wet_files_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.wet").write_bytes(content)
    with pytest.raises(InputError, match=f"a.wet: {message}"):
        read_content(tmp_path / "a.wet")
