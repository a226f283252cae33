"""A server on the loopback that serves from its beginning, on a port that is free."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class LoopbackServer(ThreadingHTTPServer):
    """Serves once it is made, so a subclass first sets what its handlers find in `self.server`."""

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # clients that give up close their side

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"
