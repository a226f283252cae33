"""As much of the Hugging Face Hub as huggingface_hub asks for to list and read one dataset."""

from __future__ import annotations

import json
import re
from collections import Counter
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.loopback import LoopbackServer

REVISIONS = ("main", "v1", "refs/convert/parquet")


class Hub(LoopbackServer):
    """One dataset `owner/name` with `files`, the same in all REVISIONS; `owner/gated` lets nobody in."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.requests: Counter[str] = Counter()
        self.failing: list[str] = []  # kinds of request that are answered with 503, once each
        super().__init__(_Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, *_: Any) -> None:
        pass

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        match = re.fullmatch(r"/api/datasets/([^/]+/[^/]+)(?:/(revision|tree|paths-info)/([^/]+)(?:/(.*))?)?", url.path)
        match = match or re.fullmatch(r"/datasets/([^/]+/[^/]+)/(resolve)/([^/]+)/(.*)", url.path)
        if match is None:
            return self._refuse(404, "")
        repo, kind, revision, path = (
            match[1],
            match[2] or "revision",
            unquote(match[3] or "main"),
            unquote(match[4] or ""),
        )
        self.server.requests[kind] += 1
        if kind in self.server.failing:
            self.server.failing.remove(kind)
            return self._refuse(503, "")
        if repo == "owner/gated" and kind != "revision":
            return self._refuse(403, "GatedRepo")
        if repo not in ("owner/name", "owner/gated"):
            return self._refuse(401, "RepoNotFound")
        if revision not in REVISIONS:
            return self._refuse(404, "RevisionNotFound")
        if kind == "revision":
            return self._answer({"id": repo, "sha": "0" * 40, "siblings": []})
        if kind == "resolve":
            return self._send(path)
        asked = parse_qs(body.decode()).get("paths", []) if kind == "paths-info" else None
        entries = self._entries()
        if asked is not None:
            return self._answer([entries[name] for name in asked if name in entries])
        below = {name: entry for name, entry in entries.items() if name.startswith(f"{path}/" if path else "")}
        if not below:
            return self._refuse(404, "EntryNotFound")
        if parse_qs(url.query).get("recursive") != ["True"] and parse_qs(url.query).get("recursive") != ["true"]:
            depth = path.count("/") + 1 if path else 0
            below = {name: entry for name, entry in below.items() if name.count("/") == depth}
        return self._answer(list(below.values()))

    do_GET = do_HEAD = do_POST = _handle  # noqa: N815

    def _entries(self) -> dict[str, dict[str, Any]]:
        entries: dict[str, dict[str, Any]] = {}
        for name, content in self.server.files.items():
            parts = name.split("/")
            for depth in range(1, len(parts)):
                folder = "/".join(parts[:depth])
                entries[folder] = {"type": "directory", "oid": f"{hash(folder):040d}"[-40:], "size": 0, "path": folder}
            oid = f"{hash(content) & (1 << 64) - 1:040x}"
            entries[name] = {"type": "file", "oid": oid, "size": len(content), "path": name}
        return entries

    def _send(self, name: str) -> None:
        content = self.server.files.get(name)
        if content is None:
            return self._refuse(404, "EntryNotFound")
        status, headers = 200, {"ETag": f'"{hash(content)}"', "Accept-Ranges": "bytes"}
        if match := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or ""):
            start, end = int(match[1]), min(int(match[2] or len(content)), len(content) - 1)
            headers["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
            status, content = 206, content[start : end + 1]
        self._reply(status, headers, content)

    def _answer(self, found: Any) -> None:
        self._reply(200, {"Content-Type": "application/json"}, json.dumps(found).encode())

    def _refuse(self, status: int, code: str) -> None:
        self._reply(status, {"X-Error-Code": code} if code else {}, b"{}")

    def _reply(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response_only(status)
        for key, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
