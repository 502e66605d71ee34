"""The reference pages of the documentation, as Markdown: made from the code that they speak of, so never out of date."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from pydantic.fields import FieldInfo

from motorgraph.cli import app
from motorgraph.errors import PROBLEM_TYPES, every_refusal
from motorgraph.settings import PREFIX, Settings
from motorgraph.terminal import Command, commands

Json = dict[str, Any]  # Any: an OpenAPI document
WORDS = {  # what a default is called that is no plain value
    "client_connections": "half of `connections`",
    "data_dir": "`$XDG_DATA_HOME/motorgraph`, else `~/.local/share/motorgraph`",
    "default_graph": "union",
}
LAST = ("pages", "documentation", "operation")
"""The tags of addresses that stand behind those of the graph."""
_SETTINGS = f"""# Settings

Each is a flag of `motorgraph serve` (`--query-seconds 10`) and a variable (`{PREFIX}QUERY_SECONDS=10`); a flag wins. What the
tokens are, and how limits work together, is in [Keeping it running](operation.md). What this service has is at [/about](/about).
"""
_REFUSALS = f"""# Refusals

`application/problem+json` (RFC 9457), or a page for a browser: `type` is `{PROBLEM_TYPES}` and the kind below, `detail` says
what was wrong and what would be right, `instance` names the request as the log does. All 503s carry `Retry-After`.
"""
_COMMANDS = """# Commands

What `motorgraph COMMAND --help` says. A flag that is a setting has its variable in brackets; all are in
[Settings](/docs/settings).
"""
_ADDRESSES = """# Addresses

What the service answers, as its OpenAPI at [/openapi.json](/openapi.json) says. [Over HTTP](http.md) tells what stands behind
each, [Refusals](/docs/refusals) what a status above 400 means.
"""


def settings() -> str:
    """All settings: name, variable, default, meaning."""
    rows = [
        (f"`{name.replace('_', '-')}`", f"`{PREFIX}{name.upper()}`", _default(name, field), field.description or "")
        for name, field in Settings.model_fields.items()
    ]
    return _SETTINGS + _table(("setting", "variable", "default", "what"), rows)


def _default(name: str, field: FieldInfo) -> str:
    if name in WORDS:
        return WORDS[name]
    value = field.default
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    return (f"{value:,}" if isinstance(value, int) and name != "port" else str(value)) if value not in (None, "", ()) else "none"


def refusals() -> str:
    """All refusals: kind, status, title, and when one meets it."""
    kinds = sorted(every_refusal(), key=lambda cls: (cls.status, cls.kind))
    rows = [(f"`{cls.kind}`", str(cls.status), cls.title, cls.__doc__ or "") for cls in kinds]
    return _REFUSALS + _table(("kind", "status", "title", "when"), rows)


def of_commands() -> str:
    """All commands with their arguments and flags."""
    return _COMMANDS + "".join(_command(command) for command in commands(app))


def _command(command: Command) -> str:
    told = f"\n## motorgraph {command.name}\n\n`motorgraph {command.name} {command.usage}`\n\n{command.does}\n"
    given = command.given
    if command.name in ("serve", "follow"):  # whose flags are the settings
        shorts = [flag for flag, _ in given if flag.startswith("-") and not flag.startswith("--")]
        return told + f"\nEach of the [settings](/docs/settings) is a flag; short forms: {', '.join(f'`{s}`' for s in shorts)}.\n"
    return told + _table(("argument", "what"), [(f"`{flag}`", " ".join(words.split())) for flag, words in given])


def addresses(described: Json) -> str:
    """All addresses of an OpenAPI document, by tag: methods, parameters, bodies, answers."""
    found = [
        (operation.get("tags", ["other"])[0], path, method, operation)
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
    ]
    tags = list(dict.fromkeys(tag for tag, *_ in found))
    found.sort(key=lambda each: (each[0] in LAST, tags.index(each[0])))  # stable: within a tag as they come
    pieces = [_ADDRESSES]
    for tag, of_tag in groupby(found, key=lambda each: each[0]):
        pieces.append(f"\n## {'SPARQL' if tag == 'sparql' else tag[:1].upper() + tag[1:]}\n")
        for path, of_path in groupby(of_tag, key=lambda each: each[1]):
            pieces.append(f"\n### `{path}`\n")
            pieces += [_operation(method, operation) for _, _, method, operation in of_path]
    return "".join(pieces)


def _operation(method: str, operation: Json) -> str:
    summary = str(operation.get("summary", "")).rstrip(".")
    parts = [f"\n**{method.upper()}**: {summary}.{' Needs a token.' if _needs_token(operation) else ''}\n"]
    given = [(f"`{each['name']}`", each["in"], each.get("description", "")) for each in operation.get("parameters", ())]
    if given:
        parts.append(_table(("parameter", "in", "what"), given))
    body = operation.get("requestBody", {}).get("content", {})
    if body:
        parts.append(f"\nBody: {_codes(body)}.\n")
    parts.append(f"\n{_answers(operation['responses'])}\n")
    return "".join(parts)


def _needs_token(operation: Json) -> bool:
    return bool(operation.get("security")) and {} not in operation["security"]


def _answers(responses: Mapping[str, Json]) -> str:
    """What an operation answers: each success with its media types, then the refusals."""
    good = {status: answer for status, answer in responses.items() if status < "4"}
    told = [f"{status}{' ' + _codes(types) if (types := answer.get('content', {})) else ''}" for status, answer in good.items()]
    bad = sorted(responses.keys() - good.keys())
    return f"Answers {'; '.join(told)}." + (f" Refuses with {', '.join(bad)}." if bad else "")


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n" + "".join(f"{line}\n" for line in _lines(names, rows))


def _lines(names: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield "|" + "---|" * len(names)
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
