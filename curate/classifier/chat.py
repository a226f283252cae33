"""Ask a language model over HTTP: any endpoint that speaks OpenAI's chat-completions protocol.

Knows nothing of what is asked. Retries what may pass (429, 5xx, timeouts, broken connections) and keeps to a rate;
the key goes into the header of a request and nowhere else: not into messages, files or redirects.
"""

from __future__ import annotations

import email.utils
import http.client
import json
import random
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from curate import __version__
from curate.errors import EndpointError

_PATH = "/chat/completions"
_PASSING = {408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529}
_LONGEST_WAIT = 300.0  # seconds; a Retry-After beyond is cut
_LONGEST_BACKOFF = 60.0
_MAX_ANSWER_BYTES = 8 << 20
_EXCERPT = 300  # characters of a server's error that are shown


class StoppedError(Exception):
    """The client was stopped while a request waited for its turn."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one prompt.

    `text` is what the model wrote, None when there is no answer; then `problem` says why: "timeout", "http 500",
    "connection" … Else `problem` is "" or what the endpoint said of the text: "refusal", "cut off".
    `detail`: words of the server about a problem, for people.
    """

    text: str | None
    problem: str = ""
    detail: str = ""


@dataclass
class Client:
    """Sends prompts; any number of threads may use one client.

    `url`: the endpoint's base (`https://host/v1`) or the whole address. `timeout`: seconds to connect, and between
    two pieces of an answer. `per_minute`: requests started in a minute at most, None for no limit.
    """

    url: str
    model: str
    key: str | None = field(default=None, repr=False)
    timeout: float = 60.0
    retries: int = 5
    per_minute: float | None = None
    first_wait: float = 1.0
    _temperature: bool = field(default=True, init=False, repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise EndpointError(
                "the endpoint must be an address such as https://host/v1, without a user name, key or query in it"
            )
        base = self.url.rstrip("/")
        self.url = base if base.endswith(_PATH) else base + _PATH
        self.key = self.key.strip() if self.key else None
        if self.key and not (self.key.isascii() and self.key.isprintable()):
            raise EndpointError("the key in the environment holds characters that no key has; set it again")
        self._rate = _Rate(self.per_minute)
        self._opener = urllib.request.build_opener(_NoRedirect)

    def stop(self) -> None:
        """Make every request that waits for its turn raise StoppedError."""
        self._rate.stop()

    def ask(self, prompt: str) -> Answer:
        """Send one prompt and return the answer, after as many retries as it takes and is allowed.

        Raises EndpointError where no other request could fare better: a wrong key, an unknown address or model, no
        credit; StoppedError after `stop`.
        """
        answer = Answer(None)
        for attempt in range(self.retries + 1):
            self._rate.wait_for_turn()
            answer, wait = self._once(prompt)
            if wait is None or attempt == self.retries:
                break
            backoff = min(self.first_wait * 2**attempt, _LONGEST_BACKOFF) * random.uniform(0.75, 1.25)
            if wait:  # the server asks for a pause: all threads heed it
                self._rate.pause(wait)
            self._rate.sleep(max(wait, backoff))
        return answer

    def _once(self, prompt: str) -> tuple[Answer, float | None]:
        """Return (answer, seconds that the server wants between this and a retry, None where a retry is no use)."""
        with_temperature = self._temperature
        try:
            with self._opener.open(self._request(prompt, with_temperature), timeout=self.timeout) as response:
                return self._read(response.read(_MAX_ANSWER_BYTES)), None
        except urllib.error.HTTPError as error:
            with error:
                return self._refused(error, with_temperature)
        except TimeoutError:
            return Answer(None, "timeout"), 0.0
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):
                return Answer(None, "timeout"), 0.0
            return Answer(None, "connection", str(error.reason)), 0.0
        except (http.client.HTTPException, OSError) as error:
            return Answer(None, "connection", type(error).__name__), 0.0

    def _request(self, prompt: str, temperature: bool) -> urllib.request.Request:
        body: dict[str, Any] = {"model": self.model, "messages": [{"role": "user", "content": prompt}]}
        if temperature:
            body["temperature"] = 0
        headers = {"Content-Type": "application/json", "User-Agent": f"curate/{__version__}"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        return urllib.request.Request(self.url, json.dumps(body).encode(), headers)

    def _refused(self, error: urllib.error.HTTPError, with_temperature: bool) -> tuple[Answer, float | None]:
        try:
            said = error.read(64 << 10).decode("utf-8", errors="replace")
        except (http.client.HTTPException, OSError):
            said = ""
        said = " ".join(said.replace(self.key or "\0", "***").split())
        answer = Answer(None, f"http {error.code}", said[:_EXCERPT])
        if error.code == 400 and with_temperature and "temperature" in said:
            self._temperature = False  # reasoning models know no temperature
            return answer, 0.0
        if error.code in (401, 403):
            key = "the key is refused" if self.key else "a key is asked for"
            raise EndpointError(
                f"{self.url}: {key} (HTTP {error.code}); set CURATE_API_KEY to a valid one. It said: {said[:_EXCERPT]}"
            )
        if error.code in (404, 405) or error.code in range(300, 400):
            raise EndpointError(
                f'{self.url}: not a chat-completions endpoint, or it has no model "{self.model}" '
                f"(HTTP {error.code}); check the address and the model's name. It said: {said[:_EXCERPT]}"
            )
        if error.code == 402 or "insufficient_quota" in said:
            raise EndpointError(f"{self.url}: no credit left (HTTP {error.code}). It said: {said[:_EXCERPT]}")
        return answer, _retry_after(error.headers.get("Retry-After")) if error.code in _PASSING else None

    def _read(self, content: bytes) -> Answer:
        try:
            choice = json.loads(content)["choices"][0]
            message = choice["message"]
            text, refusal = message.get("content"), message.get("refusal")
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return Answer(None, "not a chat completion", content[:_EXCERPT].decode("utf-8", errors="replace"))
        if isinstance(text, list):  # some servers send parts
            text = "".join(str(part.get("text", "")) for part in text if isinstance(part, dict))
        reason = choice.get("finish_reason")
        # Half a surrogate pair is legal in JSON, and in no file.
        answer = str(refusal or text or "").encode("utf-8", "replace").decode()
        if refusal or reason == "content_filter":
            return Answer(answer, "refusal")
        return Answer(answer, "cut off" if reason == "length" else "")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: it would take the key to another host."""

    def redirect_request(self, *arguments: Any) -> None:
        return None


class _Rate:
    """Hands out turns to threads: evenly spaced, and none during a pause."""

    def __init__(self, per_minute: float | None) -> None:
        self._gap = 60.0 / per_minute if per_minute else 0.0
        self._next = 0.0
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def wait_for_turn(self) -> None:
        while True:
            with self._lock:
                now = time.monotonic()
                wait = self._next - now
                if wait <= 0:
                    self._next = now + self._gap
                    break
            self.sleep(wait)
        if self._stopped.is_set():
            raise StoppedError

    def pause(self, seconds: float) -> None:
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)

    def sleep(self, seconds: float) -> None:
        if self._stopped.wait(seconds):
            raise StoppedError

    def stop(self) -> None:
        self._stopped.set()


def _retry_after(value: str | None) -> float:
    """Return the seconds that a Retry-After header asks for, given as a number or a date; 0 without a usable one.

    >>> _retry_after("20")
    20.0
    """
    if not value:
        return 0.0
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return 0.0
    return min(max(seconds, 0.0), _LONGEST_WAIT) if seconds == seconds else 0.0
