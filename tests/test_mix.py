"""Water-filling: what each class gives, exactly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import curate
from curate.mix.allocation import Holding, allocate, fill
from curate.recipe import Division, Mix, Recipe


def given_by(available: dict[str, int], **mix: object) -> dict[str, float]:
    usual = {"by": "domain", "max_epochs": 4.0, "method": "shares" if "shares" in mix else "natural"}
    return {a.domain: a.tokens for a in allocate(available, Mix(**(usual | mix)))}  # type: ignore[arg-type]


def test_every_domain_gets_its_share_when_there_is_enough() -> None:
    assert given_by({"a": 100, "b": 100}, tokens=100, shares={"a": 0.3, "b": 0.7}) == {"a": 30, "b": 70}


def test_what_a_capped_domain_cannot_give_goes_to_the_others_by_their_shares() -> None:
    # a can give 4 * 5 = 20 of its 50; the missing 30 are divided 3 : 2 over b and c.
    tokens = given_by({"a": 5, "b": 100, "c": 100}, tokens=100, max_epochs=4, shares={"a": 0.5, "b": 0.3, "c": 0.2})
    assert tokens == pytest.approx({"a": 20, "b": 48, "c": 32})


def test_the_budget_is_missed_only_when_every_domain_is_at_its_cap() -> None:
    allocations = allocate(
        {"a": 10, "b": 20}, Mix(method="shares", tokens=1000, max_epochs=2, shares={"a": 0.5, "b": 0.5})
    )
    assert [(a.tokens, a.capped, a.epochs) for a in allocations] == [(20, True, 2), (40, True, 2)]


def test_a_class_that_gives_more_than_its_share_may_be_at_its_cap_too() -> None:
    # a is short, so b gives all that it can: both are full, and the budget is out of reach.
    mix = Mix(method="shares", tokens=1000, max_epochs=4, shares={"a": 0.9, "b": 0.1})
    allocations = allocate({"a": 10, "b": 50}, mix)
    assert [(a.domain, a.tokens, a.wanted, a.capped) for a in allocations] == [
        ("a", 40, 900, True), ("b", 200, 100, True),
    ]  # fmt: skip


def test_without_shares_domains_keep_their_natural_proportions() -> None:
    assert given_by({"a": 100, "b": 300}, tokens=40) == {"a": 10, "b": 30}


def test_without_a_budget_the_mix_is_as_large_as_what_there_is() -> None:
    assert sum(given_by({"a": 100, "b": 300}, shares={"a": 0.5, "b": 0.5}).values()) == pytest.approx(400)


def test_shares_of_domains_that_nothing_belongs_to_are_an_error_that_lists_the_domains() -> None:
    with pytest.raises(curate.RecipeError, match=r"any domain that the mix asks for \(x\); there are: a"):
        allocate({"a": 10}, Mix(by="domain", method="shares", shares={"x": 1.0}))


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
        method="shares",
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


@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(0, 1000)), min_size=1, max_size=12),
    st.integers(1, 5000),
)
def test_filling_equals_raising_the_level_little_by_little(classes: list[tuple[int, int]], budget: int) -> None:
    shares = {str(i): float(share) for i, (share, _) in enumerate(classes)}
    cap = {str(i): float(most) for i, (_, most) in enumerate(classes)}
    given = fill(budget, shares, cap)
    low, high = 0.0, 1e6  # the level by bisection: min(cap, level * share) adds up to the budget
    for _ in range(200):
        level = (low + high) / 2
        low, high = (level, high) if sum(min(cap[n], level * shares[n]) for n in shares) < budget else (low, level)
    assert given == pytest.approx({n: min(cap[n], high * shares[n]) for n in shares}, rel=1e-9, abs=1e-6)


def test_unimax_divides_evenly_until_a_language_has_been_seen_often_enough() -> None:
    # sw may give 4 * 10 = 40 of its 100; the other two share the remaining 260.
    assert given_by({"en": 10_000, "de": 1_000, "sw": 10}, tokens=300, method="unimax") == {
        "en": 130, "de": 130, "sw": 40,
    }  # fmt: skip


def test_temperature_takes_sizes_to_the_power_alpha() -> None:
    tokens = given_by({"en": 8_100, "de": 100}, tokens=100, method="temperature", alpha=0.5)
    assert tokens == pytest.approx({"en": 90, "de": 10})


def test_an_over_represented_topic_is_cut_to_its_ceiling_and_the_rest_goes_to_the_others() -> None:
    tokens = given_by({"arts": 800, "law": 100, "math": 100}, tokens=100, most={"arts": 0.4})
    assert tokens == pytest.approx({"arts": 40, "law": 30, "math": 30})


def test_each_class_has_epochs_of_its_own() -> None:
    tokens = given_by({"a": 10, "b": 1000}, tokens=100, shares={"a": 0.5, "b": 0.5}, max_epochs=1.0, epochs={"a": 3.0})
    assert tokens == pytest.approx({"a": 30, "b": 70})


def test_a_class_is_divided_further_and_gives_only_what_its_parts_can() -> None:
    inner = Division(by="language", method="unimax", max_epochs=2.0)
    mix = Mix(by="domain", method="shares", shares={"web": 0.5, "code": 0.5}, max_epochs=9.0, tokens=1000,
              within={"web": inner})  # fmt: skip
    web = Holding(130, parts={"de": Holding(100), "sw": Holding(30)})
    found = {a.domain: a for a in allocate({"web": web, "code": Holding(5000)}, mix)}
    # web can give 2 * 130 = 260 of its 500: 60 of sw and 200 of de; code takes the other 740.
    assert found["web"].tokens == pytest.approx(260) and found["web"].capped
    assert {part.domain: part.tokens for part in found["web"].parts} == pytest.approx({"de": 200, "sw": 60})
    assert found["code"].tokens == pytest.approx(740)


@pytest.mark.parametrize(
    ("mix", "message"),
    [
        ('method = "unimx"', r'unknown method "unimx"; did you mean "unimax"'),
        ('method = "unimax"\nshares = { a = 1.0 }', r'method = "unimax" takes no shares'),
        ('method = "shares"', r"needs shares"),
        ("alpha = 0.5", r'alpha is for method = "temperature"'),
        ("at_most = { arts = 1.5 }", r'at_most of "arts" must be above 0 and at most 1, not 1.5'),
        ("max_epochs = { default = 0 }", r"max_epochs must be above 0"),
        ('within = { web = { method = "unimax" } }', r'within "web": needs `by`'),
        ('within = { web = { by = "language", shares = { de = 0.5 } } }', r'within "web": the shares add up to 0.5'),
        ('quality = { by = "quality", weights = [0, 0] }', r"one of the weights must be above 0"),
        ('quality = { by = "quality", weights = [1, 2], drop = 0.4 }', r"drop shapes the curve"),
        ("quality = { drop = 0.4 }", r"needs `by`"),
        ("max_copies = 3", r"max_copies is for quality or rehydrate"),
    ],
)
def test_a_mix_that_cannot_be_meant_is_refused(mix: str, message: str) -> None:
    with pytest.raises(curate.RecipeError, match=message):
        Recipe.parse(f"[mix]\n{mix}")
