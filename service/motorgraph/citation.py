"""Citations: how to name the data set as it was after a commit, or a query of it, so that others find the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from itertools import takewhile
from typing import Any
from urllib.parse import urlencode

from motorgraph.errors import BadRequest
from motorgraph.query import Query
from motorgraph.tokens import tokens, unescape_unicode

NAME = "motorgraph"
MOST_CHARACTERS = 16_384
_VIEW = re.compile(r"#[ \t]*defaultView:", re.IGNORECASE)
_UNSTEADY = {"NOW", "RAND", "UUID", "STRUUID", "BNODE"}
_LATEX = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
}


@dataclass(frozen=True, slots=True)
class Citation:
    """What is cited: `title`, the `commit` with its `time` and `lineage`, the `link` to it, who holds it and under which licence.

    `read` is the day on which it is cited.
    """

    title: str
    commit: int
    time: str
    lineage: str
    link: str
    licence: str
    host: str
    read: date

    @property
    def day(self) -> date:
        """The day of the commit."""
        return date.fromisoformat(self.time[:10])

    @property
    def publisher(self) -> str:
        """Who holds the data: of a store of somebody's own only the host is known."""
        return NAME if self.licence else self.host

    @property
    def key(self) -> str:
        """What bibliographies know it by; two queries of one commit may share it."""
        return f"{NAME}-{self.lineage}-{self.commit}"

    @property
    def text(self) -> str:
        """The citation in words."""
        licence = f" Licence: {self.licence}." if self.licence else ""
        title = self.title + ("" if self.title.endswith(("?", "!", ".")) else ".")
        return (
            f"{self.publisher} ({self.day.year}): {title} Commit {self.commit} of {self.day.isoformat()}. "
            f"{self.link} (read {self.read.isoformat()}).{licence}"
        )

    @property
    def bibtex(self) -> str:
        """The citation for BibTeX."""
        note = f"Commit {self.commit} of {self.day.isoformat()}" + (f"; licence: {self.licence}" if self.licence else "")
        fields = {
            "author": f"{{{_latex(self.publisher)}}}",
            "title": f"{{{_latex(self.title)}}}",
            "year": str(self.day.year),
            "month": str(self.day.month),
            "version": f"commit {self.commit}",
            "url": self.link,
            "urldate": self.read.isoformat(),
            "note": _latex(note),
        }
        return f"@misc{{{self.key},\n" + "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items()) + "}\n"

    @property
    def csl(self) -> list[dict[str, Any]]:  # Any: free JSON
        """The citation as CSL-JSON."""
        entry = {
            "id": self.key,
            "type": "dataset",
            "title": self.title,
            "author": [{"literal": self.publisher}],
            "publisher": self.publisher,
            "issued": {"date-parts": [[self.day.year, self.day.month, self.day.day]]},
            "accessed": {"date-parts": [[self.read.year, self.read.month, self.read.day]]},
            "version": f"commit {self.commit}",
            "URL": self.link,
        }
        return [entry | ({"note": f"Licence: {self.licence}"} if self.licence else {})]


def require_steady(text: str) -> None:
    """Raises BadRequest for a query whose answer changes by itself: no commit says what it was."""
    found = [token.text for token in tokens(unescape_unicode(text)) if token.kind == "word" and _is_unsteady(token.text)]
    if found:
        raise BadRequest(
            f"The answer to this query changes by itself, since it asks {found[0]}; no commit says what it was, and a citation "
            "cannot be exact. Put a value in its place."
        )


def notes_on(text: str) -> list[str]:
    """What may keep a query from giving the same answer again, though the graph is the same."""
    words = {token.text.upper() for token in tokens(text) if token.kind == "word"}
    if words & {"LIMIT", "OFFSET"} and "ORDER" not in words:
        return ["The query has LIMIT or OFFSET without ORDER BY, which leaves open which rows it gives. Add ORDER BY."]
    return []


def title_of(text: str) -> str:
    """What a query asks, in words: the comment that it opens with, else that it is a query."""
    said = takewhile(lambda line: line.startswith("#"), text.strip().splitlines())
    words = " ".join(line.lstrip("#").strip() for line in said if not _VIEW.match(line)).strip()
    return words[:300].rstrip(".") or f"A query of the {NAME} data"


def link_to(query: Query, commit: int, origin: str) -> str:
    """The address that answers a query as it was answered after a commit."""
    parameters: list[tuple[str, str]] = [("query", query.text)]
    parameters += [("default-graph-uri", iri) for iri in query.dataset.default]
    parameters += [("named-graph-uri", iri) for iri in query.dataset.named]
    return f"{origin}/sparql?{urlencode([*parameters, ('at', str(commit))])}"


def _is_unsteady(word: str) -> bool:
    return word.upper() in _UNSTEADY or word.upper().startswith("SERVICE")


def _latex(text: str) -> str:
    return re.sub(r"[&%$#_{}~^\\]", lambda match: _LATEX[match[0]], text)
