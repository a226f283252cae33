"""The connection to Ray, made while this process does other things. What is run through it is the engine's.

A Ray of our own takes three seconds to start and one to end, and for nearly all of that only waits.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from curate.engines.ray_task import get_ready
from curate.errors import EngineError

_CONNECT_SECONDS = 10.0
_POLL_SECONDS = 0.2  # how long an interrupt may go unnoticed
_OBJECT_STORE = 512 << 20  # of a Ray of our own: only tasks, models and counts go through it
_BY_TOKEN = "; where it asks for a token, as newer Rays may by themselves, set RAY_AUTH_MODE=token"
_status = 0  # that SIGTERM ends this process with, once it came
_QUIET = {"log_to_driver": False, "logging_level": "ERROR"}


class Session:
    """A Ray of our own with `cores` cores, or a connection to the cluster at `address`, from now until `end`.

    One thread starts it and ends it: Linux kills what Ray starts when the thread that started it is gone.
    """

    def __init__(self, ray: Any, address: str | None, cores: int, check: Callable[[threading.Event], None]) -> None:
        """Begin to connect. `check` is called when it is done, with what ends it, and may raise an EngineError."""
        self._ray, self._address, self._cores, self._check = ray, address, cores, check
        self._error: BaseException | None = None
        self._connected, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._live, name="ray", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Return when Ray is there. Raises EngineError where it cannot be reached, or started."""
        while not self._connected.wait(_POLL_SECONDS):
            pass
        if self._error:
            raise self._error

    def end(self) -> None:
        """Begin to leave Ray; a Ray of our own ends."""
        self._over.set()

    def join(self) -> None:
        """Return when Ray is left."""
        self._thread.join()

    def _live(self) -> None:
        try:
            if self._address:
                self._join_cluster(self._address)
            else:
                self._start()
            self._check(self._over)
        except BaseException as error:
            self._error = error
        self._connected.set()
        if not self._error:
            with suppress(Exception):  # what cannot be loaded is told where it is needed
                get_ready()  # this process too, while tasks are at work
        self._over.wait()
        self._ray.shutdown()

    def _join_cluster(self, address: str) -> None:
        unreachable = f"the Ray cluster at {address} cannot be reached"
        try:
            address = _knock(address)
        except OSError as error:
            raise EngineError(f"{unreachable}: {error}") from None
        try:
            self._ray.init(address=address, **_QUIET)
        except Exception as error:  # Ray raises many kinds
            by_token = "" if "RAY_AUTH_MODE" in os.environ else _BY_TOKEN
            raise EngineError(f"{unreachable}: {error}{by_token}") from None

    def _start(self) -> None:
        ray = self._ray
        try:
            ray.init(
                "local", num_cpus=self._cores, include_dashboard=False, object_store_memory=_OBJECT_STORE, **_QUIET
            )
        except Exception as error:
            raise EngineError(f"Ray cannot be started here: {error}") from None
        for _ in range(self._cores):
            ray.remote(get_ready).remote()  # nobody waits for it


def end_by_sigterm() -> None:
    """Have SIGTERM end this process as `sys.exit` does, where nobody decided otherwise: Ray would print its stack.

    To be called before Ray is there, and again when it is: it puts its own way beneath that of Python.
    """
    here = threading.current_thread() is threading.main_thread()
    if here and signal.getsignal(signal.SIGTERM) in (signal.SIG_DFL, _exit):
        signal.signal(signal.SIGTERM, _exit)


def _exit(number: int, frame: Any) -> None:
    global _status
    _status = 128 + number
    sys.exit(_status)


def check_status(error: BaseException | None) -> None:
    """Raise SystemExit again with its status, where SIGTERM ended this process inside Ray, which forgets it."""
    if isinstance(error, SystemExit) and _status:
        raise SystemExit(_status)


def import_ray() -> Any:
    """Return the module; EngineError where it is not installed."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no network unless asked
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else Ray warns of a change to come
    try:
        import ray
    except ImportError:
        raise EngineError("--engine ray needs Ray; install it with: pip install 'curate-corpus[ray]'") from None
    return ray


def _knock(address: str) -> str:
    """Return "host:port" or "ray://host:port" with the number of the host: Ray asks name servers only, for minutes.

    Raises OSError where nobody listens there: Ray would try for minutes too.
    """
    scheme, slashes, place = address.rpartition("//")
    host, _, port = place.rpartition(":")
    if not host or not port.isdigit():
        return address
    with socket.create_connection((host, int(port)), timeout=_CONNECT_SECONDS) as there:
        number = there.getpeername()[0]
    return address if ":" in number else f"{scheme}{slashes}{number}:{port}"
