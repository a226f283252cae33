"""What columns and folders of a mix are called."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

from curate.recipe import fingerprint

ADDED = ("id", "source", "domain")
WEIGHT = "weight"  # column of a mix that is written once
_SPLIT_WORD = re.compile(
    r"(?:^|[-._ 0-9])(train|training|test|testing|dev|valid|validation|val|eval|evaluation)(?=[-._ 0-9]|$)"
)


def folder_name(domain: str) -> str:
    """Return a safe folder name for a domain: letters, digits, `._-` as they are, all else percent-encoded.

    >>> folder_name("../x y")
    '%2E.%2Fx%20y'
    """
    name = quote(domain or "other", safe="")
    if name[0] in "._":
        name = f"%{ord(name[0]):02X}{name[1:]}"
    split = _SPLIT_WORD.search(name)
    if split:  # Hugging Face's datasets would take the folder for a split and leave the others out
        at = split.start(1)
        name = f"{name[:at]}%{ord(name[at]):02X}{name[at + 1 :]}"
    return name if len(name) <= 200 else name[:180] + fingerprint(domain)


def output_names(columns: Sequence[str], added: Sequence[str] = ADDED) -> dict[str, str]:
    """Return what each of the input's columns is called in the mix: its own name, unless curate adds that one.

    >>> output_names(["text", "source", "input_source"])
    {'text': 'text', 'source': 'input_input_source', 'input_source': 'input_source'}
    """
    names: dict[str, str] = {}
    for column in columns:
        name = column
        while name in added or (name != column and name in columns):
            name = f"input_{name}"
        names[column] = name
    return names
