"""The command line: every command parses, calls one function of the library, and prints.

Nothing heavy is imported before a command needs it, so that `curate --help` answers at once.
"""

from __future__ import annotations

import atexit
import gc
import sys
from typing import Any

import click

from curate import __version__
from curate.classifier.cli import classifier
from curate.cli import catalog, questions, stages
from curate.cli.audit import audit
from curate.cli.dedup import dedup
from curate.cli.estimate import estimate
from curate.cli.index import index
from curate.cli.interrupt import prompt_interrupts
from curate.cli.mix import mix
from curate.errors import CurateError

_INTERRUPTED = "interrupted; the same command goes on where it stopped"

atexit.register(gc.freeze)  # else Python looks for garbage in all that was loaded before it ends: a third of a second


class _Commands(click.Group):
    """Lists commands in the order of the data's way, and turns mistakes of the user into one clear message."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with prompt_interrupts(lambda: _say(_INTERRUPTED), status=1):
                return super().invoke(ctx)
        except CurateError as error:
            _fail(str(error))
        except KeyboardInterrupt:
            _fail(_INTERRUPTED)
        except BrokenPipeError:
            sys.stderr.close()
            sys.exit(0)
        except OSError as error:
            where = f": {error.filename}" if error.filename else ""
            _fail(f"{error.strerror or error}{where}")


def _fail(message: str) -> None:
    from curate.storage.location import without_secrets

    _say(without_secrets(message))
    sys.exit(1)


def _say(message: str) -> None:
    click.echo(f"{click.style('error:', fg='red', bold=True)} {message}", err=True)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="curate")
def main() -> None:
    """Turn a raw text corpus into a high-quality training mix, with a reason for every document kept or dropped.

    \b
    curate demo                              see it work on the texts of this Python
    curate corpus raw/*.jsonl.zst --out run  curate your own
    """


for command in (
    stages.demo,
    stages.corpus,
    stages.measure,
    stages.decide,
    mix,
    stages.write,
    stages.report,
    questions.explain,
    questions.show,
    questions.query,
    questions.diff,
    questions.tune,
    audit,
    questions.status,
    index,
    catalog.recipes,
    catalog.signals,
    dedup,
    estimate,
    classifier,
):
    main.add_command(command)
