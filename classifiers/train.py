"""Labelled texts in, a fastText model out: lines as fastText reads them, training, quantisation.

Chooses, splits and judges no data, and writes no card. `fasttext` does the training.
"""

from __future__ import annotations

import hashlib
import platform
import re
import tempfile
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from classifiers.arrow import as_array
from classifiers.errors import ClassifierError

DEFAULTS: dict[str, Any] = {
    "dim": 16,
    "epoch": 5,
    "lr": 0.2,
    "wordNgrams": 2,
    "minn": 0,
    "maxn": 0,
    "bucket": 1 << 20,
    "minCount": 2,
    "loss": "softmax",
}
"""Keyword arguments of fastText's `train_supervised`: a small model of words and word pairs."""

_SPACES = " \t\n\v\f\r\0"  # where words end, for fastText
_WORDS_APART = re.compile(rf"(?<![^{_SPACES}])(?:__label__[^{_SPACES}]*|</s>(?![^{_SPACES}]))")
_LINES_AT_ONCE = 10_000


def check_label(label: str) -> None:
    """Raise ClassifierError where fastText could not tell a label from the words of a line."""
    if not label or any(character in label for character in _SPACES):
        raise ClassifierError(f'"{label}" cannot be a label: it must be one word, without spaces; try "_" or "-"')
    if label.startswith("__label__"):
        raise ClassifierError(f'"{label}" cannot be a label: fastText adds "__label__" itself')


def one_line(texts: Any) -> pa.Array:
    """Return each text as the line that a model sees when it scores the text, as Arrow large_string.

    Newlines become spaces; the word `</s>` ends the text; words that start with `__label__`, which scoring passes
    over, are left out, because in a training file they would be labels.
    """
    lines = pc.replace_substring(as_array(texts).cast(pa.large_string()), "\n", " ")
    marked = pc.or_(pc.match_substring(lines, "__label__"), pc.match_substring(lines, "</s>"))
    if not pc.any(marked).as_py():
        return lines
    plain = [_without_marks(line) for line in lines.filter(marked).to_pylist()]
    return pc.replace_with_mask(lines, marked, pa.array(plain, pa.large_string()))


def _without_marks(line: str) -> str:
    kept, start = [], 0
    for mark in _WORDS_APART.finditer(line):
        kept.append(line[start : mark.start()])
        start = mark.end()
        if mark.group() == "</s>":
            return "".join(kept)
    return "".join([*kept, line[start:]])


def write_lines(path: Path, texts: Any, labels: Sequence[str], codes: npt.NDArray[np.integer[Any]]) -> str:
    """Write a training file, one line a text in the order given; return its SHA-256.

    `codes` are indices into `labels`, one a text. fastText learns from lines in their order: shuffle first.
    """
    array = as_array(texts)
    names = pa.array([f"__label__{label}" for label in labels], pa.large_string())
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for start in range(0, len(array), _LINES_AT_ONCE):
            part = one_line(array.slice(start, _LINES_AT_ONCE))
            marks = names.take(pa.array(codes[start : start + _LINES_AT_ONCE]))
            made = pc.binary_join_element_wise(marks, part, pa.scalar(" ", pa.large_string()))
            encoded = ("\n".join(made.to_pylist()) + "\n").encode()
            digest.update(encoded)
            file.write(encoded)
    return digest.hexdigest()


def train_lines(
    lines: Path,
    out: Path,
    parameters: dict[str, Any],
    *,
    quantise: dict[str, Any] | None = None,
    validation: Path | None = None,
    autotune_seconds: int = 0,
    threads: int = 1,
) -> dict[str, Any]:
    """Train on a file of lines, write the model to `out` as a whole or not at all, and return what its card says of it.

    `parameters` and `quantise` are keyword arguments of fastText's `train_supervised` and `quantize`; without
    `quantise` the model stays dense. With `autotune_seconds` fastText looks for the parameters that are not given,
    by F1 on the file `validation`. With one thread and without autotuning, the same lines and parameters give the
    same bytes. Raises ClassifierError when fastText cannot train or quantise, in words about what to change.
    """
    import fasttext

    if parameters.get("minn", 0) > parameters.get("maxn", 0):
        raise ClassifierError(f"minn ({parameters['minn']}) is larger than maxn ({parameters.get('maxn', 0)})")
    tuning = {"autotuneValidationFile": str(validation), "autotuneDuration": autotune_seconds}
    try:
        model = fasttext.train_supervised(
            str(lines), thread=threads, verbose=0, **parameters, **(tuning if autotune_seconds else {})
        )
        found = _parameters(model)
        if quantise is not None:
            model.quantize(str(lines), thread=threads, verbose=0, **quantise)
    except MemoryError:
        raise ClassifierError(
            "not enough memory to train: choose a smaller dim or bucket, or a larger min-count"
        ) from None
    except (ValueError, RuntimeError) as error:
        raise ClassifierError(_explain(str(error))) from None
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f".{out.name}.partial")
    try:
        model.save_model(str(partial))
        partial.replace(out)
    except ValueError as error:
        raise ClassifierError(f"{out}: cannot be written: {error}") from None
    finally:
        partial.unlink(missing_ok=True)
    return {
        "parameters": {
            "train": found | {"seed": parameters.get("seed", 0)},
            "quantise": quantise,
            "threads": threads,
            "autotune_seconds": autotune_seconds or None,
        },
        "versions": {
            "python": platform.python_version(),
            "fasttext-community": version("fasttext-community"),
        },
        "date": date.today().isoformat(),
        "model_bytes": out.stat().st_size,
        "model_sha256": hashlib.sha256(out.read_bytes()).hexdigest(),
    }


def train(
    texts: Any,
    labels: Sequence[str],
    codes: npt.NDArray[np.integer[Any]],
    out: Path,
    parameters: dict[str, Any],
    *,
    validation: tuple[Any, npt.NDArray[np.integer[Any]]] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Train on texts in memory, in the order given; `options` are those of `train_lines`.

    `codes` are indices into `labels`, one a text; `validation` has texts and codes to tune on.
    Returns what the card says of the model, with the hash of the training lines. Raises as `train_lines` does.
    """
    for label in labels:
        check_label(label)
    with tempfile.TemporaryDirectory(prefix="curate-train-") as scratch:
        lines, tuned = Path(scratch, "train.txt"), Path(scratch, "validation.txt")
        sha256 = write_lines(lines, texts, labels, codes)
        if validation is not None:
            write_lines(tuned, validation[0], labels, validation[1])
        made = train_lines(lines, out, parameters, validation=tuned, **options)
    return {"examples_sha256": sha256, **made}


def _parameters(model: Any) -> dict[str, Any]:
    """Return what the model was trained with, autotuned or not."""
    used = model.f.getArgs()
    return {name: used.loss.name if name == "loss" else _rounded(getattr(used, name)) for name in DEFAULTS}


def _rounded(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _explain(message: str) -> str:
    if "NaN" in message:
        return "training diverged (fastText met a number that is none); lower the learning rate"
    if "too small for quantization" in message:
        return "the model has, or the cutoff leaves, too few features to quantise (under 256); do not quantise"
    if "Empty vocabulary" in message:
        return "no word is frequent enough to learn from; give more text or lower the minimum count"
    return f"fastText cannot train: {message}"
