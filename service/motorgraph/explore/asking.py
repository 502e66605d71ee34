"""A list as SPARQL: a query that finds the same things, with the columns of the table, to go on from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pyoxigraph as ox

from motorgraph.explore.kinds import PREFIXES, Column
from motorgraph.explore.narrowing import LIMIT, Found
from motorgraph.explore.sheet import NOT_KNOWN
from motorgraph.inquiry import bound
from motorgraph.vocab import XSD

MOST_NAMED = 300
"""Things that a query names one by one."""
THINGS = ("entity", "concept", "status")
"""The types of columns whose values are things."""


def as_sparql(found: Found, base: str) -> bytes:
    """The query. What is worked out here (who controls whom, how a deal stands, words in names) is no pattern: for that the first
    things that were found are named."""
    asked = found.asked
    told = [f"# {replace(asked, limit=LIMIT, offset=0).address()}"]
    chosen = _chosen(found)
    if chosen is None:
        named = found.items[:MOST_NAMED]
        cut = f", the first {len(named)} of {len(found.items)}" if len(named) < len(found.items) else ""
        told.append(f"# What they were chosen by is worked out from the graph, so the things are named{cut}.")
        chosen = [f"VALUES ?thing {{ {' '.join(f'<{item.iri}>' for item in named)} }}"]
    columns = [column for column in asked.kind.shown if column.text]
    lines = [
        f"SELECT ?thing ?label {' '.join(f'?{column.name}' for column in columns)} {{",
        *(f"  {line}" for line in (*chosen, f"{asked.kind.of} .", *map(_cell, columns))),
        "} ORDER BY ?label ?thing",
    ]
    today = ox.Literal(datetime.now(UTC).date().isoformat(), datatype=ox.NamedNode(f"{XSD}date"))
    text = bound("\n".join(lines), {"today": today})
    return "\n".join([*told, *_prefixes(text, base), text, ""]).encode()


def _chosen(found: Found) -> list[str] | None:
    """What is chosen as patterns, None if it cannot be."""
    asked = found.asked
    if asked.query or asked.box or asked.kind.holds:
        return None
    columns = {column.name: column for column in asked.kind.columns}
    patterns = []
    for name, keys in asked.chosen:
        column, values = columns[name], found.sheet.values(name)
        if not column.text or column.type not in THINGS or NOT_KNOWN in keys:
            return None
        terms = " ".join(f"<{values[key].iri}>" for key in keys)
        patterns.append(f"{{ SELECT DISTINCT ?thing {{ VALUES ?value {{ {terms} }} {column.text} }} }}")
    return patterns


def _cell(column: Column) -> str:
    """What stands in a column of each thing: its words, or what it is."""
    label = " OPTIONAL { ?value skos:prefLabel ?words }" if column.is_labelled or column.type == "status" else ""
    words = "COALESCE(?words, STR(?value))" if column.type in THINGS else "STR(?value)"
    told = f'(GROUP_CONCAT(DISTINCT {words}; SEPARATOR="; ") AS ?{column.name})'
    return f"OPTIONAL {{ SELECT ?thing {told} {{ {column.text}{label} }} GROUP BY ?thing }}"


def _prefixes(text: str, base: str) -> list[str]:
    """Those that a text uses, one a line."""
    declared = [f"PREFIX {part.strip()}" for part in PREFIXES.format(base=base).split("PREFIX ") if part.strip()]
    return [line for line in declared if f"{line.removeprefix('PREFIX ').partition(':')[0]}:" in text]
