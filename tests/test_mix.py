"""Water-filling and repetition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import curate
from curate.mix import allocate, copies
from curate.recipe import Mix


def given_by(available: dict[str, int], **mix: object) -> dict[str, float]:
    return {a.domain: a.tokens for a in allocate(available, Mix(by="domain", **mix))}  # type: ignore[arg-type]


def test_every_domain_gets_its_share_when_there_is_enough() -> None:
    assert given_by({"a": 100, "b": 100}, tokens=100, shares={"a": 0.3, "b": 0.7}) == {"a": 30, "b": 70}


def test_what_a_capped_domain_cannot_give_goes_to_the_others_by_their_shares() -> None:
    # a can give 4 * 5 = 20 of its 50; the missing 30 are divided 3 : 2 over b and c.
    tokens = given_by({"a": 5, "b": 100, "c": 100}, tokens=100, max_epochs=4, shares={"a": 0.5, "b": 0.3, "c": 0.2})
    assert tokens == pytest.approx({"a": 20, "b": 48, "c": 32})


def test_the_budget_is_missed_only_when_every_domain_is_at_its_cap() -> None:
    allocations = allocate({"a": 10, "b": 20}, Mix(tokens=1000, max_epochs=2, shares={"a": 0.5, "b": 0.5}))
    assert [(a.tokens, a.capped, a.epochs) for a in allocations] == [(20, True, 2), (40, True, 2)]


def test_without_shares_domains_keep_their_natural_proportions() -> None:
    assert given_by({"a": 100, "b": 300}, tokens=40) == {"a": 10, "b": 30}


def test_without_a_budget_the_mix_is_as_large_as_what_there_is() -> None:
    assert sum(given_by({"a": 100, "b": 300}, shares={"a": 0.5, "b": 0.5}).values()) == pytest.approx(400)


def test_shares_of_domains_that_nothing_belongs_to_are_an_error_that_lists_the_domains() -> None:
    with pytest.raises(curate.RecipeError, match=r"any domain that the mix asks for \(x\); there are: a"):
        allocate({"a": 10}, Mix(shares={"x": 1.0}))


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.integers(0, 10**6), st.integers(1, 100)), min_size=1),
    st.integers(1, 10**7),
    st.sampled_from([0.5, 1.0, 4.0]),
)
def test_allocations_are_within_caps_and_add_up(
    domains: dict[str, tuple[int, int]], budget: int, epochs: float
) -> None:
    total = sum(weight for _, weight in domains.values())
    available = {name: tokens for name, (tokens, _) in domains.items()}
    if not any(available.values()):
        return
    mix = Mix(
        tokens=budget,
        max_epochs=epochs,
        shares={name: weight / total for name, (_, weight) in domains.items()},
    )
    found = {a.domain: a for a in allocate(available, mix)}
    for name, allocation in found.items():
        assert -1e-6 <= allocation.tokens <= epochs * available[name] * (1 + 1e-9)
    possible = min(budget, epochs * sum(available.values()))
    assert sum(a.tokens for a in found.values()) == pytest.approx(possible, rel=1e-6)
    # Domains below their cap all got the same multiple of their share, and no less than the capped ones.
    free = [a.tokens / mix.shares[n] for n, a in found.items() if a.tokens < epochs * available[n] * (1 - 1e-9)]
    assert max(free, default=0) == pytest.approx(min(free, default=0), rel=1e-6)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=60), st.floats(0, 5))
def test_copies_come_within_half_a_document_of_the_target(sizes: list[int], epochs: float) -> None:
    tokens = np.array(sizes, np.int64)
    doc = np.random.default_rng(len(sizes)).integers(0, 2**63, len(sizes)).astype(np.uint64)
    target = epochs * tokens.sum()
    found = copies(tokens, doc, target)
    assert abs((found * tokens).sum() - target) <= tokens.max()
    assert set(found.tolist()) <= {int(target // tokens.sum()), int(target // tokens.sum()) + 1}


def test_who_is_drawn_does_not_depend_on_the_order_of_documents() -> None:
    tokens = np.arange(1, 101)
    doc = np.random.default_rng(1).integers(0, 2**63, 100).astype(np.uint64)
    order = np.random.default_rng(2).permutation(100)
    assert np.array_equal(copies(tokens, doc, 1700.0)[order], copies(tokens[order], doc[order], 1700.0))
