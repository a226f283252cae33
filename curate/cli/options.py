"""Arguments and options that several commands share, so that each has one name and one help text."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from curate.limits import MAX_EXPANSION, MAX_RECORD_BYTES

if TYPE_CHECKING:
    from curate.storage import Location

F = TypeVar("F", bound=Callable[..., Any])


def options(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    """Return one decorator that applies several, the first outermost."""
    return lambda command: functools.reduce(lambda made, decorate: decorate(made), reversed(decorators), command)


def _log_to(context: click.Context, path: str | None) -> None:
    if path is not None:
        from curate.events import json_log

        context.with_resource(json_log(path))


def named_files(option: str, example: str) -> Callable[[Any, Any, tuple[str, ...]], dict[str, list[str]]]:
    """Return the parser of an option NAME=FILES that can be repeated, also with the same name."""

    def parse(context: Any, parameter: Any, given: tuple[str, ...]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for one in given:
            name, equals, files = one.partition("=")
            if not (name and equals and files):
                raise click.BadParameter(f"{one}: write {option} {example}")
            found.setdefault(name, []).append(files)
        return found

    return parse


def named_files_option(
    option: str, name: str, example: str, help: str, metavar: str = "NAME=FILES"
) -> Callable[[F], F]:
    """Return an option NAME=FILES that can be repeated, given to the command as `name`."""
    return click.option(option, name, multiple=True, metavar=metavar, callback=named_files(option, example), help=help)


INPUTS = click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")


class Place(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.4
    """A path of this machine, or an address in an object store such as s3://bucket/run."""

    name = "path"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Location:
        """Return the place that the user means; InputError says what is wrong with an address."""
        from curate.storage import locate

        return locate(value)

    def shell_complete(self, context: click.Context, parameter: click.Parameter, incomplete: str) -> list[Any]:
        """Complete it as a path."""
        return click.Path().shell_complete(context, parameter, incomplete)


RUN = click.argument("run", metavar="RUN", type=Place())
OUT = click.option("--out", required=True, type=Place(), help="Run directory to make or go on with.")
RECIPE = click.option("--recipe", default="web", show_default=True, help="Shipped recipe or path of a .toml file.")
THREADS = click.option("--threads", type=click.IntRange(min=1), help="Threads to use.  [default: all cores]")
MEMORY = click.option(
    "--memory", help="Memory that deciding may take, such as 8GB; results do not depend on it.  [default: half of all]"
)
INDEX = click.option(
    "--index", type=click.Path(path_type=Path), help="Index of earlier runs: what is in it is dropped as a duplicate."
)
TOKENS = click.option("--tokens", help="Token budget of the mix, such as 300M, 10B or 1.5T.")
FORMAT = click.option(
    "--format",
    type=click.Choice(["parquet", "jsonl.zst"]),
    help="Files of the mix.  [default: parquet, or what the run has]",
)
PLUGIN = click.option(
    "--plugin",
    "plugins",
    multiple=True,
    metavar="MODULE",
    help="A .py file or module with signals of your own; can be repeated.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
JSON_LOG = click.option(
    "--json-log",
    metavar="FILE",
    expose_value=False,
    callback=lambda context, parameter, path: _log_to(context, path),
    help="Append what happens to FILE as JSON lines, - for stderr: stages, shards, progress, warnings.",
)
ENGINE = options(
    click.option(
        "--engine",
        type=click.Choice(["local", "ray"]),
        default="local",
        show_default=True,
        help="Where tasks run: on threads of this process, or on a Ray cluster.",
    ),
    click.option("--address", help="Head of the Ray cluster.  [default: RAY_ADDRESS, else a Ray of its own here]"),
    click.option("--cpus-per-task", type=click.IntRange(min=1), help="Cores of a task on Ray.  [default: 1]"),
    click.option(
        "--memory-per-task", help="Memory declared to Ray for each core of a task, such as 4GB.  [default: 2GiB]"
    ),
)


class Finite(click.FloatRange):
    """A number of a range, neither infinite nor no number."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> float:
        """Return the number that the user means."""
        number: float = super().convert(value, parameter, context)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", parameter, context)
        return number


IGNORE_DISK = click.option("--ignore-disk", is_flag=True, help="Go on when the disk looks too small for the run.")
SAMPLED = options(
    click.option("--text-column", default="text", show_default=True, help="Column that holds the text."),
    click.option("--id-column", default="id", show_default=True, help="Column that holds the id; made up when absent."),
    click.option("--tokenizer", type=click.Path(), help="tokenizer.json to count tokens exactly."),
    click.option(
        "--max-record-bytes",
        type=click.IntRange(min=1),
        default=MAX_RECORD_BYTES,
        show_default="256 MB",
        help="Larger records are rejected.",
    ),
    click.option(
        "--max-expansion",
        type=click.IntRange(min=1),
        default=MAX_EXPANSION,
        show_default=True,
        help="A compressed file that becomes more than so many times larger is an error.",
    ),
    click.option("--skip-bad-files", is_flag=True, help="Go on when a file cannot be read; the report lists it."),
)
READING = options(
    SAMPLED,
    click.option("--overwrite", is_flag=True, help="Delete the run at --out first."),
)
