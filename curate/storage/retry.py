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
              "requests", "httpx", "httpcore", "httpx2", "httpcore2", "urllib3", "s3fs", "fsspec"}  # fmt: skip
_NO_CREDENTIALS = ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError",
                   "TokenRetrievalError", "DefaultCredentialsError", "LocalTokenNotFoundError",
                   "ClientAuthenticationError", "CredentialUnavailableError")  # fmt: skip
_STATUS = ("status_code", "status", "code")

log = logging.getLogger("curate.storage")


class ShortReadError(OSError):
    """A store sent fewer bytes than the object has."""


def persist(what: str, do: Callable[[], Result]) -> Result:
    """Return `do()`, tried ATTEMPTS times while it fails as a store does.

    Raises FileNotFoundError and FileExistsError as they are, at once; StorageError, naming `what`, where access or
    the request is refused, or the last attempt failed. Other exceptions are mistakes and pass.
    """
    begun = time.monotonic()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return do()
        except (CurateError, FileExistsError):
            raise
        except Exception as raised:
            error = _behind(raised)
            if isinstance(error, FileNotFoundError):
                raise
            why = reason(error)
            if type(error).__name__ == "ResourceNotFoundError":  # Azure's, where adlfs lets it pass
                raise FileNotFoundError(errno.ENOENT, why, what) from None
            if is_refusal(error):
                raise StorageError(
                    f"{what}: access refused ({why}); give credentials in the environment (docs/storage.md)"
                ) from None
            if will_not_do(error):
                raise StorageError(f"{what}: the store refuses this ({why})") from None
            if not is_of_a_store(error):
                raise
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


def _behind(error: Exception) -> Exception:
    """Return what went wrong: fsspec takes all that happens on the way to a web server for a missing file."""
    cause = error.__cause__
    if not isinstance(error, FileNotFoundError) or not isinstance(cause, Exception):
        return error
    on_the_way = isinstance(cause, TimeoutError) or type(cause).__module__.partition(".")[0] == "aiohttp"
    return cause if on_the_way and _status(cause) != 404 else error


def is_refusal(error: Exception) -> bool:
    """Tell whether a store lets in nobody who gives these credentials, or none."""
    if isinstance(error, PermissionError) or type(error).__name__ in _NO_CREDENTIALS:
        return True
    status = _status(error)
    if status == 401:  # gcsfs says this of a token that ended just now, too
        return "Invalid Credentials" not in str(error)
    return status == 403 or (isinstance(error, OSError) and str(error).startswith("Forbidden: "))  # gcsfs: no number


def will_not_do(error: Exception) -> bool:
    """Tell whether a store, or its library, says that the request is wrong: it will not like the same one better."""
    if getattr(error, "errno", None) == errno.EINVAL or _status(error) == 400:
        return True
    if isinstance(error, OSError) or not isinstance(error, ValueError | NotImplementedError):
        return False
    raised = error.__traceback__
    while raised is not None and raised.tb_next is not None:
        raised = raised.tb_next
    module = str(raised.tb_frame.f_globals.get("__name__")) if raised is not None else ""
    return module.partition(".")[0] in _LIBRARIES


def _status(error: Exception) -> int | None:
    """Return the number of the answer that an error of a library of a store is about, where it has one."""
    if not is_of_a_store(error):
        return None
    found = (str(getattr(it, name, "")) for it in (error, getattr(error, "response", None)) for name in _STATUS)
    return next((int(number) for number in found if number.isdecimal()), None)


def is_of_a_store(error: Exception) -> bool:
    """Tell whether an error is one of a store or of the way to it, rather than a mistake in a program."""
    return isinstance(error, OSError | TimeoutError) or type(error).__module__.partition(".")[0] in _LIBRARIES


def reason(error: Exception) -> str:
    """Return what an error says, in one line and without secrets."""
    from curate.storage.location import without_secrets

    text = str(error).strip().splitlines()
    return without_secrets(text[0].rstrip(".") if text else type(error).__name__)
