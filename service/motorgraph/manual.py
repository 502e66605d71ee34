"""The documentation that the service serves: which pages there are, for whom, and each as Markdown and as HTML."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from posixpath import normpath

from motorgraph import __version__, reference
from motorgraph.markdown import Rendered, rendered, title_of
from motorgraph.reference import Json
from motorgraph.resources import asset, tag_of
from motorgraph.vocab import CANONICAL_BASE

ROOT = "/docs"
WRITTEN_FOR = "http://127.0.0.1:8800"
"""The address of the service in the texts; who reads them at another address finds that one."""
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the documentation: its title, what it is good for, and its pages: the name of each, and for what one reads it."""

    title: str
    about: str
    pages: Mapping[str, str]


PARTS = (
    Part(
        "Tutorial",
        "Ten minutes, from nothing to an answered question.",
        {"tutorial": "Search, read, ask, compare duties, query, export, and change something."},
    ),
    Part(
        "How to",
        "What you came to do.",
        {
            "analyst": "Compare duties, read who says so, cite, export, follow a topic. Without SPARQL.",
            "query-writer": "SPARQL from curl, Python, R, JavaScript and BI tools; limits, time travel, views.",
            "data-engineer": "Dereference, dump, follow, harvest, reconcile, replicate.",
            "curator": "Add and correct what is said: try, mend, commit, take back.",
            "operation": "Start, tokens, backup, limits, metrics, upgrade, replicas, containers.",
            "sizing": "How large a graph fits in memory, when replicas help, and when another engine does.",
        },
    ),
    Part(
        "Reference",
        "What there is, exactly. Four of the pages are made by the running service from its own code.",
        {
            "http": "What stands behind each address: protocols, formats, headers, files.",
            "addresses": "Every address with its parameters, bodies and answers.",
            "refusals": "Every refusal with its status, and when one meets it.",
            "settings": "Every setting with its variable and default.",
            "commands": "Every command with its arguments.",
        },
    ),
    Part(
        "Explanation",
        "Why it is as it is.",
        {
            "security": "What there is to protect, who is trusted with what, what stops whom, what is left to you.",
            "design": "Processes, limits, writes, judgement, inference, search: how, and why so.",
            "performance": "Speed, memory and isolation, each figure with its command.",
            "reliability": "Load, soaks and faults: what was tried, what came of it, what is not guarded.",
        },
    ),
)
NAMES = tuple(name for part in PARTS for name in part.pages)


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its name, text, HTML, and what changes with either."""

    name: str
    part: Part
    text: str
    html: Rendered
    tag: str


@dataclass
class Manual:
    """All pages, each made when it is first asked for, with the base of the service. `described` is its OpenAPI."""

    described: Callable[[], Json]
    base: str
    _made: dict[str, Page] = field(default_factory=dict)

    def page(self, name: str) -> Page:
        """A page by its name, one of `NAMES`."""
        found = self._made.get(name)
        if found is None:
            text = self._text(name)
            part = next(part for part in PARTS if name in part.pages)
            found = self._made[name] = Page(name, part, text, rendered(text, where), tag_of(f"{__version__} {text}".encode()))
        return found

    @cached_property
    def titles(self) -> Mapping[str, str]:
        """The title of every page by its name."""
        return {name: title_of(self._text(name)) for name in NAMES}

    def _text(self, name: str) -> str:
        made: dict[str, Callable[[], str]] = {
            "settings": reference.settings,
            "refusals": reference.refusals,
            "commands": reference.of_commands,
            "addresses": lambda: reference.addresses(self.described()),
        }
        if name in made:
            return made[name]()
        return (asset("docs") / f"{name}.md").read_text("utf-8").replace(CANONICAL_BASE, self.base)


def plots() -> Mapping[str, Path]:
    """The files of the pictures that pages show, by the path that these have for them."""
    folder = asset("docs")
    return {path.relative_to(folder).as_posix(): path for path in folder.glob("plots/*.svg")}


def neighbours(name: str) -> tuple[str, str]:
    """The names of the pages before and after one; "" where there is none."""
    place = NAMES.index(name)
    around: Sequence[str] = ("", *NAMES, "")
    return around[place], around[place + 2]


def where(link: str) -> str:
    """Where a link of a text leads on a page of the service; "" if to a file that is not served."""
    path, mark, anchor = link.partition("#")
    if _SCHEME.match(link) or not path or path.startswith("/"):
        return link
    if path in plots():
        return f"{ROOT}/{path}"
    name = normpath(path).removesuffix(".md")
    return f"{ROOT}/{name}{mark}{anchor}" if name in NAMES else ""
