"""docs/troubleshooting.md: every message in it is produced here, with its exit code."""

from __future__ import annotations

import gzip
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

import curate
from curate.cli import main
from tests.corpora import RECIPE, prose, write_jsonl

PAGE = (Path(__file__).parents[1] / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (`.*?)(?<!\\) \|", PAGE, re.MULTILINE)
MESSAGES = [message for row in ROWS for message in re.findall(r"`([^`]+)`", row)]

Make = Callable[["Scene"], Result]


class Scene:
    """A corpus, a recipe, a finished run, and the command line."""

    def __init__(self, place: Path, finished: curate.Run, corpus: Path) -> None:
        self.place, self.corpus, self.run = place, corpus, place / "run"
        shutil.copytree(finished.path, self.run)
        self.recipe = self.write("recipe.toml", RECIPE)

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.place / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def __call__(self, *arguments: object) -> Result:
        return CliRunner().invoke(main, [str(argument) for argument in arguments])

    def corpus_of(self, inputs: object, *more: object, recipe: object = None, out: object = None) -> Result:
        chosen = recipe or self.recipe
        return self("corpus", inputs, "--out", out or self.place / "new", "--recipe", chosen, "--ignore-disk", *more)

    def with_recipe(self, text: str) -> Result:
        return self.corpus_of(self.corpus, recipe=self.write("other.toml", text))


def another_works(scene: Scene) -> Result:
    with curate.Run(scene.run).locked():
        return scene("decide", scene.run)


def no_space(scene: Scene) -> Result:
    blocked = next((scene.run / "decisions").iterdir())
    blocked.unlink()
    blocked.with_name(f".{blocked.name}.partial").symlink_to("/dev/full")
    return scene("decide", scene.run)


def truncated(scene: Scene) -> Result:
    whole = gzip.compress(b"\n".join(b'{"text": "%d"}' % i for i in range(9000)))
    return scene.corpus_of(scene.write("t.jsonl.gz", whole[:-300]))


def corrupt(scene: Scene) -> Result:
    whole = bytearray(gzip.compress(b"\n".join(b'{"text": "%d"}' % i for i in range(9000))))
    whole[2000:2100] = b"\0" * 100
    return scene.corpus_of(scene.write("t.jsonl.gz", bytes(whole)))


def bomb(scene: Scene) -> Result:
    return scene.corpus_of(scene.write("t.jsonl.gz", gzip.compress(b"\n" * (80 << 20))))


def damaged(scene: Scene) -> Result:
    file = next((scene.run / "signals").iterdir())
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 4
    file.write_bytes(content)
    run = curate.Run(scene.run)  # a small file: its two ends are all of it, so only this leaves it to the checksums
    run.stage("measure")["files"] |= run.seals("signals")
    run.save()
    return scene("decide", scene.run, "--recipe", stricter(scene))


def stricter(scene: Scene) -> Path:
    return scene.write("stricter.toml", RECIPE.replace(">= 20", ">= 30"))


def damaged_manifest(scene: Scene) -> Result:
    (scene.run / "run.json").write_text('{"format": 1, ')
    return scene("status", scene.run)


def changed_input(scene: Scene) -> Result:
    shutil.copytree(scene.corpus, scene.place / "in")
    scene.corpus_of(scene.place / "in")
    with (scene.place / "in" / "a.jsonl").open("a") as file:
        file.write('{"text": "more"}\n')
    return scene("write", scene.place / "new", "--format", "jsonl.zst")


def odd_numbers(scene: Scene) -> Result:
    run = curate.Run(scene.run)
    file = run.signals_file(run.measured[0])
    facts = {b"curate": pq.read_metadata(file).metadata[b"curate"]}
    pq.write_table(pq.read_table(file).slice(1).replace_schema_metadata(facts), file)
    run.manifest["stages"]["measure"] |= {"done": False, "files": {}}
    run.save()
    return scene("corpus", scene.corpus, "--out", scene.run, "--recipe", scene.recipe, "--ignore-disk")


def without_ray(scene: Scene) -> Result:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "ray", None)
        return scene.corpus_of(scene.corpus, "--engine", "ray")


def no_room(scene: Scene) -> Result:
    return scene.corpus_of(scene.corpus, "--engine", "ray", "--threads", 1, "--cpus-per-task", 64)


SCENES: dict[str, Make] = {
    "is not a run of curate; choose another --out (nothing was touched)":
        lambda scene: scene.corpus_of(scene.corpus, out=scene.corpus),
    "holds a run over other inputs": lambda scene: scene.corpus_of(scene.corpus / "a.jsonl", out=scene.run),
    "another curate is working on": another_works,
    "is truncated": truncated,
    "is corrupt": corrupt,
    "cannot be read": lambda scene: scene.corpus_of(scene.write("x.parquet", b"none")),
    "none of the input files could be read":
        lambda scene: scene.corpus_of(scene.write("x.parquet", b"none"), "--skip-bad-files"),
    "times larger when decompressed": bomb,
    "no column": lambda scene: scene.corpus_of(write_jsonl(scene.place / "c.jsonl", [{"content": prose(1)}])),
    "no space left to write to": no_space,
    "is damaged": damaged,
    "its manifest is damaged": damaged_manifest,
    "has changed since it was measured": changed_input,
    "were counted": odd_numbers,
    "unknown signal": lambda scene: scene.with_recipe('[[steps]]\nname = "s"\nfilter = "word_cuont > 5"'),
    "unknown key": lambda scene: scene.with_recipe('[[steps]]\nname = "s"\nfilter = "word_count > 5"\nwehre = "x"'),
    "is true for every document":
        lambda scene: scene.with_recipe('[[steps]]\nname = "s"\nfilter = "gopher_dup_lines <= 1.5"'),
    "needs what": lambda scene: scene("decide", scene.run, "--recipe", "gopher"),
    "two steps are called":
        lambda scene: scene.with_recipe('[[steps]]\nname = "s"\nfilter = "word_count > 5"\n' * 2),
    "the shares add up to":
        lambda scene: scene.with_recipe('[mix]\nby = "source"\ntokens = "1k"\nshares = { a = 0.5 }'),
    "no document belongs to any source that the mix asks for":
        lambda scene: scene.with_recipe('[mix]\nby = "source"\ntokens = "1k"\nshares = { a = 1.0 }'),
    "--engine ray needs Ray": without_ray,
    "the Ray cluster at":
        lambda scene: scene.corpus_of(scene.corpus, "--engine", "ray", "--address", "127.0.0.1:1"),
    "are for the engine": lambda scene: scene.corpus_of(scene.corpus, "--cpus-per-task", 2),
    "no node of the Ray cluster has room for a task": no_room,
    "No such option": lambda scene: scene("corpus", scene.corpus, "--out", "x", "--treads", "2"),
}  # fmt: skip


@pytest.fixture
def scene(tmp_path: Path, finished_run: curate.Run, corpus_dir: Path) -> Scene:
    return Scene(tmp_path, finished_run, corpus_dir)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(message, marks=[pytest.mark.ray, pytest.mark.xdist_group("ray")])
        if "Ray cluster" in message
        else message
        for message in SCENES
    ],
)
def test_a_message_of_the_page_is_what_is_said(message: str, scene: Scene) -> None:
    if "Ray cluster" in message:
        pytest.importorskip("ray", reason="needs the extra ray: pip install 'curate-corpus[ray]'")
    result = SCENES[message](scene)
    assert message in result.stderr, result.output
    assert "Traceback" not in result.stderr
    assert result.exit_code == (2 if message == "No such option" else 1)
    assert result.exit_code == 2 or result.stderr.startswith("error: ")


def test_the_page_has_every_message_and_no_other() -> None:
    pieces = {piece.strip(" …:;") for message in MESSAGES for piece in message.split("…")}
    for message in SCENES:
        assert any(message in piece or message in PAGE for piece in pieces), f"not on the page: {message}"
    for row in ROWS:
        assert any(message in row for message in SCENES), f"nothing produces: {row}"


def test_a_command_that_is_done_ends_with_0(scene: Scene) -> None:
    assert scene("status", scene.run).exit_code == 0
