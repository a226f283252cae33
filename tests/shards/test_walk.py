"""What is left out of a directory, and names that are not UTF-8."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from shards_content import read_content

from curate.errors import InputError
from curate.shards import Reject, RejectWriter, plan, read
from curate.shards.walk import is_run

RUN = {"format": 1, "curate": "0.1.0", "created": 0.0, "inputs": {"shards": []}}
LINE = b'{"text": "a"}\n'


def put(path: Path, content: bytes = LINE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def files(*inputs: Path | str) -> list[str]:
    return sorted(Path(path).name for shard in plan(inputs) for path in shard.paths)


@pytest.fixture
def with_run(tmp_path: Path) -> Path:
    """A directory with an input and a run."""
    put(tmp_path / "in" / "a.jsonl")
    put(tmp_path / "in" / "run1" / "run.json", json.dumps(RUN, indent=1).encode())
    put(tmp_path / "in" / "run1" / "report.json")
    put(tmp_path / "in" / "run1" / "mix" / "web" / "part.jsonl")
    return tmp_path / "in"


@pytest.mark.parametrize("pattern", ["", "/*", "/**", "/**/*.jsonl"])
def test_a_run_among_the_inputs_is_left_out_and_said(
    with_run: Path, caplog: pytest.LogCaptureFixture, pattern: str
) -> None:
    assert files(f"{with_run}{pattern}") == ["a.jsonl"]
    (message,) = caplog.messages
    assert message.endswith(f"not read: 1 run directory ({with_run}/run1), made by curate (name one to read it)")
    assert caplog.records[0].name == "curate.shards"


def test_a_run_that_is_named_is_read(with_run: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert files(with_run / "run1" / "mix") == ["part.jsonl"]
    assert files(f"{with_run}/*/mix") == ["part.jsonl"]
    assert files(f"{with_run}/*/mix/*/*.jsonl") == ["part.jsonl"]
    assert files(with_run / "run1") == ["part.jsonl", "report.json", "run.json"]
    assert not caplog.messages


def test_a_directory_with_nothing_but_runs_is_an_error_that_says_so(with_run: Path) -> None:
    (with_run / "a.jsonl").unlink()
    with pytest.raises(InputError, match=r"no input files in this directory .it holds 1 run directory"):
        plan([with_run])
    with pytest.raises(InputError, match=r"matches no input file, only 1 run directory"):
        plan([f"{with_run}/*"])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (json.dumps(RUN).encode(), True),
        (json.dumps({"format": 1, "curate": "0.1.0", "stages": "x" * 100_000, "inputs": {}}).encode(), True),
        (json.dumps({"curate": "0.1.0", "stages": {"inputs": {}}}).encode(), False),
        (json.dumps({**RUN, "inputs": ["caf?"]}).encode().replace(b"?", b"\xe9"), True),
        (json.dumps(RUN).encode()[:-1], False),
        (b'{"text": "a", "inputs": 1}', False),
        (b'["curate", "inputs"]', False),
        (b"", False),
    ],
)
def test_a_run_is_told_by_its_manifest(tmp_path: Path, content: bytes, expected: bool) -> None:
    put(tmp_path / "run.json", content)
    assert is_run(tmp_path) == expected
    assert not is_run(tmp_path / "missing")


def test_broken_links_in_a_directory_are_left_out_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(tmp_path / "a.jsonl")
    (tmp_path / "b.jsonl").symlink_to(tmp_path / "nowhere")
    (tmp_path / "c.jsonl").symlink_to("c.jsonl")
    for given in (tmp_path, f"{tmp_path}/*.jsonl"):
        caplog.clear()
        assert files(given) == ["a.jsonl"]
        (message,) = caplog.messages
        assert f"2 links ({tmp_path}/b.jsonl, {tmp_path}/c.jsonl), whose target does not exist" in message


def test_a_broken_link_that_is_named_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"b\.jsonl: is a link to .*/nowhere, which does not exist"):
        plan([tmp_path / "b.jsonl"])
    with pytest.raises(InputError, match=r"it holds 1 link .*b\.jsonl.*whose target does not exist"):
        plan([tmp_path])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("given", ["in", "in/deep", "in/deep/*.jsonl"])
def test_a_directory_that_may_not_be_read_is_named(tmp_path: Path, given: str) -> None:
    put(tmp_path / "in" / "a.jsonl")
    deep = put(tmp_path / "in" / "deep" / "b.jsonl").parent
    deep.chmod(0)
    try:
        with pytest.raises(InputError, match=r"in/deep: this directory cannot be read: permission denied"):
            plan([tmp_path / given])
        with pytest.raises(InputError, match=r"b\.jsonl: cannot be read: permission denied"):
            plan([deep / "b.jsonl"])
    finally:
        deep.chmod(0o700)


def test_a_directory_that_fails_to_be_listed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "in" / "a.jsonl")
    put(tmp_path / "in" / "deep" / "b.jsonl")
    scandir = os.scandir

    def refuse(path: str) -> object:  # root may read everything: this is what everybody else gets
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    for given in ("in", "in/deep"):
        with pytest.raises(InputError, match=r"in/deep: this directory cannot be read: permission denied; make it"):
            plan([tmp_path / given])


@pytest.mark.parametrize("given", ["x=", "web="])
def test_a_source_without_an_input_is_an_error(given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "a.jsonl")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=rf"{given}: names no input; write it right after the =, as in {given}raw/"):
        plan([given])
    with pytest.raises(InputError, match="an input is empty"):
        plan([""])
    put(tmp_path / given / "b.jsonl")
    assert files(given) == ["b.jsonl"], "a path that exists is a path"


ODD = os.fsdecode(b"caf\xe9")  # Latin-1


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A directory with a name that is not UTF-8."""
    try:
        (tmp_path / ODD).mkdir()
    except OSError as error:
        pytest.skip(f"this file system has no such names: {error}")
    return tmp_path / ODD


