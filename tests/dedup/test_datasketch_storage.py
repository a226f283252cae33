"""Signatures reach datasketch's storages, which keep an LSH outside of curate."""

from __future__ import annotations

import datasketch

from curate import dedup
from tests.corpora import prose


def test_a_stored_lsh_finds_what_our_bands_find() -> None:
    """`storage_config` chooses the place; {"type": "redis", …} takes the same way with a server."""
    known = dedup.signatures([prose(i, 30) for i in range(20)])
    lsh = datasketch.MinHashLSH(num_perm=112, params=(14, 8), storage_config={"type": "dict"})
    with lsh.insertion_session() as session:
        for number, signature in enumerate(known):
            session.insert(f"crawl-1:{number}", dedup.to_datasketch(signature))
    near = dedup.signatures([prose(3, 30) + " One more remark.", prose(400, 30)])
    assert lsh.query(dedup.to_datasketch(near[0])) == ["crawl-1:3"]
    assert lsh.query(dedup.to_datasketch(near[1])) == []
