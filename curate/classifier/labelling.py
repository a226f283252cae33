"""Label documents with a language model: sample, ask, read the scores, write them as Parquet.

Every answer is kept in a cache beside the output the moment it comes, so that no document is paid for twice: the
same command goes on where it stopped, and a larger sample asks only for what is new. How to talk to a model is
`curate.classifier.chat`'s business, and reading its answers that of `curate.classifier.answers`.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from classifiers.arrow import as_strings
from curate.classifier.answer_cache import AnswerCache, opened
from curate.classifier.answers import parse_score
from curate.classifier.chat import Answer, Client
from curate.errors import EndpointError, InputError
from curate.kernels.hashing import text_hash
from curate.measure.texts import identify
from curate.shards import ReadOptions, plan, read
from curate.tables import TableWriter

PLACE = "{text}"
"""Where a rubric wants the text."""

_RUBRIC = Path(__file__).parent / "rubric.md"
_PATIENCE = 20  # documents in a row without an answer before labelling gives up
_OF_ONE_TEXT = ("http 400", "http 413", "http 422")  # too long, or not to the endpoint's taste
_POLL_SECONDS = 0.2
_SCHEMA = pa.schema(
    [
        ("id", pa.large_string()),
        ("source", pa.string()),
        ("text", pa.large_string()),
        ("score", pa.float64()),
        ("answer", pa.large_string()),
        ("reason", pa.string()),
        ("model", pa.string()),
        ("rubric", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Document:
    """A document to label; `text` is what the model is shown, the beginning of the whole."""

    id: str
    source: str
    text: str


@dataclass(frozen=True)
class Outcome:
    """What labelling found: documents, how many were asked for now, and how many have each score or each reason."""

    documents: int
    asked: int
    scores: dict[str, int]
    unusable: dict[str, int]
    files: list[Path]


def shipped_rubric() -> str:
    """Return the rubric that is used unless another is given."""
    return _RUBRIC.read_text(encoding="utf-8")


def read_rubric(path: Path | None) -> str:
    """Return the rubric in a file, the shipped one for None.

    Raises InputError when it cannot be read or has no place for the text.
    """
    try:
        rubric = shipped_rubric() if path is None else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: the rubric cannot be read: {error}") from error
    if rubric.count(PLACE) != 1:
        raise InputError(f"{path}: the rubric must hold {PLACE} exactly once, where the text of a document is to stand")
    return rubric


def sample(
    inputs: Sequence[str | Path], count: int, max_chars: int, options: ReadOptions | None = None
) -> list[Document]:
    """Return `count` documents of the inputs, those with the smallest hashes, in the order of their hashes.

    The choice depends on the texts alone, each text (white space apart) comes once, and a larger sample holds the
    smaller. Texts are cut to `max_chars` characters; blank ones are left out. Holds the sample in memory.
    """
    chosen: dict[tuple[int, int], Document] = {}
    highest = (1 << 64, 0)
    for shard in plan(inputs):
        for batch in read(shard, options or ReadOptions(metadata=False), on_reject=lambda reject: None):
            ids = pa.nulls(len(batch), pa.large_string()) if batch.ids is None else batch.ids
            for row, words in enumerate(text_hash(as_strings(batch.texts)).tolist()):
                key = (words[0], words[1])
                if key >= highest or key in chosen:
                    continue
                text = batch.texts[row].as_py()
                if text.strip():
                    chosen[key] = Document(
                        identify(ids[row : row + 1], [text])[0].as_py(), shard.source, text[:max_chars]
                    )
                if len(chosen) >= 2 * count + 1000:
                    highest = _prune(chosen, count)
    return [chosen[key] for key in sorted(chosen)[:count]]


def _prune(chosen: dict[tuple[int, int], Document], count: int) -> tuple[int, int]:
    """Leave the `count` smallest; return the key that others have to be below."""
    keys = sorted(chosen)
    for key in keys[count:]:
        del chosen[key]
    return keys[count - 1]


def label(
    documents: Sequence[Document],
    out: Path,
    client: Client,
    *,
    rubric: str,
    concurrency: int = 8,
    split: float | None = None,
    advance: Callable[[int], None] = lambda done: None,
) -> Outcome:
    """Ask for the score of every document and write the labels to `out`, a Parquet file.

    Columns: id, source, text (what the model saw), score (0 to 5, null where the answer has none), answer (as it came),
    reason (why there is no score: "refusal", "malformed", "timeout", "http 500" …), model, rubric (a hash of it).
    With `split`, two more files, for training: OUT.positive.parquet with scores of at least that, OUT.negative.parquet
    with those below. `advance` is told how many documents are done. Raises EndpointError as `Client.ask` does, and
    when no document gets an answer; all answers so far are kept for the next time.
    """
    digest = hashlib.sha256(rubric.encode()).hexdigest()[:16]
    keys = [_key(client.model, digest, document.text) for document in documents]
    texts = {key: document.text for key, document in zip(keys, documents, strict=True)}
    with opened(out.with_suffix(".cache.jsonl")) as cache:
        missing = {key: text for key, text in texts.items() if cache.get(key) is None}
        advance(len(texts) - len(missing))
        asking = _Asking(client, rubric, cache, concurrency, answered=len(texts) - len(missing))
        failed = asking.all(missing, advance)
        answers = [cache.get(key) or failed[key] for key in keys]
    rows = [_row(document, answer, client.model, digest) for document, answer in zip(documents, answers, strict=True)]
    files = _write(rows, out, split)
    return Outcome(
        documents=len(rows),
        asked=len(missing),
        scores=dict(sorted(Counter(f"{row['score']:g}" for row in rows if row["score"] is not None).items())),
        unusable=dict(Counter(row["reason"] for row in rows if row["score"] is None).most_common()),
        files=files,
    )


def _key(model: str, rubric: str, text: str) -> str:
    whole = json.dumps([model, rubric, text]).encode()
    return hashlib.sha256(whole).hexdigest()


@dataclass
class _Asking:
    """Asks for many answers at a time and fills the cache with them."""

    client: Client
    rubric: str
    cache: AnswerCache
    concurrency: int
    answered: int
    _in_a_row: int = 0

    def all(self, texts: dict[str, str], advance: Callable[[int], None]) -> dict[str, Answer]:
        """Ask about every text; return what went wrong with those that got no answer."""
        failed: dict[str, Answer] = {}
        waiting = iter(texts.items())
        pool = ThreadPoolExecutor(self.concurrency, thread_name_prefix="label")
        pending: dict[Future[Answer], str] = {}
        try:
            while True:
                while len(pending) < self.concurrency and (following := next(waiting, None)):
                    prompt = self.rubric.replace(PLACE, following[1])
                    pending[pool.submit(self.client.ask, prompt)] = following[0]
                if not pending:
                    break
                done, _ = wait(pending, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
                for future in done:
                    answer = future.result()
                    key = pending.pop(future)
                    if answer.text is None:
                        failed[key] = answer
                    self._take(key, answer, last=len(failed) == len(texts))
                    advance(1)
        except BaseException:
            self.client.stop()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            self._keep_late(pending)
        return failed

    def _take(self, key: str, answer: Answer, *, last: bool) -> None:
        """Keep an answer; raise EndpointError when there is no hope of another."""
        if answer.text is not None:
            self.cache.add(key, answer)
            self.answered += 1
            self._in_a_row = 0
            return
        if answer.problem in _OF_ONE_TEXT and self.answered:
            return
        self._in_a_row += 1
        if self._in_a_row >= max(_PATIENCE, 2 * self.concurrency) or (last and not self.answered):
            said = f" ({answer.detail})" if answer.detail else ""
            raise EndpointError(
                f"{self.client.url}: {self._in_a_row} documents in a row without an answer, the last for: "
                f"{answer.problem}{said}; answers so far are kept, the same command goes on with the rest"
            )

    def _keep_late(self, pending: dict[Future[Answer], str]) -> None:
        """Keep the answers to requests that were on their way when asking stopped: they are paid for."""
        for future, key in pending.items():
            if not future.cancelled() and future.exception() is None and (late := future.result()).text is not None:
                self.cache.add(key, late)


def _row(document: Document, answer: Answer, model: str, rubric: str) -> dict[str, Any]:
    score, reason = (None, answer.problem) if answer.text is None else parse_score(answer.text, answer.problem)
    return {
        "id": document.id,
        "source": document.source,
        "text": document.text,
        "score": score,
        "answer": answer.text,
        "reason": reason,
        "model": model,
        "rubric": rubric,
    }


def _write(rows: list[dict[str, Any]], out: Path, split: float | None) -> list[Path]:
    scored = [row for row in rows if row["score"] is not None]
    files = {out: rows}
    if split is not None:
        files[out.with_suffix(".positive.parquet")] = [row for row in scored if row["score"] >= split]
        files[out.with_suffix(".negative.parquet")] = [row for row in scored if row["score"] < split]
    else:  # those of an earlier run are of other labels
        for old in (".positive.parquet", ".negative.parquet"):
            out.with_suffix(old).unlink(missing_ok=True)
    for path, chosen in files.items():
        with TableWriter(path) as writer:
            writer.write(pa.Table.from_pylist(chosen, schema=_SCHEMA))
    return list(files)
