"""The file systems of fsspec, opened when a path asks for one, and what to install for each.

No credentials pass through here: the libraries take them from the environment.
"""

from __future__ import annotations

import functools
import os
from typing import Any

from curate.errors import StorageError

PROTOCOLS = {
    "s3": "s3",
    "s3a": "s3",
    "gs": "gs",
    "gcs": "gs",
    "az": "az",
    "abfs": "az",
    "abfss": "az",
    "hf": "hf",
    "memory": "s3",
}
"""The stores that are known, and the extra that each needs (any brings fsspec, and with it `memory://`)."""

_UPLOADS = 4  # pieces of one object that are sent at a time, each held in memory
_S3 = {"connect_timeout": 10, "read_timeout": 30, "retries": {"total_max_attempts": 1}}


def filesystem(protocol: str) -> Any:
    """Return the file system for a protocol. Raises StorageError, saying what to install, where it is missing."""
    return _filesystem(protocol, os.getpid())


@functools.cache
def _filesystem(protocol: str, process: int) -> Any:
    """Open one a process: fsspec would open one a thread, each with connections of its own."""
    options: dict[str, Any] = {"use_listings_cache": False}  # others write too: a listing is only good once
    if protocol in ("http", "https", "memory"):
        options = {}
    try:
        import fsspec

        if protocol in ("s3", "s3a"):
            options |= {"max_concurrency": _UPLOADS}
            if "config_kwargs" not in fsspec.config.conf.get(protocol, {}):
                options["config_kwargs"] = _S3
        store = fsspec.filesystem(protocol, **options)
        if protocol in ("s3", "s3a"):
            store.retries = 1  # `persist` tries again, and says so
        return store
    except ImportError as error:
        extra = PROTOCOLS.get(protocol)
        what = f"pip install 'curate-corpus[{extra}]'" if extra else str(error)
        raise StorageError(f"{protocol}:// needs what is not installed; to install it: {what}") from None
    except Exception as error:
        from curate.storage.retry import reason

        raise StorageError(f"{protocol}:// cannot be used: {reason(error)}; see docs/storage.md") from None


def known_protocols() -> set[str]:
    """Return the protocols of fsspec; none where it is not installed."""
    try:
        import fsspec
    except ImportError:
        return set()
    return set(fsspec.available_protocols()) - {"file", "local"}
