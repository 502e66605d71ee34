"""The command `validate`: files against the shapes, with what a curator needs to mend them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson
from rich.console import Console
from rich.progress import Progress
from rich.text import Text

from motorgraph import corpus, gate
from motorgraph.resources import asset

STYLES = {"Violation": "bold red", "Warning": "yellow", "Info": "cyan"}


def check(files: Sequence[Path], shapes: Sequence[Path], *, as_json: bool) -> bool:
    """Prints the report on the files; true if there is no violation. Raises what `gate.parse_file` does, naming the file."""
    for path in (*files, *shapes):
        corpus.require_file(path)
    ontology = asset("ontology")
    background = [
        *sorted(ontology.glob("*.ttl")),
        *sorted(ontology.glob("schemes/*.ttl")),
        *sorted(asset("data").glob("reference*.trig")),
        *sorted(asset("data").glob("built/[01]*.trig")),  # countries, blocs, towns, datasets, documents, publishers
    ]
    with _progress() as told:
        report = gate.validate_files(files, background, list(shapes) or sorted(asset("shapes").glob("*.ttl")), told)
    if as_json:
        sys.stdout.buffer.write(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    else:
        _print(report, len(files))
    return report.conforms


@contextmanager
def _progress() -> Iterator[gate.Told]:
    """A bar while it takes long, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    with Progress(
        console=Console(stderr=True), transient=True, auto_refresh=False
    ) as bar:  # a thread would be in the way of forks
        task = bar.add_task("validating", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total, refresh=True)


def _print(report: gate.Report, files: int) -> None:
    console = Console(highlight=False, emoji=False, soft_wrap=True)
    for result in report.results:
        console.print(Text(result.severity, STYLES[result.severity]), f"{result.focus} {result.path}".rstrip(), markup=False)
        console.print(f"    {result.message}", markup=False)
        if result.value:
            console.print(f"    found: {result.value}", markup=False)
        if result.expected:
            console.print(f"    expected: {result.expected}", markup=False)
    violations = len(report.violations)
    verdict = "conforms" if report.conforms else _number(violations, "violation")
    console.print(f"{_number(files, 'file')}: {verdict}, {_number(len(report.results) - violations, 'other finding')}.")


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
