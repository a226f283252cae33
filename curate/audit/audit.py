"""`curate audit`: does the mix train a better model than random documents, and what did each step buy?

Small models are trained on samples of equal bytes of the raw input, of random documents, and of the mix, and asked to
predict references that none of them holds. Reads runs and changes nothing in them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from classifiers.arrow import Strings, to_array
from curate.audit.arms import RANDOM, RAW, StepArms, main_arms, step_arms
from curate.audit.leaks import LeakFinder
from curate.audit.ngram_model import memory_of
from curate.audit.pool import Documents, draw
from curate.audit.proxy import NgramProxy, Proxy
from curate.audit.references import MOST_BYTES, Paths, Reference, read_corpora, read_references
from curate.audit.result import PAYS, Asked, result
from curate.audit.samples import Group, Samples, bytes_of, held_out
from curate.audit.stored import FILE
from curate.audit.tasks import read_tasks
from curate.audit.trials import Figures, Trial, judge
from curate.decide.fold import MIX
from curate.dedup.audit_sample import mixed
from curate.engines.local import Local
from curate.errors import CurateError, InputError, RunError
from curate.kernels.hashing import text_hash
from curate.memory import parse_size
from curate.pipeline import working
from curate.progress import Progress
from curate.run import Run
from curate.shards import atomic_bytes
from curate.storage import absolute

if TYPE_CHECKING:
    from typing import Any

    from curate.engines.engine import Engine

SAMPLE, SEEDS, MEMORY = "20MB", 3, "1GB"
STEP_SAMPLE, STEP_SEEDS = 2_500_000, 5  # bytes of each sample of the arms of steps, and the least samples of each


def audit(
    run: Run | str | Path,
    references: Mapping[str, Paths] | None = None,
    *,
    others: Sequence[Run | str | Path] = (),
    corpora: Mapping[str, Paths] | None = None,
    heldout: Mapping[str, float] | None = None,
    tasks: Mapping[str, str | Path] | None = None,
    sample: int | str = SAMPLE,
    seeds: int = SEEDS,
    memory: int | str = MEMORY,
    threads: int | None = None,
    steps: bool = True,
    proxy: Proxy | None = None,
    text_column: str = "text",
    reference_bytes: int | str = MOST_BYTES,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train small models on equal bytes of the raw input, random documents and the mix, and compare them.

    `references`: names and files of texts to predict, in `text_column`; `heldout`: sources of the run and the share of
    their documents that is kept out of training and predicted instead; `tasks`: files of questions. `others`: runs
    whose mixes are compared; `corpora`: names and files of mixes that other tools made. `sample`: bytes that each
    model is trained on; `seeds`: models for each arm; `memory`: what the counts of all models at work may take.
    `steps`: whether to find out what each step bought. `proxy`: another kind of model. `reference_bytes`: of each
    reference's files that are predicted, at most.

    Returns the figures, JSON-like, as docs/audit.md describes them: each is {"value", "interval"} (95%) with
    "difference" and "difference_interval" from random documents. Raises InputError, RunError or CurateError for what
    cannot be read or makes no sense.
    """
    begun = time.perf_counter()
    progress = progress or Progress()
    shares, wanted = dict(heldout or {}), parse_size(sample)
    _check(references, shares, seeds, wanted)
    runs = [one if isinstance(one, Run) else Run(one) for one in (run, *others)]
    most_bytes = parse_size(reference_bytes)
    given = read_references(references or {}, text_column, most_bytes)
    questions = read_tasks(tasks or {})
    mixes = read_corpora(corpora or {}, 2 * seeds * wanted, text_column)
    with ExitStack() as held:
        engine = held.enter_context(working(runs[0], Local(threads)))
        for other in {absolute(str(one.path)): one for one in runs[1:]}.values():
            held.enter_context(other.locked())
        audited = [
            _Audited.of(one, engine, wanted, shares if number == 0 else {}, seeds, steps and number == 0, most_bytes)
            for number, one in enumerate(runs)
        ]
        given += audited[0].samples.references(shares)
        _check_references(given, shares)
        finder = LeakFinder([one.texts for one in given] + [task.texts for task in questions])
        audited = [one.without_leaks(finder) for one in audited]
        cleared = {name: finder.without_leaks(texts) for name, texts in mixes.items()}
        size = min([one.main.bytes for one in audited] + [texts.nbytes * 4 // 5 for texts, _ in cleared.values()])
        _check_size(size, runs[0])
        trials = []
        for number, one in enumerate(audited):
            trials += one.trials(f"{number}/", size, leave_out=_same_arms(runs[number], runs[:number]))
        trials += [trial for name, (texts, _) in cleared.items() for trial in _of_corpus(name, texts, size, seeds)]
        chosen = proxy or NgramProxy(memory=memory)
        at_once = 1
        if isinstance(chosen, NgramProxy):  # the table is of one size, however many are made at a time
            fit = parse_size(chosen.memory) // memory_of(size, chosen.memory)
            at_once = max(1, min(engine.threads, fit))
        with progress.stage("audit", sum(trial.bytes for trial in trials)):
            judged = judge(trials, given, questions, chosen, at_once, progress.advance)
    asked = Asked(runs, given, questions, chosen, wanted, size, seeds)
    figures = Figures(judged, given, questions)
    found = result(asked, figures, judged.documents, audited[0].samples, audited[0].by_step, audited[0].step_arms)
    found["leaks"]["by_corpus"] = {name: count for name, (_, count) in cleared.items()}
    found["seconds"] = time.perf_counter() - begun
    return found


@dataclass(frozen=True)
class _Audited:
    """A run with the samples of its arms: `main`, and `by_step` where the steps are looked at."""

    samples: Samples
    main: Group
    by_step: Group | None
    step_arms: list[StepArms]

    @staticmethod
    def of(
        run: Run,
        engine: Engine,
        wanted: int,
        shares: Mapping[str, float],
        seeds: int,
        steps: bool,
        most_bytes: int,
    ) -> _Audited:
        """Choose and read the documents of a run."""
        documents = Documents.of(run, 2 * seeds * wanted, list(shares))
        held = held_out(documents, shares)
        arms = main_arms(documents)
        if not (arms[-1].weight[~held] > 0).any():
            raise RunError(f"the mix of {run.path} is empty: there is nothing to audit")
        main = Group(arms, bytes_of(documents, arms, held, wanted), seeds)
        groups = [main]
        made: list[StepArms] = []
        if steps:
            kept, made = step_arms(documents)
            made = [_worth_training(documents, one) for one in made]
            of_steps = [arm for one in made for arm in (one.without, one.alone) if arm is not None and arm is not kept]
            several = [kept, arms[1], *of_steps]
            if any(one.kind == MIX for one in made):
                several.append(arms[-1])
            # An arm with next to no text would make the samples of all others as small.
            size = bytes_of(documents, several[:2], held, min(wanted, STEP_SAMPLE))
            rooms = [bytes_of(documents, [arm], held, size) for arm in several]
            large = [(arm, room) for arm, room in zip(several, rooms, strict=True) if room > size // 4]
            if large:
                there, least = [arm for arm, _ in large], min(room for _, room in large)
                groups.append(Group(there, least, max(seeds, STEP_SEEDS)))
            else:
                made = []
        samples = Samples.read(documents, groups, held, engine, most_bytes)
        return _Audited(samples, main, groups[1] if len(groups) > 1 else None, made)

    def without_leaks(self, finder: LeakFinder) -> _Audited:
        """Return this with samples from which what leaks a reference is taken out."""
        samples = self.samples.without_leaks(finder)
        main = samples.drawable(self.main)
        by_step = self.by_step and samples.drawable(self.by_step)
        if by_step and not by_step.bytes:
            return _Audited(samples, main, None, [])
        return _Audited(samples, main, by_step, self.step_arms)

    def trials(self, prefix: str, size: int, leave_out: Collection[str]) -> list[Trial]:
        """Return what to train: the main arms but some on `size` bytes, those of steps on theirs."""
        arms = [arm for arm in self.main.arms if arm.name not in leave_out]
        found = self.samples.trials(replace(self.main, arms=arms, bytes=size), prefix)
        return found + (self.samples.trials(self.by_step, "step/") if self.by_step else [])


def _same_arms(run: Run, earlier: Sequence[Run]) -> set[str]:
    """Return the arms that an earlier run has too: raw text of the same files; random documents if cleaned alike."""
    same = [other for other in earlier if other.input_key() == run.input_key()]
    return ({RAW} if same else set()) | ({RANDOM} if any(o.recipe.clean == run.recipe.clean for o in same) else set())


def _of_corpus(name: str, texts: Strings, size: int, seeds: int) -> list[Trial]:
    keys = text_hash(texts)[:, 0]
    array = to_array(texts)
    orders = [np.argsort(mixed(keys, seed), kind="stable") for seed in range(seeds)]
    samples = [partial(draw, array, order, size) for order in orders]
    return [Trial(f"corpus/{name}", seed, sample, size) for seed, sample in enumerate(samples)]


def _check(references: Mapping[str, Paths] | None, shares: Mapping[str, float], seeds: int, wanted: int) -> None:
    if not references and not shares:
        raise InputError(
            "an audit needs texts to predict: --reference NAME=FILES, of clean text from another source than the "
            "corpus, or --heldout-share SOURCE=0.1 for a source of the run that you trust"
        )
    if seeds < 1:
        raise CurateError(f"--seeds must be at least 1, not {seeds}")
    if wanted < 1:
        raise CurateError("--sample must be at least a byte")
    for source, share in shares.items():
        if not 0 < share < 1:
            raise CurateError(f"--heldout-share {source}={share:g}: the share must be between 0 and 1")


def _check_references(given: Sequence[Reference], shares: Mapping[str, float]) -> None:
    names = [one.name for one in given]
    for one in given:
        if names.count(one.name) > 1:
            raise InputError(f'two references are called "{one.name}"; give them different names')
        if not one.texts.nbytes:
            share = shares[one.source or ""]
            raise InputError(f"--heldout-share {one.source}={share:g}: no document is in that share; give a larger one")


def _check_size(size: int, run: Run) -> None:
    if size < 1:
        raise RunError(
            f"nothing of an arm of {run.path} is left to train on: all of its documents are in the references, or near "
            "them; take references from another source"
        )


def _worth_training(documents: Documents, step: StepArms) -> StepArms:
    """Return a step without the arm that leaves it out, where that differs in next to no tokens."""
    if step.kind in ("trim", MIX) or step.without is None:
        return step
    tokens = documents.column("token_count").astype(np.float64)
    paid = float(tokens[step.paid].sum()) / max(float(tokens.sum()), 1.0)
    return replace(step, without=None) if paid < PAYS else step


def store(run: Run, result: dict[str, Any], threads: int | None = None) -> None:
    """Keep the result of an audit in the run, and write the run's report again with it."""
    from curate.report import report_run

    with working(run, Local(threads)) as engine:
        atomic_bytes(run.path / FILE, json.dumps(result, indent=1, ensure_ascii=False).encode())
        run.log(f"audit stored: {len(result['arms'])} arms, {len(result['references'])} references")
        price = run.report["timing"].get("price_per_core_hour") if (run.path / "report.json").is_file() else None
        report_run(run, run.recipe, engine, price)
