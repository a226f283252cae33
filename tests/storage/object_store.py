"""An S3-speaking server on the loopback (moto's), and a proxy in front of it that fails as stores do."""

from __future__ import annotations

import http.client
import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.loopback import LoopbackServer

Fault = str | None
"""What happens to a request: "500", "503", "closed" (before an answer), "lost" (done, but the answer is lost),
"slow" (longer than the client waits), "truncated" (the answer ends early), "short" (it says that it is shorter)."""

KINDS = ("500", "503", "closed", "lost", "slow", "truncated", "short")

_HOP = {"connection", "transfer-encoding", "keep-alive", "content-length"}


@dataclass(frozen=True)
class Request:
    """What a rule sees of a request."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]

    @property
    def is_listing(self) -> bool:
        return self.method == "GET" and "list-type" in self.query


@dataclass
class Faults:
    """Which requests fail: `rule` says so for each. `injected` counts them by kind."""

    rule: Callable[[Request], Fault] = lambda request: None
    slow_seconds: float = 3.0
    injected: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    hidden: Callable[[str], bool] = lambda key: False  # objects that a listing does not show yet

    def calm(self) -> None:
        """Let all requests through from now on, and count anew."""
        self.rule, self.hidden = lambda request: None, lambda key: False
        self.injected, self.requests = Counter(), Counter()

    def random(self, share: float, seed: int, kinds: tuple[str, ...] = KINDS) -> None:
        """Fail a share of the requests, at random, in all ways."""
        source, lock = random.Random(seed), threading.Lock()

        def rule(request: Request) -> Fault:
            with lock:
                return source.choice(kinds) if source.random() < share else None

        self.rule = rule

    def every(self, number: int) -> None:
        """Fail every so many requests, in all ways in turn."""
        waiting, lock, count = list(KINDS), threading.Lock(), itertools.count(1)

        def rule(request: Request) -> Fault:
            with lock:
                if next(count) % number:
                    return None
                reads = request.method == "GET" and not request.is_listing
                kind = next(kind for kind in waiting if reads or kind not in ("truncated", "short"))
                waiting.remove(kind)
                waiting.append(kind)
                return kind

        self.rule = rule


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def log_message(self, *_: Any) -> None:
        pass

    def _handle(self) -> None:
        faults = self.server.faults
        body = self._body()
        parts = urlsplit(self.path)
        request = Request(self.command, parts.path, parse_qs(parts.query, keep_blank_values=True), dict(self.headers))
        faults.requests[self.command] += 1
        fault = faults.rule(request)
        if fault in ("truncated", "short") and (self.command != "GET" or request.is_listing):
            fault = "closed"  # only objects have an answer worth cutting
        if fault:
            faults.injected[fault] += 1
        if fault == "closed":
            self.close_connection = True
            return
        if fault == "slow":
            time.sleep(faults.slow_seconds)
        if fault in ("500", "503"):
            code = {"500": "InternalError", "503": "SlowDown"}[fault]
            text = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>try again</Message></Error>'.encode()
            self._answer(int(fault), {"Content-Type": "application/xml"}, text, request)
            return
        status, headers, answer = self._forward(body)
        if request.is_listing and status == 200:
            answer = _without_hidden(answer, faults.hidden)
        if fault == "lost":
            self.close_connection = True
            return
        if fault == "short" and len(answer) > 1:
            answer = answer[: len(answer) // 2]
        self._answer(status, headers, answer, request, cut=fault == "truncated")

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _handle  # noqa: N815

    def _body(self) -> bytes:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            pieces = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return b"".join(pieces)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(*self.server.behind, timeout=60)
        headers = {key: value for key, value in self.headers.items() if key.lower() not in (*_HOP, "expect")}
        headers["Content-Length"] = str(len(body))
        connection.request(self.command, self.path, body, headers)
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        return response.status, dict(response.getheaders()), answer

    def _answer(
        self, status: int, headers: dict[str, str], body: bytes, request: Request, *, cut: bool = False
    ) -> None:
        self.send_response_only(status)
        length = headers.get("Content-Length", headers.get("content-length"))
        for key, value in headers.items():
            if key.lower() not in _HOP:
                self.send_header(key, value)
        self.send_header("Content-Length", length if request.method == "HEAD" and length else str(len(body)))
        self.end_headers()
        if request.method != "HEAD":
            self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self.close_connection = True


def _without_hidden(answer: bytes, hidden: Callable[[str], bool]) -> bytes:
    import re

    def shown(match: re.Match[bytes]) -> bytes:
        key = re.search(rb"<Key>(.*?)</Key>", match[0])
        return b"" if key and hidden(key[1].decode()) else match[0]

    return re.sub(rb"<Contents>.*?</Contents>", shown, answer, flags=re.DOTALL)


class Proxy(LoopbackServer):
    """Passes requests on to a server, but for those that `faults` names."""

    def __init__(self, behind: tuple[str, int]) -> None:
        self.behind = behind
        self.faults = Faults()
        super().__init__(_Handler)
