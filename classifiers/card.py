"""Find shipped models; read and write the cards (JSON) that lie beside model files.

Does not read the models themselves.
"""

from __future__ import annotations

import difflib
import json
from os import PathLike
from pathlib import Path
from typing import Any

from classifiers.errors import ClassifierError

MODELS = Path(__file__).parent / "models"


def shipped_names() -> list[str]:
    """Return the names of the models in this package, sorted."""
    return sorted(path.stem for path in MODELS.glob("*.ftz"))


def find_model(name_or_path: str | PathLike[str]) -> Path:
    """Return the model file meant by a shipped name or a path; a shipped name wins.

    Raises ClassifierError, with a suggestion, when there is neither.
    """
    text = str(name_or_path)
    names = shipped_names()
    if text in names:
        return MODELS / f"{text}.ftz"
    path = Path(name_or_path)
    if path.is_file():
        return path
    if path.is_dir():
        raise ClassifierError(f"{path} is a folder; a classifier is one fastText file (.bin or .ftz)")
    close = difflib.get_close_matches(text, names, n=1, cutoff=0.6)
    hint = f'did you mean "{close[0]}"?' if close else f"shipped: {', '.join(names)}, or give the path of a file"
    raise ClassifierError(f'no classifier "{text}": neither a shipped name nor a file; {hint}')


def read_card(model: Path) -> dict[str, Any]:
    """Return the card beside `model` (same name, .json), or {} when there is none.

    Raises ClassifierError when the card is not a JSON object.
    """
    path = model.with_suffix(".json")
    if not path.is_file():
        return {}
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ClassifierError(f"{path}: the model's card is not JSON ({error}); correct or remove it") from error
    if not isinstance(card, dict):
        raise ClassifierError(f"{path}: the model's card must be a JSON object; correct or remove it")
    return card


def write_card(model: Path, card: dict[str, Any]) -> None:
    """Write `card` beside `model`, as a whole or not at all."""
    path = model.with_suffix(".json")
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)
