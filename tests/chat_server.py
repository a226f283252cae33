"""A local HTTP server that speaks the chat-completions protocol, and does what a test scripts it to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """What the server answers: a chat completion with `content`, or with another `status` or `body` as given."""

    content: Any = "It is fine.\nScore: 3"
    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    finish: str = "stop"
    refusal: str | None = None
    delay: float = 0.0

    def bytes(self) -> bytes:
        if self.body is not None:
            return self.body
        if self.status != 200:
            return json.dumps({"error": {"message": f"error {self.status}"}}).encode()
        message = {"role": "assistant", "content": self.content, "refusal": self.refusal}
        return json.dumps({"choices": [{"message": message, "finish_reason": self.finish}]}).encode()


class ChatServer:
    """`reply(prompt, number of times this prompt was sent before)` decides every answer; `requests` is all of them."""

    def __init__(self, reply: Callable[[str, int], Reply]) -> None:
        self.requests: list[dict[str, Any]] = []
        self.times: list[float] = []
        self._seen: dict[str, int] = {}
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                prompt = body["messages"][0]["content"]
                with outer._lock:
                    times = outer._seen.get(prompt, 0)
                    outer._seen[prompt] = times + 1
                    outer.requests.append(body | {"path": self.path, "key": self.headers.get("Authorization")})
                    outer.times.append(time.monotonic())
                answer = reply(prompt, times)
                time.sleep(answer.delay)
                content = answer.bytes()
                try:
                    self.send_response(answer.status)
                    for name, value in answer.headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                except OSError:  # the client waited no longer
                    pass

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def prompts(self) -> list[str]:
        return [request["messages"][0]["content"] for request in self.requests]


@contextmanager
def chat_server(reply: Callable[[str, int], Reply] = lambda prompt, times: Reply()) -> Iterator[ChatServer]:
    """Serve until the block ends."""
    server = ChatServer(reply)
    thread = threading.Thread(target=server._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server._server.shutdown()
        server._server.server_close()
