"""What became of a document: its path through the steps, its survivor, where its text went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from curate.decide.cuts import pieces
from curate.errors import RunError, did_you_mean
from curate.questions.columns import as_seen_by, measured
from curate.questions.difference import difference
from curate.questions.reasons import reasons
from curate.questions.texts import find, texts_of
from curate.recipe import Filter, Recipe
from curate.write.stage import written_to

if TYPE_CHECKING:
    from curate.engines.engine import Engine
    from curate.run import Run

_DECISION = ("doc", "id", "source", "kept", "dropped_by", "failed", "cluster", "cluster_size", "survivor",
             "similarity", "domain", "weight")  # fmt: skip


def explain(run: Run, id: str, engine: Engine) -> list[dict[str, Any]]:
    """Return the path of the documents with this id through the run: usually one, more when copies share an id.

    Each has the decision, `steps` (name, kind, rule, state: passed, trimmed, dropped, would drop, exempt, not reached;
    values; cut: the pieces that a step that trims took out), `signals`, the text before it was trimmed, the text of
    its survivor and their `difference` (see `curate.questions.difference`), and the `files` of the mix that hold it.
    RunError when no document has the id.
    """
    recipe = run.recipe
    found = find(run, {id})
    if not found:
        some = run.decisions().select("id").head(10_000).collect()["id"].to_list()
        raise RunError(f'no document of {run.path} has the id "{id}"{did_you_mean(id, some)}')
    survivors = {row["survivor"] for row in found if row["survivor"]}
    others = {row["id"]: row for row in find(run, survivors)} if survivors else {}
    everyone = [*found, *others.values()]
    texts = dict(zip((row["doc"] for row in everyone), texts_of(run, recipe, engine, everyone), strict=True))
    return [_explained(run, row, recipe, texts, others.get(row["survivor"] or "")) for row in found]


def _explained(
    run: Run, row: dict[str, Any], recipe: Recipe, texts: dict[int, str], other: dict[str, Any] | None
) -> dict[str, Any]:
    text, survivor_text = texts[row["doc"]], texts[other["doc"]] if other else None
    return {
        **{name: row[name] for name in _DECISION},
        "shard": row["shard"],
        "row": row["row"],
        "steps": _path(row, recipe, pieces(text, run, row["shard"], row["position"])),
        "signals": {
            k: v for k, v in measured(row).items() if k not in (*_DECISION, "cuts", "shard", "row", "position")
        },
        "text": text,
        "survivor_text": survivor_text,
        "survivor_in_index": bool(row["survivor"]) and other is None,
        "difference": None if survivor_text is None else difference(text, survivor_text),
        "files": written_to(run, row),
    }


def _path(row: dict[str, Any], recipe: Recipe, cut: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Return what each step made of a document."""
    path: list[dict[str, Any]] = []
    reached = True
    for step in recipe.steps:
        dropped = step.name == row["dropped_by"]
        entry: dict[str, Any] = {"name": step.name, "kind": step.kind}
        if isinstance(step, Filter):
            entry |= {"rule": step.sql, "values": reasons(step.sql, as_seen_by(step.name, recipe, row))}
            failed = step.name in row["failed"]
            entry["state"] = "dropped" if dropped else ("would drop" if failed else "passed")
        else:
            entry["state"] = "dropped" if dropped else ("passed" if reached else "not reached")
            if step.name in cut:
                entry["cut"] = cut[step.name]
                entry["state"] = "trimmed" if cut[step.name] and entry["state"] == "passed" else entry["state"]
        path.append(entry)
        reached &= not dropped
    return path
