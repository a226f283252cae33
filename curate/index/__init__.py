"""Sketches and survivors of earlier runs, so that a new crawl is deduplicated against all that was kept before.

Decides nothing: a run that is given an index asks it which documents it knows, and drops them in its dedup steps.
"""

from __future__ import annotations

from curate.index.index import Index, Match

__all__ = ["Index", "Match"]
