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

_PARTS = ("curate", "classifiers")
_ROOT = Path(__file__).parents[2]


def ensure_compiled(say: Callable[[str], None]) -> None:
    """Compile the common kernels unless that was done already; `say` is told before the wait.

    A failure is not fatal: whatever is missing is compiled when it is first called.
    """
    stamp = _stamp()
    if stamp is None or stamp.exists():
        return
    _forget_stale()
    say("Compiling kernels for this machine: once, about half a minute …")
    command = [sys.executable, "-m", "curate.kernels.warmup"]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")])),
    }
    children = [subprocess.Popen([*command, part], env=environment, stderr=subprocess.DEVNULL) for part in _PARTS]
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
    user_cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "curate"
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    for folder in [Path(chosen)] if chosen else [Path(__file__).parent / "__pycache__", user_cache]:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder / name
    return None


def compile_curate() -> None:
    """Call the kernels that the shipped recipes use on a few short texts.

    The kernels of other signals, cleaners and steps, two thirds of all, are compiled when they are first called.
    """
    from curate.decide.stage import decide
    from curate.dedup import shingles, signatures
    from curate.measure.plan import Plan
    from curate.measure.stage import measure
    from curate.recipe import Recipe, shipped

    text = (
        "A line, with some words… and naïve 漢字 marks. And more of them!\r\n\u200b- e\u0301 {\n\nA line, again.\n" * 3
    )
    texts = [text, text, "", "short", text + " but longer than the other one."]
    measure(texts, sorted({name for recipe in shipped() for name in Plan.of(Recipe.load(recipe)).signals}))
    clean = Recipe.parse('clean = ["unicode", "c4_lines"]\n[[steps]]\ndedup = "minhash"\nverify = 0.1')
    decide(texts, clean)
    decide(texts, Recipe.parse('[[steps]]\ndedup = "exact"\n[[steps]]\ndedup = "minhash"\nverify = false'))
    shingles(text)
    signatures(texts)


def main(part: str) -> None:
    """Compile the kernels of one package."""
    if part == "curate":
        compile_curate()
    else:
        from classifiers.kernels import warm_up

        warm_up()


if __name__ == "__main__":
    main(sys.argv[1])
