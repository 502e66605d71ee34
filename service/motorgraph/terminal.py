"""What every command shares with the terminal: flags that stand for settings, words on stderr, refusals as exit statuses."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import typer
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from motorgraph.errors import Nonconforming, Refusal
from motorgraph.settings import PREFIX, Settings

FIRST_VIOLATIONS = 10
REFUSED = 1
USAGE = 2


def option(name: str, *also: str, panel: str = "Options", **kwargs: Any) -> Any:  # Any: typer's own
    """An option that stands for a setting: its help is the setting's description."""
    description = Settings.model_fields[name].description or ""
    text = f"{description} \\[env: {PREFIX}{name.upper()}]"  # escaped, since the help is read as markup
    return typer.Option(f"--{name.replace('_', '-')}", *also, help=text, show_default=False, rich_help_panel=panel, **kwargs)


def settings_of(**given: Any) -> Settings:  # Any: flags of every type
    """The settings of these flags, the environment and the defaults. Ends with a message if one of them is wrong."""
    try:
        return Settings(**{name: value for name, value in given.items() if value not in (None, [])})
    except ValidationError as error:
        for fault in error.errors():
            say(_told(fault))
        raise typer.Exit(USAGE) from error


def _told(fault: ErrorDetails) -> str:
    """What is wrong with a setting, in the words of our own check where there is one; never the token itself."""
    name = str(fault["loc"][0]) if fault["loc"] else "settings"
    where = f"--{name.replace('_', '-')}, {PREFIX}{name.upper()}"
    if fault["type"] == "value_error":
        return f"{where}: {fault['ctx']['error']}"
    is_shown = bool(fault["loc"]) and "token" not in name
    return f"{where}: {fault['msg']}" + (f" (found: {fault['input']!r})" if is_shown else "")


def say(text: str) -> None:
    """Writes to stderr, so that what a command makes is alone on stdout."""
    typer.echo(text, err=True)


@contextmanager
def refusals() -> Iterator[None]:
    """Turns a refusal within into a message and exit status 1."""
    try:
        yield
    except Refusal as error:
        say("\n".join(lines(error)))
        raise typer.Exit(REFUSED) from error
    except BrokenPipeError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader of our output has left
        raise typer.Exit(0) from error


@dataclass(frozen=True, slots=True)
class Command:
    """A command as its help has it: name, what follows that, what it does, each argument and flag with its words."""

    name: str
    usage: str
    does: str
    given: Sequence[tuple[str, str]]


def commands(app: typer.Typer) -> Iterator[Command]:
    """The commands of an application, in their order."""
    group = typer.main.get_command(app)
    for name, command in group.commands.items():  # type: ignore[attr-defined]  # an application of several commands is a group
        context = typer.Context(command, info_name=name)
        usage = " ".join(command.collect_usage_pieces(context))
        given = [record for parameter in command.params if (record := parameter.get_help_record(context)) is not None]
        yield Command(name, usage, command.help or "", [(flag, words.replace("\\[", "[")) for flag, words in given])


def lines(refusal: Refusal) -> Iterator[str]:
    """A refusal for a terminal; of a graph that breaks its shapes the first violations."""
    is_report = isinstance(refusal, Nonconforming)
    yield f"{'The graph breaks its shapes' if is_report else refusal.title}: {refusal.detail}"
    results = refusal.members.get("results", ())
    violations = [result for result in results if result["severity"] == "Violation"] if is_report else []
    for result in violations[:FIRST_VIOLATIONS]:
        yield f"  {result['severity']} {result['focus']} {result['path']}".rstrip()
        yield f"    {result['message']}"
        if result["value"]:
            yield f"    found: {result['value']}"
    if len(violations) > FIRST_VIOLATIONS:
        yield f"  … and {len(violations) - FIRST_VIOLATIONS} more; `motorgraph validate` shows those of a file."
