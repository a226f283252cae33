"""Where files are: on this machine, or in an object store such as S3. Local paths stay `pathlib.Path`.

`locate` makes of what the user named a Path or a RemotePath; the two answer to the same names, so that few places ask
which one they have. fsspec, and with it the network, is touched only for a RemotePath. Knows nothing of what is in
files, of shards or of runs.
"""

from __future__ import annotations

from curate.storage.location import (
    Location,
    RemotePath,
    State,
    absolute,
    is_remote,
    locate,
    without_secrets,
)
from curate.storage.reading import fetch, open_arrow, open_sparsely, remembering
from curate.storage.trees import ask_each, each, files_below, remove_tree
from curate.storage.writing import scratch_folder

__all__ = [
    "Location",
    "RemotePath",
    "State",
    "absolute",
    "ask_each",
    "each",
    "fetch",
    "files_below",
    "is_remote",
    "locate",
    "open_arrow",
    "open_sparsely",
    "remembering",
    "remove_tree",
    "scratch_folder",
    "without_secrets",
]
