"""Read the data folder, and note for a model's card what was read.

Does not decide what text is good for.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

Record = dict[str, Any]

LICENCES = {
    "lid/ntrex128": "CC BY-SA 4.0",
    "lid/udhr": "MIT (text public)",
    "lid/xquad_contexts": "CC BY-SA 4.0",
    "high_quality/books_standardebooks": "public domain / CC0",
    "high_quality/debian_docs_multiling": "GPL-2+, GPL-2+/CC BY-SA 3.0, GFDL",
    "high_quality/foldoc_dict": "GFDL",
    "high_quality/peps_rustbook_progit": "public domain/CC0 (PEPs), MIT/Apache-2.0 (Rust book); Pro Git left out",
    "high_quality/wikipedia_misc": "CC BY-SA",
    "quality_labels/clickbait_headlines": "MIT",
    "quality_labels/onestopenglish_levels": "CC BY-SA 4.0",
    "quality_labels/spam_assassin": "Apache-2.0 (package), public corpus",
    "raw_web/cc_text": "Apache-2.0 / MIT repositories; the parts without a licence left out",
    "raw_web/turku_registers_multiling": "CC BY / CC BY-SA 4.0 (annotations)",
    "math/stacks_hott_tex": "GFDL 1.2; CC BY-SA 3.0",
    "math/gsm8k_train": "MIT",
    "math/college_math_asdiv_mathqa": "Apache-2.0",
    "code/code_mixed": "MIT, Apache-2.0; GPL-3.0 records left out",
}
"""Every source that may be trained on. Others in the folder (non-commercial, or without a licence) only evaluate."""


def read_jsonl(path: Path) -> list[Record]:
    """Return the records of a .jsonl.zst file."""
    with pa.CompressedInputStream(str(path), "zstd") as stream:
        lines = stream.read().decode("utf-8").split("\n")
    return [json.loads(line) for line in lines if line]


@dataclass
class Sources:
    """The data folder; `used` remembers what was trained on, for the card."""

    folder: Path
    used: list[Record] = field(default_factory=list)

    def training(self, name: str) -> list[Record]:
        """Return the records of a source that may be trained on, and note it with its hash."""
        path = self.folder / f"{name}.jsonl.zst"
        records = [record for record in read_jsonl(path) if self._allowed(name, record)]
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        note = {"file": name, "licence": LICENCES[name], "records": len(records), "sha256": sha256}
        if note not in self.used:
            self.used.append(note)
        return records

    def evaluation(self, name: str) -> list[Record]:
        """Return the records of any source, to measure with."""
        return read_jsonl(self.folder / f"{name}.jsonl.zst")

    @staticmethod
    def _allowed(name: str, record: Record) -> bool:
        if name == "raw_web/cc_text":
            return not ("cs336" in record["source"] or "assignment4" in record["source"])
        if name == "high_quality/peps_rustbook_progit":
            return "progit" not in record["source"]
        if name == "code/code_mixed":
            return "GPL" not in str(record["license"])
        return True


def held_out(record: Record, share: float = 0.1) -> bool:
    """Whether a record is kept for evaluation, by a hash of its id: stable whatever else is in the data."""
    digest = hashlib.sha256(str(record["id"]).encode()).digest()
    return int.from_bytes(digest[:4], "big") < share * 2**32
