"""Mechanical mends of what the gate finds: the near name, the missing datatype, the property that is not there."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import pyoxigraph as ox

from motorgraph.engine.placing import Placed
from motorgraph.engine.remote import remote
from motorgraph.engine.values import Term
from motorgraph.vocab import RDF, RDFS, SH, SKOS, XSD, Names

if TYPE_CHECKING:
    from motorgraph.gate import Result

MOST_CANDIDATES = 5_000
MOST_SEARCHES = 40
MOST_LISTED = 5
MOST_MATCHED = 500
MOST_LATITUDE = 90
_SUFFIX = "ConstraintComponent"
_LANG = RDF + "langString"
_DAYS = ("%d %B %Y", "%d %b %Y", "%B %d, %Y", "%b %d, %Y", "%Y/%m/%d", "%Y%m%d")
_LOCAL = re.compile(r"[A-Za-z0-9_](?:[\w.-]*[\w-])?", re.ASCII)
_BARE = {XSD + "integer": r"[+-]?\d+", XSD + "decimal": r"[+-]?\d*\.\d+", XSD + "boolean": r"true|false"}
_EXAMPLES = {
    XSD + "date": '"2026-01-31"^^xsd:date',
    XSD + "integer": "1",
    XSD + "decimal": "1.5",
    XSD + "boolean": "true",
    XSD + "anyURI": '"https://…"^^xsd:anyURI',
    _LANG: '"…"@en',
}
_OF_CLASS = """SELECT DISTINCT ?thing ?name { ?kind <%ssubClassOf>* $class . ?thing a ?kind FILTER(isIRI(?thing))
  OPTIONAL { ?thing <%sprefLabel> ?name } } LIMIT %d""" % (RDFS, SKOS, MOST_CANDIDATES)  # noqa: UP031  # braces are SPARQL's
_IN_SCHEME = """SELECT ?thing ?name { ?thing <%sinScheme> $scheme OPTIONAL { ?thing <%sprefLabel> ?name } } LIMIT %d""" % (  # noqa: UP031
    SKOS,
    SKOS,
    MOST_CANDIDATES,
)
_BELOW = """SELECT DISTINCT ?thing { ?thing a ?kind FILTER(STRSTARTS(STR(?thing), $prefix)) } LIMIT %d""" % MOST_CANDIDATES  # noqa: UP031
Json = dict[str, Any]  # Any: plain JSON


class Spelling:
    """How terms are written in one text, by the prefixes that it declares; with those of the service where it declares none."""

    def __init__(self, prefixes: Mapping[str, str], base: str) -> None:
        known = {**Names(base).prefixes(), **prefixes} if not prefixes else dict(prefixes)
        self._spaces = sorted(known.items(), key=lambda pair: -len(pair[1]))

    def of(self, term: Term) -> str:
        """A term as the text would have it."""
        return self.ways(term)[0] if not isinstance(term, ox.BlankNode | ox.Triple) else "[]"

    def ways(self, term: Term) -> list[str]:
        """All ways in which a text may have written a term, the shortest first."""
        if isinstance(term, ox.NamedNode):
            names = [f"{p}:{term.value[len(s) :]}" for p, s in self._spaces if term.value.startswith(s)]
            fit = [name for name in names if _LOCAL.fullmatch(name.partition(":")[2])]
            return [*(("a",) if term.value == RDF + "type" else ()), *fit, f"<{term.value}>"]
        if not isinstance(term, ox.Literal):
            return []
        quoted = ox.Literal(term.value)
        others = [str(quoted), f"'{term.value}'"]
        if term.language:
            return [f"{text}@{term.language}" for text in others] + others
        kind = term.datatype.value
        bare = [term.value] if kind in _BARE and re.fullmatch(_BARE[kind], term.value) else []
        typed = [] if kind == XSD + "string" else [f"{text}^^{name}" for text in others for name in self.ways(term.datatype)]
        return [*bare, *typed, *others]


class Mender:
    """Suggests what to write, from the shapes and the graph (`store`) that the text was judged by."""

    def __init__(self, shapes: ox.Store, store: ox.Store, spelling: Spelling) -> None:
        self._shapes = shapes
        self._store = store
        self._searches = 0
        self._of_shapes: dict[str, Mapping[str, list[Term]]] = {}
        self.spelling = spelling

    def suggestion(self, result: Result, value: Term | None, found: Placed) -> Json | None:
        """What to write: `words`, and `text`, `instead` of the value or else to be added; None if there is nothing mechanical.

        `near` are the IRIs that may be meant, the likest first.
        """
        component = result.component.removeprefix(SH).removesuffix(_SUFFIX)
        if component in _MENDS:
            return _MENDS[component](self, result, value)
        if component == "SPARQL":
            return self._swapped(result, found)
        return None

    # What each component has for a mend

    def _missing(self, result: Result, value: Term | None) -> Json | None:
        path = ox.NamedNode(result.path) if result.path and "<" not in result.path else None
        if path is None:
            return None
        text = f"{self.spelling.of(path)} {self._example(result)} ;"
        return {"words": "Add the property", "text": text}

    def _example(self, result: Result) -> str:
        """What a value would look like, by what the shapes ask of it."""
        for datatype in self._asked(result, "datatype"):
            if isinstance(datatype, ox.NamedNode):
                return _EXAMPLES.get(datatype.value, f'"…"^^{self.spelling.of(datatype)}')
        for listed in self._asked(result, "in"):
            return " | ".join(self.spelling.of(member) for member in self._members(listed)[:MOST_LISTED])
        for scheme in self._schemes(result):
            concepts = sorted(self._candidates(_IN_SCHEME, scheme=scheme))
            if concepts:
                return " | ".join(self.spelling.of(ox.NamedNode(iri)) for iri in concepts[:MOST_LISTED])
        classes = [term for term in self._asked(result, "class") if isinstance(term, ox.NamedNode)]
        classes = classes or [*self._of_choices(result)]
        if classes:
            return f"<{' or '.join(_last(kind.value) for kind in classes)}>"
        return '"…"' if not any(True for _ in self._asked(result, "nodeKind")) else "<…>"

    def _near_in_list(self, result: Result, value: Term | None) -> Json | None:
        members = [member for listed in self._asked(result, "in") for member in self._members(listed)]
        return self._near(value, {m.value: "" for m in members if isinstance(m, ox.NamedNode)}) or self._near_text(value, members)

    def _near_concept(self, result: Result, value: Term | None) -> Json | None:
        schemes = list(self._schemes(result))
        if not schemes:
            return self._near_name(value)
        return self._near(value, {k: v for scheme in schemes for k, v in self._candidates(_IN_SCHEME, scheme=scheme).items()})

    def _near_instance(self, result: Result, value: Term | None) -> Json | None:
        classes = [term for term in self._asked(result, "class") if isinstance(term, ox.NamedNode)] or [*self._of_choices(result)]
        names: dict[str, str] = {}
        for kind in classes:
            names |= self._candidates(_OF_CLASS, **{"class": kind})
        return self._near(value, names)

    def _near_name(self, value: Term | None) -> Json | None:
        """Another thing of which the IRI differs in its last part alone."""
        if not isinstance(value, ox.NamedNode) or not value.value.rpartition("/")[0]:
            return None
        prefix = value.value.rpartition("/")[0] + "/"
        return self._near(value, self._candidates(_BELOW, prefix=ox.Literal(prefix)))

    def _typed(self, result: Result, value: Term | None) -> Json | None:
        if not isinstance(value, ox.Literal):
            return None
        for datatype in self._asked(result, "datatype"):
            if isinstance(datatype, ox.NamedNode) and (mended := _as(value, datatype.value)) is not None:
                return {"words": "Write it with its datatype" if datatype.value != _LANG else "Say its language",
                        "text": self.spelling.of(mended), "instead": True}  # fmt: skip
        return None

    def _others(self, result: Result, value: Term | None) -> Json | None:
        """What else the graph says, where one value is all that there may be."""
        if result.node or not result.path or "<" in result.path:
            return None
        path = ox.NamedNode(result.path)
        quads = self._store.quads_for_pattern(ox.NamedNode(result.focus), path, None, ox.DefaultGraph())
        values = [self.spelling.of(quad.object) for quad in quads][:MOST_LISTED]
        return {
            "words": "It would have these values; leave all but one out",
            "text": f"{self.spelling.of(path)} {' , '.join(values)}",
        }

    def _fitting(self, result: Result, value: Term | None) -> Json | None:
        """The value with a small change after which it matches the pattern."""
        if not isinstance(value, ox.Literal):
            return None
        patterns = [str(term.value) for term in self._asked(result, "pattern") if isinstance(term, ox.Literal)]
        plain = value.value.strip()
        for text in (
            plain,
            f"https://{plain}",
            plain.lower(),
            plain.upper(),
            re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-"),
        ):
            if text != value.value and len(text) < MOST_MATCHED and patterns and all(_matches(p, text) for p in patterns):
                return {"words": "This would match", "text": self.spelling.of(ox.Literal(text)), "instead": True}
        return None

    def _swapped(self, result: Result, found: Placed) -> Json | None:
        """Latitude and longitude, if the finding is about them and they can have been taken for each other."""
        focus, wgs = result.node or result.focus, "http://www.w3.org/2003/01/geo/wgs84_pos#"
        if "wgs:lat" not in result.message or "wgs:long" not in result.message:
            return None
        latitude, longitude = (next(found.of(focus, wgs + name), None) for name in ("lat", "long"))
        if latitude is None or longitude is None or latitude[1][2] == longitude[1][2]:
            return None
        places = ((latitude[0], latitude[1], longitude[1]), (longitude[0], longitude[1], latitude[1]))
        if not isinstance(longitude[1][2], ox.Literal) or abs(float(longitude[1][2].value)) > MOST_LATITUDE:
            return None
        pairs = [f"{self.spelling.of(old[1])} {self.spelling.of(new[2])}" for _, old, new in places]
        edits = [
            {"line": line, "spelled": self.spelling.ways(old[2]), "text": self.spelling.of(new[2])} for line, old, new in places
        ]
        return {"words": "Swap them, if they were taken for each other", "text": " ; ".join(pairs), "edits": edits}

    # What they look at

    def _near(self, value: Term | None, names: Mapping[str, str]) -> Json | None:
        from motorgraph.search.likeness import likest_of  # only in a process that has something to mend

        if not isinstance(value, ox.NamedNode | ox.Literal) or not names:
            return None
        slug = value.value.rstrip("/").rpartition("/")[2].rpartition("#")[2] if isinstance(value, ox.NamedNode) else value.value
        near = [iri for iri in likest_of(slug, dict(names)) if iri != value.value]
        if not near:
            return None
        if slug.casefold() in (names[near[0]].casefold(), _last(near[0]).casefold()):
            near = near[:1]  # it is what was written, so no other is meant
        text = self.spelling.of(ox.NamedNode(near[0]))
        return {"words": f"Did you mean {names[near[0]] or _last(near[0])}?", "text": text, "instead": True, "near": near}

    def _near_text(self, value: Term | None, members: list[Term]) -> Json | None:
        """A member of a list that says the same in other letters, or with another datatype."""
        if not isinstance(value, ox.Literal):
            return None
        same = [m for m in members if isinstance(m, ox.Literal) and m.value.casefold() == value.value.strip().casefold()]
        return {"words": "Write it as the shapes have it", "text": self.spelling.of(same[0]), "instead": True} if same else None

    def _candidates(self, query: str, **values: ox.NamedNode | ox.Literal) -> dict[str, str]:
        """The things that a query finds, with a name; none when enough has been searched for."""
        return self._found(query, tuple(values.items()))

    @cached_property
    def _found(self) -> Callable[[str, tuple[tuple[str, ox.NamedNode | ox.Literal], ...]], dict[str, str]]:
        @lru_cache
        def found(query: str, values: tuple[tuple[str, ox.NamedNode | ox.Literal], ...]) -> dict[str, str]:
            self._searches += 1
            if self._searches > MOST_SEARCHES:
                return {}
            for name, value in values:
                query = query.replace(f"${name}", str(value))
            there = remote(self._store)
            rows = (there.unchanged if there is not None else self._store).query(query)
            assert isinstance(rows, ox.QuerySolutions)
            named = any(variable.value == "name" for variable in rows.variables)
            return {row["thing"].value: row["name"].value if named and row["name"] else "" for row in rows}

        return found

    def _property_shapes(self, result: Result) -> Iterator[Term]:
        """The property shapes of the named shape that are about the path of the finding."""
        if result.shape and result.path and "<" not in result.path:
            yield from self._by_path(result.shape).get(result.path, ())

    def _by_path(self, shape: str) -> Mapping[str, list[Term]]:
        """The property shapes of a named shape by their predicate; it may have thousands, and each finding of it asks."""
        if shape not in self._of_shapes:
            known: defaultdict[str, list[Term]] = defaultdict(list)
            for inner in self._objects(ox.NamedNode(shape), SH + "property"):
                for path in self._objects(inner, SH + "path"):
                    if isinstance(path, ox.NamedNode):
                        known[path.value].append(inner)
            self._of_shapes[shape] = known
        return self._of_shapes[shape]

    def _asked(self, result: Result, parameter: str) -> Iterator[Term]:
        """The values that a parameter has in these."""
        for shape in self._property_shapes(result):
            yield from self._objects(shape, SH + parameter)

    def _of_choices(self, result: Result) -> Iterator[ox.NamedNode]:
        """The classes among which `sh:or` lets choose."""
        for listed in self._asked(result, "or"):
            for member in self._members(listed):
                yield from (kind for kind in self._objects(member, SH + "class") if isinstance(kind, ox.NamedNode))

    def _schemes(self, result: Result) -> Iterator[ox.NamedNode]:
        """The schemes of which the shapes (`sh:node`) want a concept."""
        for node in self._asked(result, "node"):
            for inner in self._objects(node, SH + "property"):
                if self._says(inner, "path", ox.NamedNode(SKOS + "inScheme")):
                    yield from (value for value in self._objects(inner, SH + "hasValue") if isinstance(value, ox.NamedNode))

    def _members(self, listed: Term) -> list[Term]:
        members: list[Term] = []
        while isinstance(listed, ox.BlankNode) and len(members) < MOST_CANDIDATES:
            members += self._objects(listed, RDF + "first")
            listed = next(self._objects(listed, RDF + "rest"), ox.NamedNode(RDF + "nil"))
        return members

    def _objects(self, node: Term, predicate: str) -> Iterator[Term]:
        if isinstance(node, ox.NamedNode | ox.BlankNode):
            yield from (q.object for q in self._shapes.quads_for_pattern(node, ox.NamedNode(predicate), None, None))

    def _says(self, node: Term, parameter: str, value: Term) -> bool:
        return value in self._objects(node, SH + parameter)


_MENDS: dict[str, Callable[[Mender, Result, Term | None], Json | None]] = {
    "Class": Mender._near_instance,
    "Datatype": Mender._typed,
    "In": Mender._near_in_list,
    "MaxCount": Mender._others,
    "MinCount": Mender._missing,
    "Node": Mender._near_concept,
    "Or": Mender._near_instance,
    "Pattern": Mender._fitting,
}


def _as(value: ox.Literal, datatype: str) -> ox.Literal | None:
    """The literal with another datatype, if what it says can be read so."""
    text = value.value.strip()
    if datatype == _LANG:
        return ox.Literal(text, language="en") if text else None
    if datatype == XSD + "date":
        day = _day(text)
        return ox.Literal(day, datatype=ox.NamedNode(datatype)) if day else None
    if datatype in _BARE:
        text = text.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+", text) else text
        text = text + ".0" if datatype == XSD + "decimal" and re.fullmatch(r"[+-]?\d+", text) else text
        return ox.Literal(text, datatype=ox.NamedNode(datatype)) if re.fullmatch(_BARE[datatype], text) else None
    return ox.Literal(text) if datatype == XSD + "string" else None


def _day(text: str) -> str:
    """A day in the form of ISO 8601, if it is told with the month in letters or the year first; "" if not."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text[:10]) and (len(text) == 10 or text[10] == "T"):
        return text[:10]
    for form in _DAYS:
        try:
            return datetime.strptime(text, form).date().isoformat()  # a day has no zone
        except ValueError:
            continue
    return ""


def _matches(pattern: str, text: str) -> bool:
    """Whether a text has a match; false for a pattern that Python does not know."""
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False


def _last(iri: str) -> str:
    return re.split(r"[/#]", iri.rstrip("/#"))[-1]
