"""JSON Lines: what becomes a document, what is rejected and why, and what types metadata has."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shards_content import read_content

from curate.errors import InputError
from curate.shards import unify

Write = Callable[..., Path]


def test_texts_ids_and_metadata_of_a_plain_file(jsonl: Write) -> None:
    content = read_content(jsonl('{"id": "a", "text": "Zażółć 😀", "n": 1}', '{"text": "", "n": 2}'))
    assert content.texts == ["Zażółć 😀", ""], "an empty text is a document"
    assert content.ids == ["a", None]
    assert content.metadata == [{"n": 1}, {"n": 2}]
    assert content.rows == [0, 1]
    assert not content.rejects


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("broken", "invalid JSON: expecting value"),
        ('{"text": "cut', "invalid JSON: unterminated string"),
        ('{"text": "a"} {"text": "b"}', "invalid JSON: extra data"),
        ('{"text": "a",}', "invalid JSON: expecting property name enclosed in double quotes"),
        ('{"text": "tab\there"}', "invalid JSON: invalid control character"),
        (b'{"text": "a\xff"}', "invalid UTF-8"),
        (b'{"text": "a", "title": "\xed\xa0\x80"}', "invalid UTF-8"),
        ('{"title": "a"}', "text is missing"),
        ('{"text": null}', "text is null"),
        ('{"text": 5}', "text is not a string: number"),
        ('{"text": true}', "text is not a string: boolean"),
        ('{"text": ["a"]}', "text is not a string: array"),
        ('{"text": {"a": 1}}', "text is not a string: object"),
        ('["a"]', "not an object: array"),
        ("7", "not an object: number"),
        ('"text"', "not an object: string"),
        ("null", "not an object: null"),
        (r'{"text": "half \ud800"}', "text holds half of a surrogate pair"),
    ],
)
def test_a_bad_record_is_rejected_with_its_line_and_reason_and_the_rest_is_kept(
    jsonl: Write, line: str | bytes, reason: str
) -> None:
    path = jsonl('{"text": "before"}', "", line, '{"text": "after"}')
    for metadata in (False, True, pa.schema([("n", pa.int64())])):
        content = read_content(path, metadata=metadata)
        assert content.texts == ["before", "after"]
        assert content.rows == [0, 3]
        (reject,) = content.rejects
        assert (reject.file, reject.record, reject.reason) == (str(path), 3, reason)
        assert reject.raw == (line.encode() if isinstance(line, str) else line)


def test_blank_lines_crlf_bom_and_a_missing_last_line_break_are_no_matter(tmp_path: Path) -> None:
    path = tmp_path / "windows.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"text": "a"}\r\n\r\n  {"text": "b"} \r\n\n{"text": "c"}')
    content = read_content(path)
    assert content.texts == ["a", "b", "c"]
    assert content.rows == [0, 2, 4]
    assert not content.rejects


def test_a_text_may_hold_nul_and_escapes(jsonl: Write) -> None:
    assert read_content(jsonl(r'{"t\u0065xt": "a\u0000b\ud83d\ude00\n"}')).texts == ["a\0b😀\n"]


def test_an_object_over_two_lines_is_not_a_record(jsonl: Write) -> None:
    content = read_content(jsonl('{"text": "a"}{"text": "b"}', '{"text":', '"c"}', '{"text": "d"}'))
    assert content.texts == ["d"]
    assert list(content.reasons) == [1, 2, 3]


def test_a_file_without_the_text_column_is_an_error_that_names_the_closest(jsonl: Write) -> None:
    path = jsonl('{"texts": "a", "url": "u"}', '{"texts": "b"}')
    with pytest.raises(InputError, match=r'no column "text".*found: texts, url; did you mean "texts"'):
        read_content(path)
    with pytest.raises(InputError, match='did you mean "content"'):
        read_content(jsonl('{"content": "a", "url": "u"}'))


def test_other_columns_can_be_text_and_id(jsonl: Write) -> None:
    content = read_content(jsonl('{"content": "a", "key": 7, "text": "b"}'), text_column="content", id_column="key")
    assert (content.texts, content.ids, content.metadata) == (["a"], ["7"], [{"text": "b"}])


def test_ids_that_are_not_strings_become_strings(jsonl: Write) -> None:
    numbers = jsonl(*(f'{{"text": "a", "id": {i}}}' for i in (1, 9007199254740993, -5)))
    assert read_content(numbers).ids == ["1", "9007199254740993", "-5"]
    mixed = jsonl(*(f'{{"text": "a", "id": {i}}}' for i in ('"x"', "18446744073709551616", "1.5", "[1]", "null")))
    assert read_content(mixed).ids == ["x", "18446744073709551616", "1.5", "[1]", None]


def test_strings_that_look_like_dates_stay_strings(jsonl: Write) -> None:
    line = '{"text": "a", "d": "2020-01-01", "o": {"d": "2020-01-01 10:00:00", "n": 1}, "l": ["2020-01-01"]}'
    content = read_content(jsonl(line, line))
    assert content.metadata[1] == {k: v for k, v in json.loads(line).items() if k != "text"}
    assert content.schema.field("d").type == pa.string()
    assert content.schema.field("o").type == pa.struct([("d", pa.string()), ("n", pa.int64())])


def test_conflicting_types_become_strings_and_nothing_is_lost(jsonl: Write) -> None:
    values = ["1", '"s"', "1.5", "true", "null", '{"a": [1]}', "[]", '"2020-01-01"', "18446744073709551615"]
    path = jsonl(*(f'{{"text": "a", "x": {value}, "y": 1}}' for value in values))
    found = read_content(path, metadata=False, batch_bytes=64)  # so that each record has its own batch
    schema = unify([found.schema])
    assert schema == pa.schema([("x", pa.string()), ("y", pa.int64())])
    written = [row["x"] for row in read_content(path, metadata=schema, batch_bytes=64).metadata]
    assert written == ["1", "s", "1.5", "true", None, '{"a":[1]}', "[]", "2020-01-01", "18446744073709551615"]
    assert written == [row["x"] for row in read_content(path, metadata=schema).metadata]


def test_integers_and_floats_become_double_and_objects_are_joined(jsonl: Write) -> None:
    path = jsonl('{"text": "a", "n": 1, "o": {"a": 1}}', '{"text": "b", "n": 0.5, "o": {"a": "x", "b": []}}')
    schema = unify([read_content(path).schema])
    assert schema.field("n").type == pa.float64()
    assert schema.field("o").type == pa.struct([("a", pa.string()), ("b", pa.list_(pa.string()))])
    rows = read_content(path, metadata=schema).metadata
    assert rows == [{"n": 1.0, "o": {"a": "1", "b": None}}, {"n": 0.5, "o": {"a": "x", "b": []}}]


def test_repeated_keys_nan_and_half_surrogates_in_metadata_do_not_cost_the_record(jsonl: Write) -> None:
    path = jsonl('{"text": "a", "m": 1, "m": 2}', '{"text": "b", "m": NaN}', r'{"text": "c", "s": "x\udc00"}')
    content = read_content(path)
    assert content.texts == ["a", "b", "c"]
    assert content.metadata[0]["m"] == 2
    assert content.metadata[2]["s"] == "x\ufffd"


@pytest.mark.parametrize("depth", [40, 100, 600, 2000, 300_000])
@pytest.mark.parametrize("brackets", [("[", "]"), ('{"a":', "}")])
def test_deep_nesting_is_neither_a_crash_nor_a_loss(jsonl: Write, depth: int, brackets: tuple[str, str]) -> None:
    deep = brackets[0] * depth + "1" + brackets[1] * depth
    path = jsonl(f'{{"text": "a", "deep": {deep}, "n": 1}}', '{"text": "b", "n": "x"}')
    found = read_content(path)
    assert found.texts == ["a", "b"]
    schema = unify([found.schema])
    rows = read_content(path, metadata=schema).metadata
    if depth > 64:
        assert rows[0]["deep"].replace(" ", "") == deep


def test_metadata_can_be_named(jsonl: Write) -> None:
    content = read_content(jsonl('{"text": "a", "x": 1, "y": "2020-01-01"}'), metadata=("y", "z"))
    assert content.metadata == [{"y": "2020-01-01", "z": None}]
    assert content.schema.names == ["x", "y"], "the collector sees all columns"


def test_metadata_that_changed_since_it_was_measured_is_an_error(jsonl: Write) -> None:
    schema = pa.schema([("n", pa.int64())])
    with pytest.raises(InputError, match=r'lines 1 to 1: column "n": x is not int64.*measure it again'):
        read_content(jsonl('{"text": "a", "n": "x"}'), metadata=schema)


def test_a_record_above_the_limit_is_rejected_without_holding_it(tmp_path: Path) -> None:
    path = tmp_path / "large.jsonl"
    with path.open("wb") as file:
        file.write(b'{"text": "before"}\n{"text": "')
        for _ in range(64):
            file.write(b"x" * (1 << 20))
        file.write(b'"}\n{"text": "after"}\n{"text": "' + b"y" * 2000 + b'"}\n{"text": "last"}\n')
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    content = read_content(path, max_record_bytes=1000, batch_bytes=1 << 20)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 32 << 10, f"{grown} KiB"
    assert content.texts == ["before", "after", "last"]
    assert content.reasons == {2: "larger than 1,000 bytes", 4: "larger than 1,000 bytes"}
    assert content.rejects[0].raw.startswith(b'{"text": "xxx')
    assert len(content.rejects[0].raw) == 64 << 10


@pytest.mark.parametrize("first", ["[", "{", '[{"text": "a"}, {"text": "b"}]'])
def test_one_json_document_over_many_lines_is_an_error(jsonl: Write, first: str) -> None:
    with pytest.raises(InputError, match=r"is one JSON document, not JSON Lines.*jq -c"):
        read_content(jsonl(first, '"text": "a"', "}"))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_is_named(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "wide.jsonl"
    path.write_bytes('{"text": "hello"}\n'.encode(encoding))
    with pytest.raises(InputError, match=f"wide.jsonl: is {encoding[:6].upper()}, not UTF-8; convert it"):
        read_content(path)


def test_records_in_parts_of_a_file_are_counted_from_the_start_of_the_part(jsonl: Write) -> None:
    path = jsonl(*['{"text": "0123456789"}'] * 10, "broken", '{"text": "z"}')
    content = read_content(path, target_bytes=100)
    (reject,) = content.rejects
    _, tail = path.read_bytes()[reject.from_byte - 1 :].split(b"\n", 1)
    assert tail.splitlines()[reject.record - 1] == b"broken"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
RECORD = st.fixed_dictionaries(
    {"text": st.text()},
    optional={
        "id": st.text() | st.integers(),
        "a": JSON,
        "b": JSON,
        "é": st.text(),
        "d": st.dates().map(str),
    },
)
JUNK = st.sampled_from([b"", b"  ", b"{", b"[]", b'{"text": 1}', b'{"text": "\xff"}', b'{"id": "x"}', b"\0"])


@settings(deadline=None)
@given(
    st.lists(RECORD.map(lambda r: json.dumps(r).encode()) | RECORD | JUNK, min_size=1, max_size=12),
    st.sampled_from([1, 50, 1 << 20]),
    st.booleans(),
)
def test_records_survive_whatever_is_between_them_and_whatever_is_asked_for(
    tmp_path_factory: pytest.TempPathFactory, lines: list[Any], batch_bytes: int, crlf: bool
) -> None:
    def encode(line: Any) -> bytes:
        return line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode()

    path = tmp_path_factory.getbasetemp() / "x.jsonl"
    path.write_bytes((b"\r\n" if crlf else b"\n").join([b'{"text": "first"}', *map(encode, lines)]))
    records: dict[int, dict[str, Any]] = {}
    for number, line in enumerate([{"text": "first"}, *lines]):
        try:
            record = line if isinstance(line, dict) else json.loads(line.decode())
        except ValueError:
            continue
        if isinstance(record, dict) and isinstance(record.get("text"), str):
            records[number] = record

    found = read_content(path, metadata=False, batch_bytes=batch_bytes)
    schema = unify([found.schema])
    readings = [
        found,
        *(read_content(path, metadata=m, batch_bytes=batch_bytes) for m in (True, schema, ("a",))),
    ]
    for content in readings:
        assert content.rows == list(records)
        assert content.texts == [record["text"] for record in records.values()]
        ids = [None if record.get("id") is None else str(record["id"]) for record in records.values()]
        assert content.ids == ids
        assert content.rejects == found.rejects
    rows = readings[2].metadata if schema.names else [{}] * len(records)
    for row, record in zip(rows, records.values(), strict=True):
        assert all(row.get(name) == record.get(name) for name in ("é", "d"))
        assert all((row.get(name) is None) == (record.get(name) is None) for name in ("a", "b"))
