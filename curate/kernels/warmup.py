"""Compile kernels before the first run: in parallel processes, once for a machine and a version.

numba keeps what it compiled beside the sources (or in the user's cache directory); a stamp file there says that
what the shipped recipes need is present.
"""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from curate.caches import user_cache

_COMMON = ("common", "classifiers")
_RARE = ("signals", "steps")
_ROOT = Path(__file__).parents[2]


def ensure_compiled(say: Callable[[str], None], *, everything: bool = False) -> None:
    """Compile the kernels that the shipped recipes use, unless that was done already; `say` is told before the wait.

    With `everything` also all others. A failure is not fatal: what is missing is compiled when it is first called.
    """
    stamp = _stamp()
    if stamp is None:
        return
    if not stamp.exists():
        _forget_stale()
        say("Compiling kernels for this machine: once, about half a minute …")
        _compile(_COMMON, stamp)
    whole = stamp.with_name(f"{stamp.name}-everything")
    if everything and not whole.exists():
        _compile(_RARE, whole)


def _compile(parts: tuple[str, ...], stamp: Path) -> None:
    """Compile parts, each in a process of its own, then touch the stamp."""
    command = [sys.executable, "-m", "curate.kernels.warmup"]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")])),
    }
    children = [subprocess.Popen([*command, part], env=environment, stderr=subprocess.DEVNULL) for part in parts]
    for child in children:
        child.wait()
    with suppress(OSError):
        stamp.touch()


def _forget_stale() -> None:
    """Remove compiled kernels: numba does not notice when a kernel that another one calls has changed."""
    for folder in ("curate/kernels/__pycache__", "classifiers/kernels/__pycache__"):
        for pattern in ("*.nbi", "*.nbc", "curate-compiled-*"):
            for path in (_ROOT / folder).glob(pattern):
                path.unlink(missing_ok=True)


def _stamp() -> Path | None:
    """Return the file that says everything is compiled, None where no place for it can be written to."""
    sources = sorted([*_ROOT.glob("curate/kernels/*.py"), *_ROOT.glob("classifiers/kernels/*.py")])
    facts = [
        version("numba"),
        version("numpy"),
        sys.version,
        platform.processor(),
        os.environ.get("NUMBA_BOUNDSCHECK", ""),
    ]
    facts += [f"{source.name} {source.stat().st_size} {source.stat().st_mtime_ns}" for source in sources]
    name = f"curate-compiled-{hashlib.sha256('|'.join(facts).encode()).hexdigest()[:16]}"
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    for folder in [Path(chosen)] if chosen else [Path(__file__).parent / "__pycache__", user_cache()]:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder / name
    return None


def _texts() -> list[str]:
    text = (
        "A line, with some words… and naïve 漢字 marks. And more of them!\r\n\u200b- e\u0301 {\n\nA line, again.\n" * 3
    )
    return [text, text, "", "short", text + " but longer than the other one."]


def compile_common() -> None:
    """Call the kernels that the shipped recipes use on a few short texts."""
    from curate.decide.stage import decide
    from curate.dedup import shingles, signatures
    from curate.measure.plan import Plan
    from curate.measure.texts import measure
    from curate.recipe import Recipe, shipped

    texts = _texts()
    measure(texts, sorted({name for recipe in shipped() for name in Plan.of(Recipe.load(recipe)).signals}))
    clean = Recipe.parse('clean = ["unicode", "c4_lines"]\n[[steps]]\ndedup = "minhash"\nverify = 0.1')
    decide(texts, clean)
    decide(texts, Recipe.parse('[[steps]]\ndedup = "exact"\n[[steps]]\ndedup = "minhash"\nverify = false'))
    shingles(texts[0])
    signatures(texts)


def compile_signals() -> None:
    """Call the kernels of every signal that needs no model."""
    from curate.measure.texts import measure
    from curate.signals import registry

    measure(_texts(), sorted(name for name in registry() if "ftfy" not in name))


def compile_steps() -> None:
    """Call the kernels of the rarer kinds of steps, and of word lists and divergence."""
    import numpy as np
    import polars as pl

    from classifiers.arrow import as_strings
    from curate.audit.ngram_model import NgramModel
    from curate.decide.stage import decide
    from curate.kernels.mixtures import mixture
    from curate.kernels.unicode_words import words_of
    from curate.kernels.word_lists import listed_words, prefixes
    from curate.measure.texts import measure
    from curate.recipe import Recipe

    texts = _texts()
    trims = '[[steps]]\ndedup = "lines"\nmore_than = 1\n[[steps]]\ndedup = "substring"\nmin_words = 2'
    decide(texts, Recipe.parse(trims))
    near = 'dedup = "minhash"\nshingle = "char"\nnormalise = "fineweb"\nfold_numbers = true\nverify = 0.1'
    urls = pl.DataFrame({"text": texts, "url": ["http://www.a.org/b/?c=1&utm_x=2"] * len(texts)})
    decide(urls, Recipe.parse(f'[[steps]]\ndedup = "url"\n[[steps]]\n{near}'))
    measure(texts, recipe=Recipe.parse('[distributions]\nkl = "corpus"\n[[steps]]\nname = "kl"\nfilter = "kl < 9"'))
    words = words_of(as_strings(texts))
    NgramModel.train(texts).bits(texts)
    mixture(np.ones((1, 1), np.float32), np.ones(1), np.zeros(1))
    listed_words(words.first, words.hash, *prefixes(words), np.zeros((len(texts), 2), np.int64))


def main(part: str) -> None:
    """Compile one part."""
    if part == "classifiers":
        from classifiers.kernels import warm_up

        warm_up()
    else:
        {"common": compile_common, "signals": compile_signals, "steps": compile_steps}[part]()


if __name__ == "__main__":
    main(sys.argv[1])
