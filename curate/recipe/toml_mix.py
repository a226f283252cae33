"""[mix] of a recipe as TOML."""

from __future__ import annotations

from typing import Any

from curate.recipe.mix import Mix, parse_count
from curate.recipe.place import Place

_MIX_KEYS = ("by", "tokens", "max_epochs", "shares")


def mix(where: str, table: dict[str, Any]) -> Mix:
    place = Place(where, table, _MIX_KEYS)
    tokens = place.table.get("tokens")
    if isinstance(tokens, bool) or not isinstance(tokens, int | str | None):
        raise place.fail(f'tokens must be a number or a string such as "10B", not {tokens!r}')
    shares = place.get("shares", dict, {})
    epochs = place.get("max_epochs", float, 4.0 if shares else 1.0)
    if not 0 < epochs <= 1000:
        raise place.fail(f"max_epochs must be above 0 and at most 1000, not {epochs}")
    for name, share in shares.items():
        if isinstance(share, bool) or not isinstance(share, int | float) or share < 0:
            raise place.fail(f'the share of "{name}" must be a number of at least 0, not {share!r}')
    if shares and abs(sum(shares.values()) - 1) > 1e-6:
        raise place.fail(f"the shares add up to {sum(shares.values()):g}, not 1")
    by = place.get("by", str, "domain" if shares else "source")
    return Mix(by, parse_count(tokens), epochs, {name: float(share) for name, share in shares.items()})
