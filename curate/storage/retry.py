"""Try again: a store that answers 503, closes connections or sends half of an object mostly does better a second later.

What cannot get better (no such object, no access) is not tried again.
"""

from __future__ import annotations

import errno
import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

from curate.errors import CurateError, StorageError
from curate.events import emit

Result = TypeVar("Result")

ATTEMPTS = 7
FIRST_WAIT = 0.5  # seconds; twice as long each time, and between half of it and all, so that tasks do not come as one
LONGEST_WAIT = 20.0
_SAID_AT = 3  # attempts that failed, before a person is told

_LIBRARIES = {"botocore", "aiobotocore", "aiohttp", "boto3", "gcsfs", "google", "adlfs", "azure", "huggingface_hub",
              "requests", "httpx", "httpcore", "urllib3", "s3fs", "fsspec"}  # fmt: skip
_NO_CREDENTIALS = ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError",
                   "TokenRetrievalError", "DefaultCredentialsError", "LocalTokenNotFoundError")  # fmt: skip

log = logging.getLogger("curate.storage")


class ShortReadError(OSError):
    """A store sent fewer bytes than the object has."""


def persist(what: str, do: Callable[[], Result]) -> Result:
    """Return `do()`, tried ATTEMPTS times while it fails as a store does.

    Raises FileNotFoundError and FileExistsError as they are, at once; StorageError, naming `what`, where access is
    refused or the last attempt failed. Other exceptions are mistakes and pass.
    """
    begun = time.monotonic()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return do()
        except (CurateError, FileNotFoundError, FileExistsError):
            raise
        except Exception as error:
            why = reason(error)
            if isinstance(error, PermissionError) or type(error).__name__ in _NO_CREDENTIALS:
                raise StorageError(
                    f"{what}: access refused ({why}); give credentials in the environment (docs/storage.md)"
                ) from None
            if not is_of_a_store(error):
                raise
            if getattr(error, "errno", None) == errno.EINVAL:  # it will not like the same request better
                raise StorageError(f"{what}: the store refuses this ({why})") from None
            if attempt == ATTEMPTS:
                spent = time.monotonic() - begun
                raise StorageError(
                    f"{what}: the store failed {ATTEMPTS} times in {spent:.0f} s ({why}); "
                    f"start again to go on where this stopped"
                ) from None
            wait = min(FIRST_WAIT * 2 ** (attempt - 1), LONGEST_WAIT) * random.uniform(0.5, 1.0)
            if attempt == _SAID_AT:
                log.warning("%s: the store fails (%s); trying again for a while", what, why)
            emit("retry", what=what, attempt=attempt, seconds=round(wait, 3), error=why)
            time.sleep(wait)
    raise AssertionError("unreachable")


def is_of_a_store(error: Exception) -> bool:
    """Tell whether an error is one of a store or of the way to it, rather than a mistake in a program."""
    return isinstance(error, OSError | TimeoutError) or type(error).__module__.partition(".")[0] in _LIBRARIES


def reason(error: Exception) -> str:
    """Return what an error says, in one line and without secrets."""
    from curate.storage.location import without_secrets

    text = str(error).strip().splitlines()
    return without_secrets(text[0].rstrip(".") if text else type(error).__name__)
