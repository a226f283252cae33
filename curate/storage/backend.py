"""The file systems of fsspec, opened when a path asks for one, and what to install for each.

No credentials pass through here: the libraries take them from the environment.
"""

from __future__ import annotations

import functools
import os
from contextlib import suppress
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
    "http": "s3",
    "https": "s3",
    "memory": "s3",
}
"""The stores that are known, and the extra that each needs (any brings fsspec, and with it `memory://`)."""

READ_ONLY = ("hf", "http", "https")
"""What inputs can be read from, and no run be in: the Hub makes a commit of every object, a web server takes none."""

_UPLOADS = 4  # pieces of one object that are sent at a time, each held in memory
_CONNECT_SECONDS = 10
_READ_SECONDS = 30
_S3 = {"connect_timeout": _CONNECT_SECONDS, "read_timeout": _READ_SECONDS, "retries": {"total_max_attempts": 1}}


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
        if protocol in ("gs", "gcs") and "requests_timeout" not in fsspec.config.conf.get(protocol, {}):
            import aiohttp

            options["requests_timeout"] = aiohttp.ClientTimeout(sock_connect=_CONNECT_SECONDS, sock_read=_READ_SECONDS)
        store = fsspec.filesystem(protocol, **options)
        _ask_once(store, protocol)
        return store
    except ImportError as error:
        extra = PROTOCOLS.get(protocol)
        what = f"pip install 'curate-corpus[{extra}]'" if extra else str(error)
        raise StorageError(f"{protocol}:// needs what is not installed; to install it: {what}") from None
    except Exception as error:
        from curate.storage.retry import reason

        if isinstance(error, TypeError):  # as `host` of sftp://, for which an address here has no place
            raise StorageError(
                f"{protocol}:// needs more than an address ({reason(error)}), which is not supported; copy or mount "
                f"the files, or use s3://, gs://, az://, hf:// or https://"
            ) from None
        raise StorageError(f"{protocol}:// cannot be used: {reason(error)}; see docs/storage.md") from None


def _ask_once(store: Any, protocol: str) -> None:
    """Keep a library from trying again by itself: `persist` does, sooner, and says so.

    adlfs and gcsfs take no option for it. What they have instead is their own and may change: then they are slower.
    """
    if protocol in ("s3", "s3a"):
        store.retries = 1
    elif protocol in ("az", "abfs", "abfss"):
        with suppress(AttributeError):
            client = store.service_client
            client._config.retry_policy.total_retries = 0
            waits = client._pipeline._transport.connection_config
            waits.timeout, waits.read_timeout = _CONNECT_SECONDS, _READ_SECONDS
    elif protocol in ("gs", "gcs"):
        with suppress(AttributeError):
            store._request = functools.partial(type(store)._request.__wrapped__, store)


def known_protocols() -> set[str]:
    """Return the protocols of fsspec; none where it is not installed."""
    try:
        import fsspec
    except ImportError:
        return set()
    return set(fsspec.available_protocols()) - {"file", "local"}
