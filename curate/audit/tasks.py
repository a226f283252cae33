"""Multiple-choice questions as a measure: how much likelier a model finds the right answer than the wrong ones.

Per character, so that long answers are not unlikely for their length. Trains nothing.
Source: Magnusson et al. 2025 (DataDecide): likelihood of answers ranks corpora with far less compute than accuracy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from classifiers.arrow import Strings, as_strings
from curate.audit.proxy import Model
from curate.errors import InputError
from curate.shards.inputs import COMPRESSIONS

F64 = npt.NDArray[np.float64]
MEASURES = ("margin", "margin_mean", "accuracy")
"""Bits a character of the right answer above the best wrong one, and above the mean of the wrong ones; and how
often it is above all (chance: 1 / choices)."""


@dataclass(frozen=True)
class Task:
    """Questions of a file. Choice j is one of question `owner[j]`; `right[j]` says whether it is the answer."""

    name: str
    contexts: Strings  # one a choice: the question, and what comes before the answer
    choices: Strings
    owner: npt.NDArray[np.int64]
    right: npt.NDArray[np.bool_]
    characters: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return int(self.owner[-1]) + 1

    @property
    def texts(self) -> Strings:
        """Each question with its right answer, to be kept out of training."""
        pairs = zip(_list(self.contexts), _list(self.choices), self.right, strict=True)
        return as_strings(pa.array([before + answer for before, answer, right in pairs if right], pa.large_string()))

    def scores(self, model: Model) -> F64:
        """Return float64 (3, questions): MEASURES."""
        per_character = -model.continuation_bits(self.contexts, self.choices) / self.characters
        found = np.empty((3, len(self)))
        firsts = np.flatnonzero(np.diff(self.owner)) + 1
        for question, places in enumerate(np.split(np.arange(len(self.owner)), firsts)):
            right, score = self.right[places], per_character[places]
            wrong = score[~right]
            margin = score[right][0] - wrong.max()
            found[:, question] = margin, score[right][0] - wrong.mean(), margin > 0
        return found


def _list(strings: Strings) -> list[str]:
    from classifiers.arrow import to_array

    texts: list[str] = to_array(strings).to_pylist()
    return texts


def read_tasks(given: Mapping[str, str | Path]) -> list[Task]:
    """Read files of questions: JSON lines with `question`, `choices` (texts) and `answer`.

    `answer`: the number of the choice from 0 on, its letter, or its text. InputError names the line that is wrong.
    """
    return [_read(name, Path(path)) for name, path in given.items()]


def _read(name: str, path: Path) -> Task:
    contexts, choices, owner, right = [], [], [], []
    question = 0
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            text, options, answer = _parsed(json.loads(line))
        except (ValueError, TypeError, KeyError) as error:
            raise InputError(
                f"--tasks {name}: {path}, line {number}: {_why(error)}; a line is "
                '{"question": "…", "choices": ["…", "…"], "answer": 0}'
            ) from None
        contexts += [f"{text.rstrip()} "] * len(options)
        choices += options
        owner += [question] * len(options)
        right += [place == answer for place in range(len(options))]
        question += 1
    if not question:
        raise InputError(f"--tasks {name}: {path} holds no questions")
    made = [as_strings(pa.array(texts, pa.large_string())) for texts in (contexts, choices)]
    return Task(name, made[0], made[1], np.array(owner), np.array(right), np.array([len(text) for text in choices]))


def _lines(path: Path) -> list[str]:
    try:
        with pa.input_stream(str(path), compression=COMPRESSIONS.get(path.suffix.lower())) as file:
            return bytes(file.read()).decode("utf-8-sig").split("\n")
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _why(error: Exception) -> str:
    return f"no {error}" if isinstance(error, KeyError) else str(error)


def _parsed(record: Any) -> tuple[str, list[str], int]:
    """Return question, choices and the place of the answer; ValueError, TypeError or KeyError for anything else."""
    if not isinstance(record, dict):
        raise TypeError("not an object")
    text, choices, answer = record["question"], record["choices"], record["answer"]
    if not isinstance(text, str):
        raise TypeError("the question is no text")
    if not isinstance(choices, list) or len(choices) < 2 or not all(isinstance(one, str) and one for one in choices):
        raise TypeError("choices are two texts or more, none of them empty")
    if isinstance(answer, str):
        letter = ord(answer) - ord("A") if len(answer) == 1 else -1
        answer = choices.index(answer) if answer in choices else letter
    if not isinstance(answer, int) or isinstance(answer, bool) or not 0 <= answer < len(choices):
        raise ValueError(f"answer {record['answer']!r} is none of the {len(choices)} choices")
    return text, choices, answer
