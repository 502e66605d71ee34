"""The words that a query can use: the classes and properties of the graph, how often each is used, by things of which class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyoxigraph as ox

from motorgraph.catalogue.statistics import Statistics
from motorgraph.inquiry import Inquiry
from motorgraph.prefixes import Prefixes
from motorgraph.vocab import RDFS, SKOS

MOST_PROPERTIES = 1000
MOST_CLASSES = 500
_TERMS = """SELECT ?term ?label ?says { { SELECT DISTINCT ?term {
  { ?term a <http://www.w3.org/2002/07/owl#Class> } UNION { ?term a <http://www.w3.org/2002/07/owl#ObjectProperty> }
  UNION { ?term a <http://www.w3.org/2002/07/owl#DatatypeProperty> } } LIMIT 2000 }
  FILTER(ISIRI(?term)) OPTIONAL { ?term $label ?label FILTER(LANG(?label) IN ("", "en")) }
  OPTIONAL { ?term $definition ?says FILTER(LANG(?says) IN ("", "en")) } }"""
_FIRST_SENTENCE = 140


@dataclass(frozen=True, slots=True)
class Words:
    """What a term is called, and what it says in short."""

    label: str = ""
    says: str = ""


async def worded(inquiry: Inquiry) -> dict[str, Words]:
    """The words of the classes and properties that the graph itself defines."""
    found = await inquiry.rows(_TERMS, label=ox.NamedNode(RDFS + "label"), definition=ox.NamedNode(SKOS + "definition"))
    return {row["term"]: Words(row.get("label", ""), _short(row.get("says", ""))) for row in found}


def _short(text: str) -> str:
    return text if len(text) <= _FIRST_SENTENCE else text[:_FIRST_SENTENCE].rsplit(" ", 1)[0] + " …"


def told(statistics: Statistics, words: Mapping[str, Words], prefixes: Prefixes, commit: int) -> dict[str, object]:
    """All of it as JSON. Of a property `of` says how many things of each class have it, by the place of the class in `classes`.

    `towards` are the places of the classes that its values are of, the most frequent first, of equals the narrowest.
    """
    classes = dict(list(statistics.classes.items())[:MOST_CLASSES])
    places = {name: place for place, name in enumerate(classes)}
    sizes = list(classes.values())
    of: dict[str, dict[int, int]] = {}
    towards: dict[str, dict[int, int]] = {}
    for name, used in statistics.partitions.items():
        for property_, partition in used.items():
            if name in places:
                of.setdefault(property_, {})[places[name]] = partition.subjects
            for class_, count in partition.classes.items():
                if class_ in places:
                    of_values = towards.setdefault(property_, {})
                    of_values[places[class_]] = max(of_values.get(places[class_], 0), count)
    properties = list(statistics.properties.items())[:MOST_PROPERTIES]
    return {
        "commit": commit,
        "prefixes": prefixes.namespaces,
        "classes": [{"iri": name, "count": count, **_worded(words, name)} for name, count in classes.items()],
        "properties": [
            {
                "iri": name,
                "count": use.subjects,
                **_worded(words, name),
                "of": of.get(name, {}),
                "towards": sorted(led := towards.get(name, {}), key=lambda place: (-led[place], sizes[place]))[:8],
            }
            for name, use in properties
        ],
    }


def _worded(words: Mapping[str, Words], name: str) -> dict[str, str]:
    found = words.get(name, Words())
    return {**({"label": found.label} if found.label else {}), **({"says": found.says} if found.says else {})}
