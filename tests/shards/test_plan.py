"""Which files an input means, and how they are cut into shards."""

from __future__ import annotations

import pickle
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import InputError
from curate.shards import plan, read
from curate.shards.inputs import kind, stem


def put(path: Path, content: str = '{"text": "a"}\n') -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.jsonl", ("jsonl", None)),
        ("a.json.gz", ("jsonl", "gzip")),
        ("a.ndjson.bz2", ("jsonl", "bz2")),
        ("A.JSONL.ZST", ("jsonl", "zstd")),
        ("CC-1.warc.wet.gz", ("wet", "gzip")),
        ("v1.2/a.txt", ("txt", None)),
        ("a.parquet", ("parquet", None)),
        ("a.feather", ("arrow", None)),
        ("a.parquet.gz", (None, "gzip")),
        ("a.csv", (None, None)),
        ("README", (None, None)),
    ],
)
def test_the_format_is_told_by_the_suffixes(name: str, expected: tuple[str | None, str | None]) -> None:
    assert kind(name) == expected


def test_a_stem_keeps_dots_that_are_no_suffix() -> None:
    assert stem("raw/CC-MAIN-1.2.warc.wet.gz") == "CC-MAIN-1.2"
    assert stem("v0.1.jsonl.zst") == "v0.1"


def test_a_directory_is_read_recursively_without_hidden_files_and_with_one_source(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    put(raw / "b.jsonl")
    put(raw / "deep" / "a.jsonl")
    put(raw / ".hidden.jsonl")
    put(raw / ".git" / "x.jsonl")
    (raw / "deep" / "loop").symlink_to(raw)
    shards = plan([raw])
    assert [Path(shard.paths[0]).name for shard in shards] == ["b.jsonl", "a.jsonl"]
    assert {shard.source for shard in shards} == {"raw"}


def test_files_of_unknown_kinds_in_a_directory_are_left_out_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path / "a.jsonl")
    put(tmp_path / "README.md")
    assert len(plan([tmp_path])) == 1
    assert "1 files (1 .md)" in caplog.text


def test_plans_do_not_depend_on_the_order_of_inputs(tmp_path: Path) -> None:
    for name in ("b/x.jsonl", "a/x.jsonl", "a/y.txt", "a/z.txt"):
        put(tmp_path / name)
    inputs = [tmp_path / "b", f"code={tmp_path}/a"]
    assert plan(inputs) == plan(inputs[::-1])
    assert pickle.loads(pickle.dumps(plan(inputs))) == plan(inputs)


def test_names_are_unique_and_safe_where_files_have_equal_names(tmp_path: Path) -> None:
    put(tmp_path / "a" / "part 0.jsonl")
    put(tmp_path / "b" / "part 0.jsonl")
    names = [shard.name for shard in plan([tmp_path])]
    assert len(set(names)) == 2
    assert all(name.startswith(f"{tmp_path.name}-part_0-") and "/" not in name for name in names)


def test_a_file_given_twice_is_read_once(tmp_path: Path) -> None:
    file = put(tmp_path / "a.jsonl")
    (tmp_path / "link.jsonl").symlink_to(file)
    shards = plan([file, tmp_path, f"{tmp_path}/*.jsonl", f"web={file}"])
    assert len(shards) == 1
    assert shards[0].source == "web", "a source given outright wins"


def test_a_file_given_with_two_sources_is_an_error(tmp_path: Path) -> None:
    file = put(tmp_path / "a.jsonl")
    with pytest.raises(InputError, match='is given twice, as source "code" and as "web"'):
        plan([f"web={file}", f"code={file}"])


def test_a_file_without_a_source_has_its_stem_for_one(tmp_path: Path) -> None:
    assert plan([put(tmp_path / "web 1.jsonl")])[0].source == "web_1"


def test_a_path_with_an_equals_sign_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "lang=en" / "a.jsonl")
    monkeypatch.chdir(tmp_path)
    assert plan(["lang=en"])[0].source == "lang_en"
    assert plan(["lang=en/a.jsonl"])[0].paths == ("lang=en/a.jsonl",)
    assert plan(["x=lang=en"])[0].source == "x"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("missing.jsonl", r"missing\.jsonl: no such file or directory; check the spelling"),
        ("no/dir.jsonl", "there is no directory no either"),
        ("*.parquet", r"\*\.parquet: matches no file"),
        ("table.csv", 'cannot tell the format from the suffix ".csv"; use .jsonl'),
        ("packed.parquet.gz", "compressed inside; decompress this one first"),
        ("empty", "no input files in this directory .it is empty.; use .jsonl"),
        ("other", r"it holds 2 \.csv"),
        ("*.csv", r"matches no input file, only 1 \.csv"),
        ("my web=table.csv", '"my web" cannot be a source name'),
    ],
)
def test_an_input_that_means_nothing_is_named_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, message: str
) -> None:
    for name in ("table.csv", "packed.parquet.gz", "other/a.csv", "other/b.csv"):
        put(tmp_path / name)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message):
        plan([given])


def test_a_large_jsonl_file_is_cut_into_parts_that_hold_every_line_once(tmp_path: Path) -> None:
    lines = [f'{{"text": "{"x" * (i % 37)} {i}"}}' for i in range(500)]
    file = put(tmp_path / "big.jsonl", "\n".join(lines))
    whole = [text for batch in read(plan([file])[0], on_reject=print) for text in batch.texts.to_pylist()]
    assert len(whole) == 500
    for target in (17, 100, 999, 5000):
        shards = plan([file], target_bytes=target)
        assert len({shard.name for shard in shards}) == len(shards) > 1
        assert sum(shard.bytes for shard in shards) == file.stat().st_size
        parts = [b.texts.to_pylist() for shard in shards for b in read(shard, on_reject=print)]
        assert [text for part in parts for text in part] == whole


def test_a_large_parquet_file_is_cut_at_row_groups_and_rows_are_those_of_the_file(tmp_path: Path) -> None:
    table = pa.table({"text": [f"document {i}" for i in range(100)]})
    pq.write_table(table, tmp_path / "big.parquet", row_group_size=10)
    shards = plan([tmp_path / "big.parquet"], target_bytes=400)
    assert len(shards) > 2
    rows = [row for shard in shards for batch in read(shard, on_reject=print) for row in batch.rows.tolist()]
    assert rows == list(range(100))


def test_text_files_are_grouped_by_source(tmp_path: Path) -> None:
    for name in ("a/1.txt", "a/2.txt", "a/3.txt", "b/1.txt"):
        put(tmp_path / name, "some text")
    shards = plan([tmp_path / "a", tmp_path / "b"], target_bytes=20)
    assert [(shard.source, len(shard.paths)) for shard in shards] == [("a", 2), ("a", 1), ("b", 1)]
