"""Signals of the user's own: registered with a decorator, named in recipes, remembered by runs."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from click.testing import CliRunner

import curate
from curate.cli import main
from curate.signals import plugins, registry
from tests.corpora import small_corpus, write_jsonl

PLUGIN = """
import pyarrow.compute as pc
import curate

@curate.signal("question_marks", dtype="int64", unit="marks", definition="How many question marks there are.")
def question_marks(texts):
    return pc.count_substring(texts, "?")

@curate.signal("topic", dtype="string", unit="label", definition="What the text is about.")
def topic(texts):
    return pc.if_else(pc.match_substring(texts, "bridge"), "bridges", None)
"""

RECIPE = """
[[steps]]
name = "few_questions"
filter = "question_marks <= {most}"
[[steps]]
dedup = "exact"
keep = "question_marks DESC"
[[steps]]
top = 0.9
by = "question_marks"
[mix]
by = "topic"
"""


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Leave no signal behind for other tests."""
    yield
    plugins._registered.clear()
    plugins._files.clear()
    registry.cache_clear()


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN)
    return path


def declare(function: object, dtype: str = "float32") -> None:
    curate.signal("mine", dtype=dtype, unit="u", definition="Mine.")(function)  # type: ignore[arg-type, type-var]


def test_a_function_is_a_signal_and_stays_a_function() -> None:
    @curate.signal("shout", dtype="float32", unit="share", definition="Capitals.", example=("Ab", 0.5), low=0, high=1)
    def shout(texts: pa.LargeStringArray) -> np.ndarray:
        assert isinstance(texts, pa.LargeStringArray)
        return np.array([sum(map(str.isupper, text)) / max(len(text), 1) for text in texts.to_pylist()])

    assert shout(pa.array(["AB"], pa.large_string())).tolist() == [1.0]
    assert curate.measure(["Ab", "", "xyZZ"], ["shout"])["shout"].to_list() == [0.5, 0, 0.5]
    assert curate.measure(["Ab"])["shout"].to_list() == [0.5]
    recipe = curate.Recipe.parse('[[steps]]\nname = "calm"\nfilter = "shout < 0.4"')
    assert curate.decide(["AB", "ab"], recipe)["kept"].to_list() == [False, True]


def test_texts_are_given_after_cleaning() -> None:
    seen: list[str | None] = []
    declare(lambda texts: seen.extend(texts.to_pylist()) or np.zeros(len(texts)))
    curate.measure(["a\r\nb", None], recipe=curate.Recipe.parse('[[steps]]\nname = "x"\nfilter = "mine = 0"'))
    assert seen == ["a\nb", ""]


@pytest.mark.parametrize(
    ("dtype", "values", "expected"),
    [
        ("int64", np.array([1, 2], np.uint8), [1, 2]),
        ("int64", pa.array([1, None]), [1, None]),
        ("float32", [1, 2], [1.0, 2.0]),
        ("float32", np.array([0.5, np.nan]), [0.5, None]),
        ("float32", pa.array([0.5, np.nan]), [0.5, None]),
        ("bool", [True, None], [True, None]),
        ("string", pl.Series(["a", None]), ["a", None]),
        ("string", pa.array(["a", "a"]).dictionary_encode(), ["a", "a"]),
        ("float32", pa.chunked_array([[1.0], [2.0]]), [1, 2]),
        ("float32", pa.nulls(2), [None, None]),
    ],
)
def test_what_a_function_may_return(dtype: str, values: object, expected: list[object]) -> None:
    declare(lambda texts: values, dtype)
    assert curate.measure(["x", "y"], ["mine"])["mine"].to_list() == expected


