"""JSON records one at a time, in Python: for the lines that pyarrow's parser refuses.

Much slower than `jsonl`, which calls this only for blocks of lines that need it.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.json as pj

from curate.shards.schema import MAX_DEPTH, JsonText, MisfitError, as_string, as_type, join, shallow

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]', re.DOTALL)


class BadRecordError(Exception):
    """The line is not a document; the text is the reason."""


def load(line: bytes) -> dict[str, Any]:
    """Return the JSON object in `line`; values nested deeper than MAX_DEPTH are JsonText.

    Of repeated keys the last one counts. Raises BadRecordError.
    """
    try:
        record = orjson.loads(line)
        if isinstance(record, dict) and any(map(_maybe_big_integer, record.values())):
            record = json.loads(line)  # which has integers of any size
    except ValueError:  # orjson knows no lone surrogates, no NaN, no deep nesting
        record = _load_leniently(line)
    if not isinstance(record, dict):
        raise BadRecordError(f"not an object: {json_kind(record)}")
    if line.count(b"{") + line.count(b"[") > MAX_DEPTH:
        deep = [key for key, value in record.items() if _depth(value) > MAX_DEPTH]
        if deep:
            texts = raw_fields(line.decode())
            record.update({key: JsonText(texts[key]) for key in deep if key in texts})
    return record


def _load_leniently(line: bytes) -> Any:
    try:
        return json.loads(line.decode())
    except UnicodeDecodeError:
        raise BadRecordError("invalid UTF-8") from None
    except RecursionError:
        pass
    except ValueError as error:
        if not pyarrow_accepts(line):
            raise BadRecordError(f"invalid JSON: {_word(error)}") from None
    if not pyarrow_accepts(line):
        raise BadRecordError("invalid JSON: nested too deeply")
    return {key: _load_shallow(text) for key, text in raw_fields(line.decode()).items()}


def _load_shallow(text: str) -> Any:
    try:
        return orjson.loads(text)
    except ValueError:
        return JsonText(text)


def _word(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):  # no position: equal faults shall have equal reasons
        message = error.msg.removesuffix(" at").removesuffix(" starting")
        return message[0].lower() + message[1:]
    return "a number has too many digits"


def pyarrow_accepts(line: bytes) -> bool:
    """Tell whether the fast path takes `line` where it reads no column; then it is a record here as well."""
    try:
        options = pj.ParseOptions(explicit_schema=pa.schema([]), unexpected_field_behavior="ignore")
        reading = pj.ReadOptions(use_threads=False, block_size=len(line) + 64)
        return bool(pj.read_json(pa.BufferReader(line + b"\n"), reading, options).num_rows == 1)
    except pa.ArrowException:
        return False


def raw_fields(line: str) -> dict[str, str]:
    """Return the text of every value of the JSON object `line`, which must be valid, without recursion.

    >>> raw_fields('{"a": [1, {"b": 2}], "c": 1.50}')
    {'a': '[1, {"b": 2}]', 'c': '1.50'}
    """
    fields: dict[str, str] = {}
    depth, key, start = 0, None, 0
    for token in _TOKEN.finditer(line):
        mark = token.group()[0]
        if depth == 1 and mark == '"' and key is None:
            key = str(json.loads(token.group(), strict=False))
        elif depth == 1 and mark == ":":
            start = token.end()
        elif depth == 1 and mark in ",}" and key is not None:
            fields[key] = line[start : token.start()].strip()
            key = None
        if mark in "{[":
            depth += 1
        elif mark in "}]":
            depth -= 1
    return fields


def _maybe_big_integer(value: Any) -> bool:
    return isinstance(value, float) and abs(value) >= 2.0**63


def _depth(value: Any) -> int:
    """Return how deeply lists and objects are nested in `value`, up to just above MAX_DEPTH."""
    depth, level = 0, [value]
    while depth <= MAX_DEPTH:
        level = [
            item
            for held in level
            if isinstance(held, list | dict)
            for item in (held.values() if isinstance(held, dict) else held)
        ]
        if not level:
            break
        depth += 1
    return depth


def json_kind(value: Any) -> str:
    """Return what JSON calls the type of `value`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, dict):
        return "object"
    return "array" if isinstance(value, list) else "string"


def text_of(record: dict[str, Any], column: str) -> str:
    """Return the text of `record`. Raises BadRecordError where there is none or it cannot be UTF-8."""
    if column not in record:
        raise BadRecordError(f"{column} is missing")
    text = record[column]
    if text is None:
        raise BadRecordError(f"{column} is null")
    if not isinstance(text, str) or isinstance(text, JsonText):
        kind = "nested too deeply" if isinstance(text, JsonText) else json_kind(text)
        raise BadRecordError(f"{column} is not a string: {kind}")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadRecordError(f"{column} holds half of a surrogate pair") from None
    return text


def type_of(value: Any) -> pa.DataType:
    """Return the Arrow type of a JSON value; integers that int64 cannot hold are strings."""
    if value is None:
        return pa.null()
    if isinstance(value, bool):
        return pa.bool_()
    if isinstance(value, int):
        return pa.int64() if -(2**63) <= value < 2**63 else pa.string()
    if isinstance(value, float):
        return pa.float64()
    if isinstance(value, dict):
        return pa.struct([(_key(key), type_of(item)) for key, item in value.items()])
    if isinstance(value, list):
        inner = pa.null()
        for item in value:
            inner = join(inner, type_of(item))
        return pa.list_(inner)
    return pa.string()


def _key(key: str) -> str:
    return key.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def id_of(value: Any) -> str | None:
    """Return an id as a string; None where there is none."""
    return None if value is None else as_string(value)


class Columns:
    """The metadata of some records as columns."""

    def __init__(self, records: list[dict[str, Any]], without: tuple[str, ...]) -> None:
        self._records = records
        self._without = without

    def schema(self) -> pa.Schema:
        """Return the types found, in order of first appearance."""
        types: dict[str, pa.DataType] = {}
        for record in self._records:
            for key, value in record.items():
                if key not in self._without:
                    found = shallow(type_of(value))
                    name = _key(key)
                    types[name] = join(types[name], found) if name in types else found
        return pa.schema(list(types.items()))

    def table(self, schema: pa.Schema) -> pa.Table:
        """Return the columns of `schema` in its types. Raises MisfitError where a value cannot be of its type."""
        columns = []
        for field in schema:
            try:
                values = [as_type(record.get(field.name), field.type) for record in self._records]
            except MisfitError as misfit:
                raise MisfitError(f'column "{field.name}": {misfit}') from misfit
            columns.append(pa.array(values, field.type))
        return pa.table(columns, schema=schema)