def test_files_whose_names_are_not_utf_8_are_read(odd: Path) -> None:
    put(odd / f"{ODD}.jsonl")
    put(odd / f"{ODD}.jsonl.gz", gzip.compress(LINE))
    put(odd / f"{ODD}.txt", b"a")
    put(odd / f"{ODD}.wet", b"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: 1\r\n\r\na\r\n\r\n")
    table = pa.table({"text": ["a"]})
    with (odd / f"{ODD}.parquet").open("wb") as file:
        pq.write_table(table, file)
    with (odd / f"{ODD}.arrow").open("wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    assert read_content(odd).texts == ["a"] * 6
    for shard in plan([odd, odd / f"{ODD}.txt"]):
        assert f"{shard.name}{shard.source}".isascii()
        assert read_content(shard.paths[0]).texts == ["a"]
    (row,) = read_content(odd / f"{ODD}.txt").metadata
    assert row["path"] == str(odd.parent / "caf%E9" / "caf%E9.txt")


def test_large_files_whose_names_are_not_utf_8_are_cut_into_parts(odd: Path) -> None:
    with (odd / "a.parquet").open("wb") as file:
        pq.write_table(pa.table({"text": [f"document {i}" for i in range(100)]}), file, row_group_size=10)
    assert len(plan([odd], target_bytes=400)) > 2
    assert len(read_content(odd, target_bytes=400).texts) == 100


def test_errors_and_rejects_give_such_names_as_text(odd: Path, tmp_path: Path) -> None:
    put(odd / "a.jsonl", b"[]\n" + LINE)
    with RejectWriter(tmp_path / "rejects.jsonl") as rejects:
        list(read(plan([odd / "a.jsonl"])[0], on_reject=rejects))
    assert json.loads((tmp_path / "rejects.jsonl").read_text())["file"] == f"{tmp_path}/caf%E9/a.jsonl"
    put(odd / "b.jsonl.gz", b"no gzip")
    put(odd / "c.parquet", b"no Parquet")
    put(odd / "d.arrow", b"no Arrow")
    put(odd / "e.jsonl", b'{"txt": "a"}\n')
    put(odd / "f.wet", b"no WET")
    put(odd / "g.csv", b"")
    found: list[Reject] = []
    for path in sorted(odd.iterdir())[1:]:
        with pytest.raises(InputError, match=r"caf%E9/[b-g]\.") as caught:
            list(read(plan([path])[0], on_reject=found.append))
        str(caught.value).encode()
