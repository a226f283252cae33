"""Coverage-guided fuzzing of the kernels that read text, as plain Python: `python tests/fuzz.py -max_total_time=600`.

Not part of the tests: it needs atheris (pip install atheris) and as much time as it is given. Kernels run uncompiled,
so that atheris sees which lines a text reaches; what is LLVM in them is stood in for by Python that checks the bounds
of each access, which compiled kernels never do. A text must come out between others as it does alone, and cleaned
texts must be UTF-8. Classifiers are left out: their 32-bit hashes wrap around only when compiled. Options are
libFuzzer's; a failing input is kept in a file, and given as an argument it runs again.
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import Any

os.environ["NUMBA_DISABLE_JIT"] = "1"  # before numba is imported
sys.path.insert(0, str(Path(__file__).parents[1]))
warnings.simplefilter("ignore")  # integers of NumPy warn where compiled ones wrap around

import atheris  # noqa: E402
import numba.extending  # noqa: E402
import numpy as np  # noqa: E402

SPACES = {ord(ch.encode()[:1]) for ch in map(chr, range(0x80)) if ch.isspace() and ch != " "}


def inside(array: Any, first: int, stop: int) -> bytes:
    """Return bytes of an array, all of which have to be there."""
    assert 0 <= first <= stop <= len(array), f"bytes {first} to {stop} of {len(array)}"
    return bytes(array[first:stop])


def load_u64(data: Any, index: Any) -> Any:
    return np.uint64(int.from_bytes(inside(data, int(index), int(index) + 8), "little"))


def store_u64(data: Any, index: Any, value: Any) -> None:
    inside(data, int(index), int(index) + 8)
    data[int(index) : int(index) + 8] = np.frombuffer(int(value).to_bytes(8, "little"), np.uint8)


def marks(places: list[bool]) -> Any:
    return np.uint64(sum(1 << place for place, marked in enumerate(places) if marked))


def word_masks(data: Any, index: Any) -> Any:
    block = inside(data, int(index), int(index) + 64)
    return marks([byte < 0x80 and (chr(byte).isalnum() or byte == 0x5F) for byte in block]), marks(
        [byte >= 0x80 for byte in block]
    )


def space_masks(data: Any, index: Any) -> Any:
    block = inside(data, int(index), int(index) + 66)
    return marks([byte == 0x20 for byte in block[:64]]), marks([begins_space(block, place) for place in range(64)])


def begins_space(block: bytes, place: int) -> bool:
    if block[place] < 0x80:
        return block[place] in SPACES
    width = {0xC2: 2, 0xE1: 3, 0xE2: 3, 0xE3: 3}.get(block[place])
    if width is None:
        return False
    try:
        return block[place : place + width].decode().isspace()
    except UnicodeDecodeError:
        return False


def trailing_zeros(value: Any) -> int:
    return 64 if not value else (int(value) & -int(value)).bit_length() - 1


STAND_INS = {
    "load_u64": load_u64,
    "store_u64": store_u64,
    "word_masks": word_masks,
    "space_masks": space_masks,
    "trailing_zeros": trailing_zeros,
}
numba.extending.intrinsic = lambda function: STAND_INS.get(function.__name__)

with atheris.instrument_imports(include=["curate.kernels"]):
    from classifiers.arrow import as_strings, to_array
    from curate.dedup import signatures
    from curate.dedup.urls import url_hashes
    from curate.measure.texts import measure
    from curate.signals import registry
    from curate.text import CLEANERS, clean
    from tests.test_fuzz import NASTY, same

SIGNALS = sorted(name for name in registry() if "ftfy" not in name)


def texts_of(source: Any) -> list[str]:
    """Make a few texts of what the fuzzer gives: pieces that are known to be nasty, and characters of its own."""
    texts = []
    for _ in range(source.ConsumeIntInRange(1, 3)):
        text = ""
        for _ in range(source.ConsumeIntInRange(0, 12)):
            at = source.ConsumeIntInRange(0, 2 * len(NASTY))
            text += NASTY[at] if at < len(NASTY) else source.ConsumeUnicodeNoSurrogates(20)
        texts.append(text)
    return texts


def try_texts(given: bytes) -> None:
    """Give the same texts to one family of kernels, together and alone."""
    source = atheris.FuzzedDataProvider(given)
    what = source.ConsumeIntInRange(0, 4)
    chosen = SIGNALS[source.ConsumeIntInRange(0, len(SIGNALS) - 1) :][:8]
    cleaner = sorted(CLEANERS)[source.ConsumeIntInRange(0, len(CLEANERS) - 1)]
    texts = texts_of(source)
    if what <= 2:
        together = measure(texts, chosen)
        for place, text in enumerate(texts):
            same(together[place : place + 1], measure([text], chosen))
    elif what == 3 and "ftfy" not in cleaner:
        together = to_array(clean(as_strings(texts), (cleaner,)))
        together.validate(full=True)
        for place, text in enumerate(texts):
            assert together[place].as_py() == to_array(clean(as_strings([text]), (cleaner,)))[0].as_py()
    elif what == 4:
        together = signatures(texts, num_perm=8)
        for place, text in enumerate(texts):
            assert np.array_equal(together[place : place + 1], signatures([text], num_perm=8))
        url_hashes("url", to_array(as_strings(texts)))


def main() -> None:
    """Fuzz until the time is over or something is found."""
    atheris.Setup(sys.argv, try_texts)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