@pytest.mark.parametrize(
    ("dtype", "values", "message"),
    [
        ("int64", [1], "returned 1 values for 2 texts; return one for each"),
        ("int64", [0.5, 1.0], "returned double, not int64"),
        ("float32", ["a", "b"], "returned string, not float32"),
        ("bool", [0, 1], "returned int64, not bool"),
        ("string", [1, 2], "returned int64, not string"),
        ("int64", np.array([2**63, 1], np.uint64), "not every value is int64"),
        ("float32", None, "returned NoneType, which is no array of float32"),
        ("float32", np.zeros((2, 2)), "returned ndarray, which is no array of float32"),
    ],
)
def test_what_it_must_not_return(dtype: str, values: object, message: str) -> None:
    declare(lambda texts: values, dtype)
    with pytest.raises(curate.PluginError, match=message):
        curate.measure(["x", "y"], ["mine"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "word_count"}, "curate has a column of that name"),
        ({"name": "kept"}, "curate has a column of that name"),
        ({"name": "two words"}, "letters, digits and underscores"),
        ({"dtype": "int46"}, 'unknown dtype "int46"; did you mean "int64"'),
        ({"unit": ""}, "unit says what the signal is"),
    ],
)
def test_a_wrong_definition_is_refused(change: dict[str, str], message: str) -> None:
    facts = {"name": "mine", "dtype": "int64", "unit": "u", "definition": "Mine.", **change}
    with pytest.raises(curate.PluginError, match=message):
        curate.signal(facts.pop("name"), **facts)(len)  # type: ignore[arg-type]


def test_a_name_is_taken_only_once_but_a_function_can_be_defined_again() -> None:
    def first(texts: object) -> object: ...

    def second(texts: object) -> object: ...

    declare(first)
    declare(first)
    with pytest.raises(curate.PluginError, match=r"has one of that name; rename one"):
        declare(second)


def test_a_recipe_cannot_name_a_classifier_after_it(plugin: Path) -> None:
    recipe = curate.Recipe.parse('[classifiers]\ntopic = "quality"\n[[steps]]\nname = "x"\nfilter = "topic > 0"')
    plugins.load(plugin)
    with pytest.raises(curate.RecipeError, match='"topic" is a signal of'):
        curate.measure(["x"], recipe=recipe)


def test_a_run_uses_a_plugin_in_filter_keep_top_and_mix_and_remembers_it(plugin: Path, tmp_path: Path) -> None:
    corpus = small_corpus(tmp_path / "in")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE.format(most=100))
    arguments = ["corpus", str(corpus), "--out", str(tmp_path / "run"), "--recipe", str(recipe), "--threads", "3"]
    done = CliRunner().invoke(main, [*arguments, "--plugin", str(plugin)])
    assert done.exit_code == 0, done.output
    run = curate.Run(tmp_path / "run")
    assert run.manifest["plugins"] == [str(plugin)]
    assert run.signals().collect()["question_marks"].dtype == pl.Int64
    assert {entry["domain"] for entry in run.report["mix"]} == {"bridges", "other"}

    signals_before = (tmp_path / "run" / "signals").stat().st_mtime_ns
    plugins._registered.clear()  # as in a new process
    plugins._files.clear()
    registry.cache_clear()
    recipe.write_text(RECIPE.format(most=-1))
    decided = CliRunner().invoke(main, ["decide", str(run.path), "--recipe", str(recipe)])
    assert decided.exit_code == 0, decided.output
    assert decided.output.startswith("0 of 68")
    resumed = CliRunner().invoke(main, arguments)
    assert resumed.exit_code == 0, resumed.output
    assert (tmp_path / "run" / "signals").stat().st_mtime_ns == signals_before

    plugin.write_text(PLUGIN.replace('"?"', '","'))
    assert CliRunner().invoke(main, arguments).exit_code == 0
    assert run.signals().collect()["question_marks"].sum() > 0
    assert (tmp_path / "run" / "signals").stat().st_mtime_ns > signals_before

    plugin.unlink()
    missing = CliRunner().invoke(main, ["report", str(run.path)])
    assert missing.exit_code == 1
    assert f'no plugin "{plugin}"' in missing.output


