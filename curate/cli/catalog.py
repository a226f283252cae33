"""Commands that list what a recipe can be made of."""

from __future__ import annotations

import json

import click

from curate.cli.options import JSON, PLUGIN


@click.command()
@click.argument("name", required=False)
@JSON
def recipes(name: str | None, as_json: bool) -> None:
    """List the shipped recipes, or print one to copy and edit.

    \b
    Example:
      curate recipes fineweb > mine.toml
    """
    from curate.recipe import Recipe, shipped

    if name:
        click.echo(Recipe.load(name).text, nl=False)
        return
    found = {item: Recipe.load(item).description for item in shipped()}
    if as_json:
        click.echo(json.dumps(found))
        return
    for item, description in found.items():
        click.echo(f"{item:10} {description}{'  (default)' if item == 'web' else ''}")


@click.command()
@click.argument("name", required=False)
@PLUGIN
@JSON
def signals(name: str | None, plugins: tuple[str, ...], as_json: bool) -> None:
    """List the signals that a recipe can use, or explain one.

    \b
    Examples:
      curate signals gopher_dup_5gram
      curate signals --plugin mine.py
    """
    import classifiers
    from curate.signals import registry, signal
    from curate.signals.plugins import load

    for plugin in plugins:
        load(plugin)
    model = (name or "").removesuffix("_score")
    if model in classifiers.shipped():
        loaded = classifiers.load(model)
        if as_json:
            click.echo(json.dumps(loaded.card, ensure_ascii=False))
            return
        score = name != model
        for key, value in {
            "name": name,
            "definition": f"{'Score of what' if score else 'What'} the classifier says. {loaded.card['about']}",
            "dtype": "float32" if score or len(loaded.labels) <= 2 else "string",
            "range": "0 to 1" if score or len(loaded.labels) <= 2 else f"{len(loaded.labels)} labels",
            "source": f'shipped model, [classifiers] {model} = "{model}"; how it was trained and measured: --json',
        }.items():
            click.echo(f"{key:11} {value}")
        return
    chosen = [signal(name)] if name else list(registry().values())
    if as_json:
        click.echo(json.dumps([entry.as_dict() for entry in chosen], ensure_ascii=False))
        return
    for entry in chosen:
        if name:
            for key, value in entry.as_dict().items():
                click.echo(f"{key:11} {value}")
        else:
            click.echo(f"{entry.name:31} {entry.unit:24} {entry.definition}")
    if not name:
        click.echo(
            "\nClassifiers give more: language, language_score, quality, domain, domain_score, or your own. So do\n"
            "[word_lists] (NAME_count, NAME_ratio), [distributions] (NAME), and --plugin: see the docs."
        )
