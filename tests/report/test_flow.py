"""The flow diagram: every amount is a band as thick as it is large, and bands fill the nodes at both ends."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.report.flow import LEFT, NODE, RIGHT, flow

LEFTS, RIGHTS = ["a", "b", "c"], {"kept": "kept", "Filters": "filter"}
AMOUNTS = st.dictionaries(st.tuples(st.sampled_from(LEFTS), st.sampled_from(list(RIGHTS))), st.integers(0, 10**9))


@settings(deadline=None)
@given(AMOUNTS)
def test_nothing_is_lost_on_the_way(amounts: dict[tuple[str, str], int]) -> None:
    found = flow(amounts, LEFTS, RIGHTS)
    assert {(band.left, band.right): band.amount for band in found.bands} == {k: v for k, v in amounts.items() if v}
    assert sum(node.amount for node in found.left) == sum(node.amount for node in found.right) == sum(amounts.values())
    for column in (found.left, found.right):
        for above, below in pairwise(column):
            assert below.y >= above.y + above.height
            assert below.middle - above.middle >= 14  # names do not touch
        assert all(node.y + node.height <= found.height for node in column)


def test_bands_are_as_thick_as_what_they_carry() -> None:
    found = flow({("a", "kept"): 30, ("a", "Filters"): 10, ("b", "kept"): 40}, LEFTS, RIGHTS)
    thick = [float(re.findall(r"v([\d.]+)", band.path)[0]) for band in found.bands]
    assert thick[0] == pytest.approx(3 * thick[1], rel=0.02)
    assert thick[0] + thick[1] == pytest.approx(found.left[0].height, rel=0.02)
    assert found.bands[0].path.startswith(f"M{LEFT + NODE} ")
    assert f" {RIGHT - NODE} " in found.bands[0].path


def test_an_empty_run_has_an_empty_diagram() -> None:
    found = flow({}, [], {})
    assert (found.left, found.right, found.bands) == ([], [], [])
    assert found.height > 0