def test_without_the_plugin_its_signal_is_unknown(plugin: Path, tmp_path: Path) -> None:
    recipe = curate.Recipe.parse(RECIPE.format(most=1), "r")
    with pytest.raises(curate.RecipeError, match='unknown signal "question_marks"'):
        curate.corpus(small_corpus(tmp_path / "in"), tmp_path / "run", recipe=recipe)


def test_what_a_function_raises_names_signal_plugin_line_and_shard(tmp_path: Path) -> None:
    plugin = tmp_path / "broken.py"
    plugin.write_text(
        "import curate\n\n"
        '@curate.signal("broken", dtype="int64", unit="u", definition="Broken.")\n'
        "def broken(texts):\n"
        "    return [len(texts) // 0] * len(texts)\n"
    )
    corpus = small_corpus(tmp_path / "in")
    recipe = curate.Recipe.parse('[[steps]]\nname = "x"\nfilter = "broken > 0"', "r")
    with pytest.raises(curate.PluginError) as caught:
        curate.corpus(corpus / "a.jsonl", tmp_path / "run", recipe=recipe, plugins=[plugin], skip_bad_files=True)
    for part in ("a.jsonl: ", 'signal "broken"', str(plugin), "ZeroDivisionError", "(line 5)"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("x = 1", "registers no signal; decorate a function with @curate.signal"),
        ("import does_not_exist_at_all", "cannot be loaded: ModuleNotFoundError"),
        ("def broken(:", "cannot be loaded: SyntaxError"),
        ("1 / 0", r"cannot be loaded: ZeroDivisionError: division by zero \(line 1\)"),
    ],
)
def test_a_plugin_that_cannot_be_loaded_says_why(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(content)
    with pytest.raises(curate.PluginError, match=message):
        plugins.load(tmp_path / "bad.py")


def test_a_plugin_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(curate.PluginError, match="no such module in this Python; give the path"):
        plugins.load("no_such_plugin_module")
    done = CliRunner().invoke(main, ["signals", "--plugin", str(tmp_path / "absent.py")])
    assert done.exit_code == 1
    assert "absent.py" in done.output


def test_signals_lists_and_explains_those_of_a_plugin(plugin: Path) -> None:
    listed = CliRunner().invoke(main, ["signals", "--plugin", str(plugin)])
    assert "How many question marks there are." in listed.output
    explained = CliRunner().invoke(main, ["signals", "question_marks", "--plugin", str(plugin)])
    assert "any number" in explained.output
    assert f"plugin {plugin}" in explained.output


def test_a_module_by_name_is_a_plugin_too(plugin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(plugin.parent)
    try:
        assert plugins.load("mine") == "mine"
        assert "question_marks" in registry()
    finally:
        sys.modules.pop("mine", None)


def test_signals_of_installed_packages_are_found_by_entry_point(plugin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(plugin.parent)
    (plugin.parent / "pack-1.0.dist-info").mkdir()
    (plugin.parent / "pack-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: pack\nVersion: 1.0\n")
    (plugin.parent / "pack-1.0.dist-info" / "entry_points.txt").write_text("[curate.signals]\nmine = mine\n")
    plugins._load_installed.cache_clear()
    registry.cache_clear()
    try:
        assert curate.measure(["What?"], ["question_marks"])["question_marks"].to_list() == [1]
    finally:
        sys.modules.pop("mine", None)


def test_an_installed_package_that_is_broken_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "worse.py").write_text("1 / 0")
    (tmp_path / "worse-1.0.dist-info").mkdir()
    (tmp_path / "worse-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: worse\nVersion: 1.0\n")
    (tmp_path / "worse-1.0.dist-info" / "entry_points.txt").write_text("[curate.signals]\nmine = worse\n")
    plugins._load_installed.cache_clear()
    registry.cache_clear()
    with pytest.raises(curate.PluginError, match="of the package worse cannot be loaded: ZeroDivisionError"):
        curate.measure(["x"], ["word_count"])


def test_the_digest_of_a_function_typed_in_follows_its_code_and_version() -> None:
    def digest(body: str, version: str = "") -> str:
        space: dict[str, object] = {"__name__": "typed_in"}
        exec(f"def f(texts):\n    return {body}", space)
        return plugins._digest(space["f"], version)  # type: ignore[arg-type]

    assert digest("len(texts)") == digest("len(texts)")
    assert len({digest("len(texts)"), digest("[1]"), digest("[2]"), digest("[2]", "b")}) == 4


def test_the_same_values_come_from_any_number_of_threads(plugin: Path, tmp_path: Path) -> None:
    corpus = small_corpus(tmp_path / "in")
    recipe = curate.Recipe.parse(RECIPE.format(most=9), "r")
    frames = [
        curate.corpus(corpus, tmp_path / f"run{n}", recipe=recipe, plugins=[plugin], threads=n).signals().collect()
        for n in (1, 4)
    ]
    assert frames[0].equals(frames[1])


DOCS = Path(__file__).parents[2] / "docs" / "writing-signals.md"


def test_the_example_of_the_documentation_works(tmp_path: Path) -> None:
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", DOCS.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    code, recipe = (next(text for kind, text in blocks if kind == wanted) for wanted in ("python", "toml"))
    (tmp_path / "mine.py").write_text(code)
    (tmp_path / "mine.toml").write_text(recipe)
    records = [{"id": "asks", "text": "Why? Who? No."}, {"id": "says", "text": "It is so. It was so."}]
    records += [{"id": "asks a little", "text": "Is it so or is it not so, and who is to say?"}, {"id": "", "text": ""}]
    write_jsonl(tmp_path / "in.jsonl", records)
    arguments = ["corpus", str(tmp_path / "in.jsonl"), "--out", str(tmp_path / "run")]
    arguments += ["--recipe", str(tmp_path / "mine.toml"), "--plugin", str(tmp_path / "mine.py")]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    mix = curate.Run(tmp_path / "run").mix().select("id", "domain").collect().sort("id")
    assert mix.rows() == [("asks a little", "questions"), ("says", "statements")]
    for name in ("question_ratio", "form"):
        entry = registry()[name]
        if entry.example:
            text, value = entry.example
            assert curate.measure([text], [name])[name][0] == pytest.approx(value)


def test_a_run_with_a_word_list_a_distribution_and_a_plugin_goes_on_and_measures_what_has_changed(
    plugin: Path, tmp_path: Path
) -> None:
    corpus = small_corpus(tmp_path / "in")
    (tmp_path / "words.txt").write_text("bridge\nwinter market\n")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        '[word_lists]\nlisted = "words.txt"\n[distributions]\nkl = "corpus"\n[[steps]]\nname = "all_three"\n'
        'filter = "listed_ratio < 0.5 AND kl < 5 AND question_marks = 0"\n[[steps]]\ndedup = "exact"\nkeep = "kl ASC"\n'
    )

    def run() -> tuple[pl.DataFrame, int]:
        made = curate.corpus(corpus, tmp_path / "run", recipe=str(recipe), plugins=[plugin], threads=2)
        written = max(path.stat().st_mtime_ns for path in (made.path / "signals").glob("*.parquet"))
        return made.signals().collect(), written

    first, written = run()
    assert {"listed_count", "listed_ratio", "kl", "question_marks"} <= set(first.columns)
    assert run()[1] == written
    next((tmp_path / "run" / "signals").glob("*.parquet")).unlink()
    again, rewritten = run()
    assert again.equals(first)
    assert rewritten > written
    (tmp_path / "words.txt").write_text("people\n")
    changed, _ = run()
    assert not changed["listed_count"].equals(first["listed_count"])
    assert changed["kl"].equals(first["kl"])
