"""The facts of a thing by group, and tables of the nodes without a name that hang on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

from motorgraph.dates import vague
from motorgraph.entity import TYPE, Answered
from motorgraph.literal import literal, text_of
from motorgraph.marks import Mark, status
from motorgraph.portrait.layout import (
    COLUMNS,
    EXPECTED,
    GROUPS,
    HIDDEN,
    MARKED,
    OTHERS,
    TABLE_NAMES,
    UNITS,
    UNLIMITED,
    VALID,
    VOCABULARY,
    group,
)
from motorgraph.portrait.material import Material, last
from motorgraph.portrait.values import Cell, Fact, Link, Row, Section, Table, Value
from motorgraph.vocab import DCTERMS

MOST_ROWS = 60
YEAR, BILLION = 4, 9
EDTF = {"dateEDTF", "period"}
"""Properties whose values are dates in EDTF."""
PLACE = "place in the order"
"""The unit of a rank, which stands before its number."""
DISAGREE = "Sources disagree"
SAYINGS = {"Claim", "Proposition", "Verdict", "OriginalSource", "ClaimRelation", "SourceMention"}
"""Classes whose nodes stand in the section on claims."""
ELI = "http://data.europa.eu/eli/ontology#"
_ELSEWHERE = {"eli": ELI, "dcterms": DCTERMS}


def sections(of: Material, contested: Sequence[Fact]) -> list[Section]:
    """The facts of the thing, in groups; last what sources give different values for."""
    found: dict[int, list[tuple[int, Fact]]] = {}
    for predicate, statements in _by_property(of).items():
        number, place = group(last(predicate))
        found.setdefault(number, []).append((place, _fact(of, predicate, statements)))
    position = _position(of)
    if position:
        found.setdefault(group("position")[0], []).append(position)
    for name, fact in _missing(of):
        number, place = group(name)
        found.setdefault(number, []).append((place, fact))
    named = [name for name, _ in GROUPS] + [OTHERS]
    told = [Section(named[n], [fact for _, fact in sorted(found[n], key=_place)]) for n in sorted(found)]
    return [*told, *([Section(DISAGREE, list(contested))] if contested else [])]


def _place(item: tuple[int, Fact]) -> tuple[int, str]:
    return item[0], item[1].name.text


def _by_property(of: Material) -> dict[str, Answered]:
    """The statements of the thing that are facts; what follows by rules from another of them is left out."""
    own = of.about[of.thing]
    asserted = {s[2] for s in own if s[3] != of.inferred}
    found: dict[str, Answered] = {}
    for statement in own:
        _, predicate, value, graph = statement
        follows = graph == of.inferred and (value in asserted or not predicate.startswith(f"<{of.names.term('')}"))
        if predicate != TYPE and last(predicate) not in HIDDEN and not follows:
            found.setdefault(predicate, []).append(statement)
    return {predicate: some for predicate, some in found.items() if not _repeats(of, predicate, some)}


def _repeats(of: Material, predicate: str, statements: Answered) -> bool:
    """Whether the place, the day or the title in words only says what stands elsewhere on the page."""
    if last(predicate) == "title":
        return {text_of(s[2]) for s in statements} <= {of.name(of.thing)}
    if last(predicate) == "dateEDTF":
        return {spoken(s[2]) for s in statements} <= {
            spoken(day) for day in of.all(of.thing, "reportedOn", "onDate", "validFrom")
        }
    places = {of.name(place) for place in of.all(of.thing, "inPlace")}
    return last(predicate) == "locality" and {text_of(s[2]) for s in statements} <= places


def _fact(of: Material, predicate: str, statements: Answered) -> Fact:
    by_value: dict[str, Answered] = {}
    for statement in statements:
        by_value.setdefault(statement[2], []).append(statement)
    values = [_value(of, predicate, value, some) for value, some in sorted(by_value.items(), key=lambda item: of.name(item[0]))]
    return Fact(_capitalised(of.property(predicate)), values)


def _capitalised(link: Link) -> Link:
    return replace(link, text=_capital(link.text))


def _value(of: Material, predicate: str, value: str, statements: Answered) -> Value:
    sources = of.cited(document for s in statements for document in of.grounds(s))
    found = literal(value)
    if found is None:
        mark = status(last(value)) if last(predicate) in MARKED else None
        return Value(of.link(value), sources=sources, mark=mark)
    words = spoken(value) if found.datatype.endswith(("#date", "#gYear", "#gYearMonth")) or last(predicate) in EDTF else ""
    if found.datatype.endswith("#boolean"):
        words = "yes" if found.value in ("true", "1") else "no"
    link = Link(words) if words else of.link(value)
    return Value(link, found.language, sources)


def _position(of: Material) -> tuple[int, Fact] | None:
    """Where the thing is, as one fact."""
    own = {last(s[1]): s for s in of.about[of.thing]}
    if "lat" not in own or "long" not in own:
        return None
    precision = f" ({text_of(own['coordinatePrecision'][2])})" if "coordinatePrecision" in own else ""
    words = f"{text_of(own['lat'][2])}, {text_of(own['long'][2])}{precision}".replace("-", "−", 2)
    value = Value(Link(words.replace("municipality−point", "municipality point")), sources=of.cited(of.grounds(own["lat"])))
    return group("position")[1], Fact(Link("Position"), [value])


def _missing(of: Material) -> Iterator[tuple[str, Fact]]:
    """What the thing should have and has not."""
    has = {last(s[1]) for s in of.about[of.thing]}
    wanted = [name for kind, names in EXPECTED.items() if kind in of.classes(of.thing) for name in names]
    for name in wanted:
        if name not in has:
            start = _ELSEWHERE.get(VOCABULARY.get(name, ""), of.names.term(""))
            yield name, Fact(_capitalised(of.property(f"<{start}{name}>")), [])


def spoken(term: str) -> str:
    """A date as a term in words."""
    return vague(text_of(term)) if term else ""


# Tables


def tables(of: Material) -> list[Table]:
    """The nodes without a name that hang on the thing, by class."""
    nodes: dict[str, list[str]] = {}
    for node in of.found.told:
        classes = of.classes(node)
        is_row = node != of.thing and not classes & SAYINGS and not of.has_name(node) and not _is_told(of, node)
        if is_row and not _is_of_others(of, node):
            nodes.setdefault(_class(classes), []).append(node)
    order = list(COLUMNS)
    ranked = sorted(nodes, key=lambda kind: (order.index(kind) if kind in order else len(order), kind))
    return [_table(of, kind, nodes[kind]) for kind in ranked]


def _is_of_others(of: Material, node: str) -> bool:
    """Whether it is the control of one other by another, to which this thing is only the way."""
    return "ControlRelation" in of.classes(node) and of.thing not in of.all(node, "controller", "controlled")


def shown(of: Material) -> set[str]:
    """The nodes that stand in tables."""
    return {node for node in of.found.told if not of.has_name(node) and not of.classes(node) & SAYINGS}


def _class(classes: set[str]) -> str:
    return next((name for name in COLUMNS if name in classes), min(sorted(c for c in classes if "/" not in c) or [""]))


def _is_told(of: Material, node: str) -> bool:
    """Whether all that a node says stands among the facts of the thing already."""
    own = {(s[1], s[2]) for s in of.about[of.thing]}
    rest = [
        s
        for s in of.about.get(node, ())
        if s[1] != TYPE and s[2] != of.thing and last(s[1]) not in HIDDEN and s[3] != of.inferred
    ]
    return "PlantOperation" in of.classes(node) and all((s[1], s[2]) in own for s in rest)


def _table(of: Material, kind: str, nodes: list[str]) -> Table:
    ranked = sorted(nodes, key=lambda node: _newest(of, node))[:MOST_ROWS]
    columns = COLUMNS.get(kind) or _all_columns(of, ranked)
    disputed = _disputed(of, ranked)
    cells = [[_cell(of, node, terms) for _, terms in columns] + [_when(of, node)] for node in ranked]
    names = [*(name for name, _ in columns), "When"]
    itself = [Link(of.name(of.thing))]
    used = [n for n in range(len(names)) if any(row[n].values not in ([], itself) for row in cells)]
    used = used or [0]
    rows = [
        Row(of.link(node).page, [row[n] for n in used], of.rests_on(node), node in disputed)
        for node, row in zip(ranked, cells, strict=True)
    ]
    words = _title(of, kind)
    return Table(words[:1].upper() + words[1:], [names[n] for n in used], rows, len(nodes) - len(ranked))


def _title(of: Material, kind: str) -> str:
    if kind == "ProductionAssignment" and "Plant" not in of.classes(of.thing):
        return "Where it is built, for whom" if "VehicleModel" in of.classes(of.thing) else "What is built, and where"
    return TABLE_NAMES.get(kind) or (of.name(of.term(kind)) if kind else "Without a class")


def _newest(of: Material, node: str) -> tuple[str, ...]:
    """What orders rows: what they are of, then the newest first."""
    day = of.value(node, "periodStart", "validFrom", "onDate", "dateEDTF")
    digits = "".join(chr(ord("9") - ord(c) + ord("0")) if c.isdigit() else c for c in day)
    what = of.name(of.first(node, "measureConcept", "ofMeasure", "holder", "party", "statusOf", "controlled"))
    return what, digits or "~", of.name(of.first(node, "ofModel", "issuer", "inDeal")), node


def _all_columns(of: Material, nodes: Iterable[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """A column for each property of our own that any of the nodes has."""
    start = f"<{of.names.term('')}"
    found = dict.fromkeys(
        s[1] for node in nodes for s in of.about.get(node, ()) if s[1] != TYPE and s[2] != of.thing and last(s[1]) not in HIDDEN
    )
    return tuple((_capital(of.property(p).text), (last(p),)) for p in found if p.startswith(start) and last(p) not in VALID)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _cell(of: Material, node: str, terms: tuple[str, ...]) -> Cell:
    if terms[0] == "measureConcept" and not of.first(node, "measureConcept") and "Capacity" in of.classes(node):
        return Cell([Link(of.name(of.term("Capacity")))])
    if terms == ("period",):
        return Cell([Link(vague(of.value(node, "period")))] if of.first(node, "period") else [])
    if terms == ("value",):
        return Cell([Link(amount(of, node))])
    if terms[0] == "ratePercent":
        return Cell([Link(_rate(of, node))] if _rate(of, node) else [])
    if terms[0] == "stakePercent":
        return Cell([Link(f"{_qualified(of, node, of.value(node, 'stakePercent'))} %")] if of.first(node, "stakePercent") else [])
    if terms[0] == "firstModelYear":
        years = of.all(node, *terms)
        return Cell([Link(" to ".join(of.name(year).removeprefix("model year ") for year in years))] if years else [])
    values = of.all(node, *terms)
    if not values and terms in UNLIMITED:
        return Cell([Link("not limited")])
    mark = status(last(values[0])) if values and terms[0] in MARKED else None
    return Cell([Link(of.name(value)) if value == of.thing else of.link(value) for value in values], mark)


def amount(of: Material, node: str) -> str:
    """The value of an observation, with its unit and how it is meant."""
    number = text_of(of.first(node, "value"))
    unit = of.first(node, "unit")
    words = of.value(node, "seriesDefinition") or UNITS.get(last(unit), last(unit).removeprefix("CCY_"))
    words += " a year" if "Capacity" in of.classes(node) and "year" not in words else ""
    if words == PLACE:
        return _qualified(of, node, f"place {number}")
    return " ".join(filter(None, (_qualified(of, node, grouped(number)), words)))


def _qualified(of: Material, node: str, number: str) -> str:
    qualifier = last(of.first(node, "valueQualifier"))
    return number if qualifier in ("", "exact") else f"{qualifier.replace('-', ' ')} {number}"


def grouped(number: str) -> str:
    """A number with commas between thousands, in billions where it is round; four digits may be a year and stay as they are."""
    whole, point, rest = number.partition(".")
    if whole.isdigit() and len(whole) > BILLION and whole.endswith("0" * (BILLION - 1)) and not rest:
        return f"{int(whole) / 10**BILLION:,g} billion"
    return f"{int(whole):,}{point}{rest}" if whole.lstrip("-").isdigit() and len(whole) > YEAR else number


def _rate(of: Material, node: str) -> str:
    exact, most = of.value(node, "ratePercent"), of.value(node, "ratePercentAtMost")
    if exact or most:
        return f"{exact} %" if exact else f"at most {most} %"
    least = of.value(node, "minimumAmount")
    return f"at least {least} {last(of.first(node, 'minimumAmountUnit'))}" if least else ""


def _when(of: Material, node: str) -> Cell:
    start, end, day = (of.value(node, name) for name in ("validFrom", "validTo", "onDate"))
    loose = of.value(node, "dateEDTF")
    words = vague(day) if day else _lasting(start, _day_before(end), loose)
    return Cell([Link(words)] if words and not of.first(node, "period") else [])


def _lasting(start: str, end: str, loose: str) -> str:
    """From when to when something holds; `loose` is its start, or all of it, in EDTF."""
    if ".." in loose:
        return vague(loose)
    if not end:
        if "/" in loose and start:
            return f"start: {vague(loose)}"
        return f"since {vague(loose or start)}" if start else vague(loose) if loose else ""
    begun = loose if loose and "/" not in loose and start else start
    return f"{vague(begun)} to {vague(end)}" if begun else f"until {vague(end)}"


def _day_before(day: str) -> str:
    """The last day on which something holds that ends before a day."""
    try:
        return (date.fromisoformat(day) - timedelta(days=1)).isoformat() if day else ""
    except ValueError:
        return day


def _disputed(of: Material, nodes: list[str]) -> set[str]:
    """The nodes whose values cannot all be right: the same measured for the same time by different documents, not the same."""
    same: dict[tuple[str, ...], set[str]] = {}
    keys = {node: _measured(of, node) for node in nodes if of.first(node, "value")}
    for node, key in keys.items():
        same.setdefault(key, set()).add(of.value(node, "value"))
    times = Counter(keys.values())
    return {node for node, key in keys.items() if len(same[key]) > 1 and times[key] > 1}


def _measured(of: Material, node: str) -> tuple[str, ...]:
    terms = (
        "measureConcept",
        "observedScope",
        "observedOrg",
        "ofPlant",
        "observedMarket",
        "unit",
        "valueKind",
        "period",
        "seriesDefinition",
    )
    return tuple(of.first(node, term) for term in terms)


STATES = ("currentStatus", "plantStatus", "actStatus", "assignmentStatus", "newStatus", "lifeState", "stakeState")


def mark_of(of: Material, node: str) -> Mark | None:
    """The mark of the status of a thing, or of the newest that is reported; None if it has none."""
    state = of.first(node, *STATES)
    known = last(state) if state else max(stages(of, node).items(), key=lambda item: item[1], default=("", ""))[0]
    return status(known) if known else None


def stages(of: Material, node: str) -> dict[str, str]:
    """The statuses that a thing came to, and when; those that only claims tell count too, but none that is yet to come."""
    events = [event for event in of.of_class("StatusEvent") if node in of.all(event, "statusOf") and not is_planned(of, event)]
    return {last(of.first(event, "newStatus")): of.value(event, "onDate", "dateEDTF") for event in events}


def is_planned(of: Material, event: str) -> bool:
    """Whether all that is said of a change of status is that it is planned."""
    told = {last(of.first(claim, "modality")) for claim in of.all(event, "acceptedFrom", "basedOnClaim")}
    return told == {"planned"}
