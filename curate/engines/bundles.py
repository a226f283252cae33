"""Which items share a task, and what they are called. Knows no engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

Item = TypeVar("Item")

_BUNDLE_BYTES = 64 << 20  # of shards on disk that share a task, at most


def bundles(items: Sequence[Item], least: int) -> Iterator[list[Item]]:
    """Divide items into those that share a task: small shards that follow each other; all else is by itself.

    None has more than its share of items where there are `least` bundles. What has no size in `bytes` is no shard.
    """
    sizes = [getattr(item, "bytes", None) for item in items]
    most = min(_BUNDLE_BYTES, sum(size or 0 for size in sizes) // max(least, 1))
    most_items = -(-len(items) // max(least, 1))
    bundle: list[Item] = []
    held = 0
    for item, size in zip(items, sizes, strict=True):
        if bundle and (size is None or held + size > most or len(bundle) == most_items):
            yield bundle
            bundle, held = [], 0
        bundle.append(item)
        held += most if size is None else size
    if bundle:
        yield bundle


def name_of(task: Any, item: Any) -> str:
    """Return what to call an item in messages: as its task says, its shard, or the kind of its task and a number."""
    says = getattr(task, "name_of", None)
    if says:
        return str(says(item))
    name = item if isinstance(item, str) else getattr(getattr(item, "shard", item), "name", None)
    if isinstance(name, str):
        return name
    kind = getattr(task, "__name__", type(task).__name__).strip("_").lower()
    return f"{kind} {item if isinstance(item, int) else getattr(item, 'number', '')}".strip()


def in_words(names: Sequence[str]) -> str:
    """Return what to call items that share a task."""
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
