"""`curate classifier label` against a local server: what it sends, and what it makes of every kind of answer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from curate.classifier.chat import Client, StoppedError
from curate.classifier.labelling import Document, label, read_rubric, sample, shipped_rubric
from curate.cli import main
from curate.errors import CurateError, EndpointError, InputError
from tests.chat_server import ChatServer, Reply, chat_server
from tests.corpora import write_jsonl

RUBRIC = "Rate this.\n{text}\nEnd."
KEY = "sk-a-very-secret-key"
DOCUMENTS = [Document(f"d{i}", "web", f"text number {i}") for i in range(6)]
THREE = Reply("Score: 3")


def client(server: ChatServer, **options: object) -> Client:
    settings = {"retries": 2, "timeout": 5.0, "first_wait": 0.01} | options
    return Client(server.url, "judge", KEY, **settings)  # type: ignore[arg-type]


def labelled(out: Path) -> dict[str, tuple[float | None, str | None]]:
    return {row["id"]: (row["score"], row["reason"]) for row in pq.read_table(out).to_pylist()}


def only(number: int, reply: Callable[[int], Reply]) -> Callable[[str, int], Reply]:
    """Answer text `number` with `reply(times)` and every other with a 3."""
    return lambda prompt, times: reply(times) if f"number {number}\n" in prompt else THREE


def test_labels_hold_text_score_answer_model_and_rubric(tmp_path: Path) -> None:
    with chat_server(lambda prompt, times: Reply("Clear.\nScore: 4")) as server:
        found = label(DOCUMENTS, tmp_path / "labels.parquet", client(server), rubric=RUBRIC)
    assert (found.documents, found.asked, found.scores, found.unusable) == (6, 6, {"4": 6}, {})
    row = pq.read_table(tmp_path / "labels.parquet").to_pylist()[0]
    assert row.pop("rubric")
    assert row == {
        "id": "d0", "source": "web", "text": "text number 0", "score": 4.0, "answer": "Clear.\nScore: 4",
        "reason": None, "model": "judge",
    }  # fmt: skip
    assert "Rate this.\ntext number 0\nEnd." in server.prompts
    request = server.requests[0]
    assert (request["path"], request["model"], request["key"]) == ("/v1/chat/completions", "judge", f"Bearer {KEY}")


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply("I'm sorry, I can't help with that."), "refusal"),
        (Reply(None, refusal="I must not."), "refusal"),
        (Reply("", finish="content_filter"), "refusal"),
        (Reply("It is a text."), "malformed"),
        (Reply(""), "empty"),
        (Reply("It is a", finish="length"), "cut off"),
        (Reply("Score: 9"), "out of range"),
        (Reply(body=b"<html>hello</html>"), "not a chat completion"),
        (Reply(body=b'{"choices": []}'), "not a chat completion"),
        (Reply(body=b'{"choices": [null]}'), "not a chat completion"),
        (Reply(status=400, body=b"the text is too long"), "http 400"),
        (Reply(status=500), "http 500"),
        (Reply(status=429), "http 429"),
        (Reply(delay=1.0), "timeout"),
    ],
)
def test_what_gives_no_score_has_a_reason(tmp_path: Path, reply: Reply, reason: str) -> None:
    with chat_server(only(2, lambda times: reply)) as server:
        settings = client(server, retries=1, timeout=0.2 if reply.delay else 5.0)
        found = label(DOCUMENTS, tmp_path / "labels.parquet", settings, rubric=RUBRIC)
    assert found.unusable == {reason: 1}
    assert found.scores == {"3": 5}
    assert labelled(tmp_path / "labels.parquet")["d2"] == (None, reason)


@pytest.mark.parametrize("reply", [Reply(status=429), Reply(status=500), Reply(status=503), Reply(delay=1.0)])
def test_what_may_pass_is_tried_again(tmp_path: Path, reply: Reply) -> None:
    with chat_server(only(2, lambda times: reply if times < 2 else Reply("Score: 5"))) as server:
        label(DOCUMENTS, tmp_path / "labels.parquet", client(server, timeout=0.3), rubric=RUBRIC)
    assert labelled(tmp_path / "labels.parquet")["d2"] == (5, None)
    assert len(server.requests) == 8


@pytest.mark.parametrize("value", [lambda: "1", lambda: formatdate(time.time() + 2, usegmt=True)])
def test_every_thread_heeds_retry_after(tmp_path: Path, value: Callable[[], str]) -> None:
    slow_down = Reply(status=429)
    with chat_server(lambda prompt, times: slow_down if len(server.requests) == 1 else THREE) as server:
        slow_down.headers["Retry-After"] = value()
        found = label(DOCUMENTS, tmp_path / "labels.parquet", client(server), rubric=RUBRIC, concurrency=1)
    assert found.scores == {"3": 6}
    assert server.times[1] - server.times[0] > 0.9


def test_requests_are_spaced_to_the_rate(tmp_path: Path) -> None:
    with chat_server() as server:
        label(DOCUMENTS, tmp_path / "labels.parquet", client(server, per_minute=1200), rubric=RUBRIC)
    assert max(server.times) - min(server.times) > 5 * 0.05 * 0.9


def test_a_model_that_knows_no_temperature_is_asked_without(tmp_path: Path) -> None:
    no_temperature = Reply(status=400, body=b'{"error": {"message": "Unsupported value: temperature"}}')
    with chat_server(lambda prompt, times: no_temperature if "temperature" in server.requests[-1] else THREE) as server:
        found = label(DOCUMENTS, tmp_path / "labels.parquet", client(server), rubric=RUBRIC, concurrency=1)
    assert found.scores == {"3": 6} and len(server.requests) == 7


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply(status=401, body=f"Incorrect API key: {KEY}".encode()), "the key is refused"),
        (Reply(status=403), "the key is refused"),
        (Reply(status=404), 'has no model "judge"'),
        (Reply(status=402), "no credit"),
        (Reply(status=429, body=b'{"error": {"code": "insufficient_quota"}}'), "no credit"),
        (Reply(status=307, headers={"Location": "http://127.0.0.1:9/elsewhere"}), "not a chat-completions endpoint"),
    ],
)
def test_what_no_retry_can_help_stops_at_once_and_never_shows_the_key(tmp_path: Path, reply: Reply, says: str) -> None:
    many = [Document(f"d{i}", "web", f"text {i}") for i in range(200)]
    with chat_server(lambda prompt, times: reply) as server, pytest.raises(EndpointError, match=says) as caught:
        label(many, tmp_path / "labels.parquet", client(server), rubric=RUBRIC, concurrency=4)
    assert len(server.requests) <= 8
    assert KEY not in str(caught.value)
    assert not (tmp_path / "labels.parquet").exists()


def test_an_endpoint_that_cannot_be_reached_is_named(tmp_path: Path) -> None:
    with chat_server() as server:
        pass
    with pytest.raises(EndpointError, match=r"127\.0\.0\.1.*refused"):
        label(DOCUMENTS, tmp_path / "labels.parquet", client(server, retries=1), rubric=RUBRIC)


def test_many_failures_in_a_row_end_it_and_answers_are_kept(tmp_path: Path) -> None:
    many = [Document(f"d{i}", "web", f"text {i}") for i in range(100)]
    broken = Reply(status=500)
    with (
        chat_server(lambda prompt, times: THREE if len(server.requests) <= 5 else broken) as server,
        pytest.raises(EndpointError, match="in a row without an answer, the last for: http 500"),
    ):
        label(many, tmp_path / "labels.parquet", client(server, retries=0), rubric=RUBRIC, concurrency=1)
    assert len(server.requests) == 25
    with chat_server() as server:
        found = label(many, tmp_path / "labels.parquet", client(server), rubric=RUBRIC)
    assert (found.documents, found.asked) == (100, 95)


def test_texts_that_an_endpoint_never_takes_do_not_stop_the_next_run(tmp_path: Path) -> None:
    too_long = Reply(status=400)
    for asked in (6, 1):
        with chat_server(only(2, lambda times: too_long)) as server:
            found = label(DOCUMENTS, tmp_path / "labels.parquet", client(server), rubric=RUBRIC)
        assert (found.asked, found.unusable) == (asked, {"http 400": 1})


def test_an_answer_is_paid_for_once_for_each_text_model_and_rubric(tmp_path: Path) -> None:
    out = tmp_path / "labels.parquet"
    with chat_server() as server:
        label(DOCUMENTS[:4], out, client(server), rubric=RUBRIC)
        assert label(DOCUMENTS, out, client(server), rubric=RUBRIC).asked == 2
        assert label(DOCUMENTS, out, client(server), rubric="Otherwise: {text}").asked == 6
        assert (
            label([*DOCUMENTS, Document("twin", "web", "text number 1")], out, client(server), rubric=RUBRIC).asked == 0
        )
        assert len(server.requests) == 12
    assert labelled(out)["twin"] == (3, None)


def test_failures_of_the_moment_are_asked_again_next_time(tmp_path: Path) -> None:
    for reply, asked in ((Reply(status=503), 6), (Reply("Score: 1"), 1)):
        with chat_server(only(2, lambda times, reply=reply: reply)) as server:  # type: ignore[misc]
            found = label(DOCUMENTS, tmp_path / "labels.parquet", client(server), rubric=RUBRIC)
        assert found.asked == asked
    assert labelled(tmp_path / "labels.parquet")["d2"] == (1, None)


def test_a_torn_line_in_the_cache_is_asked_again(tmp_path: Path) -> None:
    out, cache = tmp_path / "labels.parquet", tmp_path / "labels.cache.jsonl"
    with chat_server() as server:
        label(DOCUMENTS, out, client(server), rubric=RUBRIC)
        cache.write_bytes(cache.read_bytes()[:-30])
        assert label(DOCUMENTS, out, client(server), rubric=RUBRIC).asked == 1
        assert label(DOCUMENTS, out, client(server), rubric=RUBRIC).asked == 0
    assert KEY not in cache.read_text()


def test_a_stopped_client_wakes_those_that_wait() -> None:
    with chat_server(lambda prompt, times: Reply(status=429, headers={"Retry-After": "100"})) as server:
        asking = client(server)
        threading.Timer(0.2, asking.stop).start()
        started = time.monotonic()
        with pytest.raises(StoppedError):
            asking.ask("x")
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://host/v1", "https://me:secret@host/v1", "https://h/v1?key=x"])
def test_an_endpoint_that_is_none_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(EndpointError, match="such as https") as caught:
        Client(url, "judge")
    assert "secret" not in str(caught.value)


def test_the_sample_depends_on_texts_alone_and_grows(tmp_path: Path) -> None:
    texts = [f"document {i} of many" for i in range(300)]
    write_jsonl(tmp_path / "a.jsonl", [{"id": f"a{i}", "text": text} for i, text in enumerate(texts)])
    write_jsonl(tmp_path / "b.jsonl", [{"id": f"b{i}", "text": text} for i, text in enumerate([*texts[::-1], "  "])])
    small = [document.text for document in sample([tmp_path / "a.jsonl"], 20, 100)]
    large = [document.text for document in sample([tmp_path / "b.jsonl"], 50, 100)]
    both = [document.text for document in sample([tmp_path], 50, 100)]
    assert small == large[:20] and large == both and len(set(both)) == 50
    assert [document.text for document in sample([tmp_path], 20, 5)] == ["docum"] * 20
    assert len(sample([tmp_path], 1000, 100)) == 300


def test_a_large_sample_is_pruned_to_the_smallest_hashes(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", [{"text": f"document {i}"} for i in range(3000)])
    all_of_them = sample([tmp_path], 3000, 100)
    assert sample([tmp_path], 10, 100) == all_of_them[:10]
    assert all(document.id for document in all_of_them)


def test_a_rubric_without_a_place_for_the_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rubric.md").write_text("Rate the text.")
    with pytest.raises(InputError, match=r"rubric\.md.*\{text\}"):
        read_rubric(tmp_path / "rubric.md")
    assert shipped_rubric().count("{text}") == 1


def run(*arguments: object, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(main, ["classifier", "label", *map(str, arguments)])


def test_the_command_labels_splits_and_says_what_it_found(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "in.jsonl", [{"id": f"d{i}", "text": f"text number {i}"} for i in range(6)])
    out = tmp_path / "made" / "labels.parquet"
    with chat_server(lambda prompt, times: Reply(f"Score: {prompt.count('number 1') * 5}")) as server:
        result = run(
            tmp_path / "in.jsonl", "--out", out, "--model", "judge", "--split", 3,
            CURATE_ENDPOINT=server.url, OPENAI_API_KEY=KEY,
        )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert server.requests[0]["key"] == f"Bearer {KEY}"
    assert "6 documents, 6 of them asked for now" in result.stdout
    assert pq.read_table(out.with_name("labels.positive.parquet"))["id"].to_pylist() == ["d1"]
    assert len(pq.read_table(out.with_name("labels.negative.parquet"))) == 5
    for path in out.parent.iterdir():
        assert KEY.encode() not in path.read_bytes()


def test_the_command_reports_a_wrong_key_in_one_message(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "in.jsonl", [{"text": "a text"}])
    with chat_server(lambda prompt, times: Reply(status=401)) as server:
        result = run(
            tmp_path / "in.jsonl", "--out", tmp_path / "l.parquet", "--model", "m", "--endpoint", server.url,
            CURATE_API_KEY=KEY,
        )  # fmt: skip
    assert result.exit_code == 1
    assert "CURATE_API_KEY" in result.stderr and KEY not in result.output and "Traceback" not in result.output


def test_the_shipped_rubric_is_printed() -> None:
    result = run("--show-rubric")
    assert result.exit_code == 0 and result.stdout == shipped_rubric()


def test_a_killed_run_goes_on_with_what_it_has(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "in.jsonl", [{"id": f"d{i}", "text": f"text number {i}"} for i in range(40)])
    out = tmp_path / "labels.parquet"
    with chat_server(lambda prompt, times: Reply("Score: 2", delay=0.1)) as server:
        command = [sys.executable, "-m", "curate.cli", "classifier", "label", str(tmp_path / "in.jsonl")]
        command += ["--out", str(out), "--endpoint", server.url, "--model", "judge", "--concurrency", "2"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ))
        while len(server.requests) < 10 and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        before = len(server.requests)
        kept = sum(1 for line in out.with_suffix(".cache.jsonl").read_text().splitlines() if json.loads(line))
        assert 6 <= kept <= before and not out.exists()
        found = label(sample([tmp_path / "in.jsonl"], 1000, 8000), out, client(server), rubric=shipped_rubric())
    assert (found.documents, found.asked, found.scores) == (40, 40 - kept, {"2": 40})


def test_endpoint_errors_are_curate_errors() -> None:
    assert issubclass(EndpointError, CurateError)
