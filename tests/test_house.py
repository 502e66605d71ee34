"""The house rules that a machine can check: which room may import what, how long a function may be, what opens a module."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "service" / "motorgraph"
MODULES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES = 450
MOST_FUNCTION_LINES = 60
MOST_PARAMETERS = 6
ROOMS = {  # what only these rooms may import
    "fastapi": {"app", "openapi", "pages", "routes"},
    "starlette": {"agent", "app", "pages", "routes"},
    "uvicorn": {"server", "connection"},
    "cryptography": {"signing"},
    "pyshacl": {"change", "faults", "judge", "shapes", "sieve"},
    "rdflib": {
        "consequences",
        "constraints",
        "faults",
        "focus",
        "gate",
        "merged",
        "queried",
        "reach",
        "shapes",
        "sieve",
        "wording",
    },
    "prometheus_client": {"metrics"},
    "pygments": {"markdown"},
    "httpx": {"upstream"},
    "jinja2": {"pages"},
    "markdown_it": {"markdown"},
    "markupsafe": {"links", "star", "view"},
    "mcp": {"agent"},
    "pyroaring": {"search"},
    "rapidfuzz": {"search"},
    "sqlite3": {"database", "journal", "search"},
    "typer": {"cli", "terminal"},
    "multiprocessing": set(),
    "threading": set(),
    "requests": set(),
}
LEAVES = {"errors", "media", "limits", "packing", "tokens", "vocab", "resources"}

if not PACKAGE.is_dir():
    pytest.skip("the source is not here: what is tested is an installed wheel", allow_module_level=True)


Offenders = dict[str, list[str]]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(tree(path)))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in nodes(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def offenders(found: Callable[[Path], list[str]]) -> Offenders:
    """What is found in each module, where there is something."""
    return {name(path): names for path in MODULES if (names := found(path))}


def test_a_module_opens_with_a_sentence_that_says_what_it_is_for() -> None:
    def without(path: Path) -> list[str]:
        text = ast.get_docstring(tree(path)) or ""
        return [] if len(text.split()) >= 3 and re.search(r"[.:]$", text.splitlines()[0]) else [text]

    assert offenders(without) == {}


@pytest.mark.parametrize(
    ("started", "others"),
    [
        ("motorgraph.engine.keeper", {"fastapi", "http.client", "motorgraph.settings", "pydantic", "pyshacl", "rdflib"}),
        ("motorgraph.server", {"httpx", "mcp", "motorgraph.engine.reader", "pyshacl", "rdflib"}),
    ],
)
def test_a_start_imports_nothing_that_others_need(started: str, others: set[str]) -> None:
    command = [sys.executable, "-c", f"import sys, {started}; print(*sys.modules)"]
    imported = set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
    assert started in imported
    assert not imported & others


def test_a_module_imports_only_what_its_room_may() -> None:
    def strange(path: Path) -> list[str]:
        tops = {module.partition(".")[0] for module in imported(path)}
        return [top for top in tops if top in ROOMS and room(path) not in ROOMS[top]]

    assert offenders(strange) == {}


def test_a_module_is_short_enough_to_be_held_in_mind() -> None:
    lengths = {name(path): len(path.read_text().splitlines()) for path in MODULES}
    assert {module: length for module, length in lengths.items() if length > MOST_LINES} == {}


def test_a_function_is_one_step() -> None:
    def long(path: Path) -> list[str]:
        return [f.name for f in functions(path) if (f.end_lineno or 0) - f.lineno >= MOST_FUNCTION_LINES]

    assert offenders(long) == {}


def test_a_function_has_few_parameters() -> None:
    def wide(path: Path) -> list[str]:
        if name(path) in ("cli.py", "agent.py"):
            return []  # there a parameter is a flag, or an argument of a tool
        return [f.name for f in functions(path) if len(f.args.args) + len(f.args.kwonlyargs) > MOST_PARAMETERS]

    assert offenders(wide) == {}


def test_what_is_public_has_a_docstring() -> None:
    known = {"connection_made", "connection_lost", "data_received", "close", "headers"}  # what a protocol or parent has said

    def silent(path: Path) -> list[str]:
        return [
            node.name
            for parent in [tree(path), *(n for n in tree(path).body if isinstance(n, ast.ClassDef))]
            for node in parent.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and not node.name.startswith("_")
            and not ast.get_docstring(node)
            and node.name not in known
        ]

    assert offenders(silent) == {}


def test_leaves_depend_on_nothing_but_leaves() -> None:
    for leaf in LEAVES:
        ours = [m for m in imported(PACKAGE / f"{leaf}.py") if m.startswith("motorgraph")]
        assert {m.split(".")[1] for m in ours if "." in m} <= LEAVES, leaf


def test_the_store_of_the_engine_is_opened_only_by_the_engine_and_the_commands_without_a_service() -> None:
    users = {name(path) for path in MODULES if "ox.Store" in path.read_text()}
    without_service = {
        "asking.py",
        "building.py",
        "change.py",
        "consequences.py",
        "convert.py",
        "gate.py",
        "inference.py",
        "mapping.py",
        "merged.py",
        "remembering.py",
        "search/entry.py",  # for the finder, a process of the engine
        "shapes.py",
    }
    assert {user for user in users if not user.startswith("engine/")} <= without_service


def test_no_file_speaks_of_one_machine() -> None:
    places = re.compile(r"(^|[^A-Za-z0-9_.])/(work|home/\w+|root|Users)/")
    files = [p for p in ROOT.rglob("*") if p.suffix in {".py", ".md", ".toml", ".ttl", ".trig", ".rq", ".html", ".css"}]
    mine = [p for p in files if not {".venv", ".git", "dist", "build", "tests", "node_modules"} & set(p.relative_to(ROOT).parts)]
    assert not [str(p) for p in mine if places.search(p.read_text())]
