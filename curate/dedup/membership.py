"""Duplicates of several steps joined: a cluster is a survivor with all that were dropped for it, by any step.

Knows numbers of documents only; ids and files are the decisions'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Membership:
    """Clusters of two or more documents; entry i of every array is about the document `members[i]`.

    `members` int64 (m,), ascending. `standing` int64 (m,): place in `members` of the document that this one was
    dropped for, its own for a survivor. `root` int64 (m,): place of the last survivor of that chain.
    `size` int64 (m,): documents in the cluster.
    """

    members: Numbers
    standing: Numbers
    root: Numbers
    size: Numbers

    def sizes(self, documents: int) -> Numbers:
        """Return the cluster size of every document numbered 0 to documents - 1: 1 without duplicates."""
        sizes = np.ones(documents, np.int64)
        sizes[self.members] = self.size
        return sizes


def join(dropped: Sequence[Numbers], survivor: Sequence[Numbers]) -> Membership:
    """Join what each step dropped and for whom; a document is dropped once at most, its survivor perhaps later."""
    gone = np.concatenate([*dropped, np.zeros(0, np.int64)])
    kept = np.concatenate([*survivor, np.zeros(0, np.int64)])
    involved = np.zeros(int(max(gone.max(initial=-1), kept.max(initial=-1))) + 1, np.bool_)
    involved[gone] = involved[kept] = True
    members = np.flatnonzero(involved)
    standing = np.arange(len(members))
    standing[np.searchsorted(members, gone)] = np.searchsorted(members, kept)
    root = standing
    while not np.array_equal(root, root[root]):
        root = root[root]
    return Membership(members, standing, root, np.bincount(root, minlength=len(root))[root])
