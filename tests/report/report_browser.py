"""A headless Chromium driven over a pipe with the DevTools protocol: no driver, no socket, no package.

Only what the tests of the page ask of a browser; it has no network to go to and its profile is thrown away.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
]


def executable() -> str | None:
    """Return the path of a Chromium, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next(filter(None, map(shutil.which, names)), None)


class Browser:
    """One Chromium with one tab; `events` holds everything that the tab reported since it was last opened."""

    def __init__(self, profile: Path) -> None:
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        command = [str(executable()), *_FLAGS, f"--user-data-dir={profile}"]
        shuffle = 'exec 3<&"$1" 4>&"$2"; shift 2; exec "$@"'  # Chromium reads descriptor 3 and writes 4
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", shuffle, "bash", str(to_read), str(to_write), *command],
            pass_fds=(to_read, to_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(to_read)
        os.close(to_write)
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        target = self._call("Target.createTarget", {"url": "about:blank"})["targetId"]
        self._session = self._call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")

    def open(
        self, file: Path, width: int = 1400, height: int = 1000, dark: bool = False, media: str = "screen"
    ) -> None:
        """Open a file and wait until it has loaded."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self._call("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", {"media": media, "features": [scheme]})
        self.events.clear()
        self._call("Page.navigate", {"url": file.resolve().as_uri()})
        while not self.seen("Page.loadEventFired"):
            self._receive()
        self.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))")

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, awaited when it is a promise; AssertionError when it throws."""
        wanted = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        answer = self._call("Runtime.evaluate", wanted)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str, code: int) -> None:
        """Press and release a key on what has the focus; `code` is its Windows virtual key code."""
        named = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        for kind in ("keyDown", "keyUp"):
            self._call("Input.dispatchKeyEvent", {"type": kind, **named})

    def seen(self, method: str) -> list[dict[str, Any]]:
        """Return the parameters of the events of one kind."""
        return [event["params"] for event in self.events if event["method"] == method]

    def complaints(self) -> list[str]:
        """Return what the console and the log say, and every request that was not the page itself or inline data."""
        said = [str(event) for event in self.seen("Runtime.consoleAPICalled") + self.seen("Runtime.exceptionThrown")]
        said += [event["entry"]["text"] for event in self.seen("Log.entryAdded")]
        urls = [event["request"]["url"] for event in self.seen("Network.requestWillBeSent")]
        return said + [url for url in urls[1:] if not url.startswith("data:")]

    def screenshot(self, file: Path, clip: Sequence[float] | None = None) -> None:
        """Write a PNG of the window, or of x, y, width and height of the whole page."""
        wanted: dict[str, Any] = {"format": "png", "captureBeyondViewport": clip is not None}
        if clip is not None:
            wanted["clip"] = dict(zip(("x", "y", "width", "height"), clip, strict=True)) | {"scale": 1}
        file.write_bytes(base64.b64decode(self._call("Page.captureScreenshot", wanted)["data"]))

    def close(self) -> None:
        """End this Chromium."""
        os.close(self._write)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._read)

    def _call(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params or {}}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer.get("result", {})  # type: ignore[no-any-return]

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            chunk = os.read(self._read, 1 << 20)
            assert chunk, "Chromium has gone"
            self._buffer += chunk
        line, self._buffer = self._buffer.split(b"\0", 1)
        message: dict[str, Any] = json.loads(line)
        if "method" in message:
            self.events.append(message)
        return message
