"""What was found as JSON, CSV and GeoJSON (RFC 7946)."""

from __future__ import annotations

import csv
import io
from typing import Any

import orjson

from motorgraph import marks
from motorgraph.cells import inert
from motorgraph.explore.kinds import NETWORK, Column
from motorgraph.explore.narrowing import Facet, Found
from motorgraph.explore.network import LEGEND, network
from motorgraph.explore.sheet import Document, Item, Value, last

Json = dict[str, Any]  # Any: plain JSON
ONE = ("day", "year", "number", "status")
"""The types of columns that tell one value."""
_IRIS = ("group_iri", "partner_iri", "deal_iri")


def as_json(found: Found) -> bytes:
    """What was found: how many, the facets with counts, the things with their columns and sources; of a network also its ties."""
    asked = found.asked
    told: Json = {
        "kind": asked.kind.name,
        "commit": found.sheet.commit,
        "total": len(found.items),
        "limit": asked.limit or len(found.items),
        "offset": asked.offset,
        "sort": asked.sort or asked.kind.sort,
        "query": asked.query,
        "chosen": {name: list(keys) for name, keys in asked.chosen},
        "columns": [{"name": c.name, "label": c.words, "type": c.type, "facet": c.is_facet} for c in asked.kind.columns],
        "facets": [_facet(facet) for facet in found.facets],
        "items": [_item(item, found) for item in found.part],
        **({} if asked.kind is not NETWORK else _network(found)),
        **found.links,
    }
    return orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)


def as_csv(found: Found) -> bytes:
    """The things as a table; `; ` parts several values, and the sources with publisher, day and address of each."""
    table = io.StringIO(newline="")
    lines = csv.writer(table)
    columns = found.asked.kind.columns
    lines.writerow(["iri", "label", *(column.name for column in columns), "sources"])
    for item in found.part:
        cells = ["; ".join(value.words for value in item.values(column.name)) for column in columns]
        sources = "; ".join(_cited(found.sheet.documents[each]) for each in item.sources)
        lines.writerow(map(inert, [item.iri, item.label, *cells, sources]))
    return table.getvalue().encode()


def as_ties(found: Found) -> bytes:
    """The ties of a network as a table, a line for each deal of two groups: what a program for networks takes as its edges."""
    table = io.StringIO(newline="")
    lines = csv.writer(table)
    lines.writerow(["group", "partner", "deal", "status", "line", "kind", "since", "standing", *_IRIS, "sources"])
    made = network(found.items, found.sheet.control)
    names = {group.iri: group.words for group in (*made.left, *made.right)}
    for tie in made.ties[found.asked.offset :][: found.asked.limit or None]:
        deal = tie.deal
        told = [names[tie.one], names[tie.other], deal.label, deal.first("status"), LEGEND[tie.line], deal.first("kind")]
        sources = "; ".join(_cited(found.sheet.documents[each]) for each in deal.sources)
        told += [deal.first("since"), deal.first("standing"), tie.one, tie.other, deal.iri, sources]
        lines.writerow(map(inert, told))
    return table.getvalue().encode()


def as_geojson(found: Found) -> bytes:
    """The things as features; one that has no place has no geometry."""
    features = [
        {"type": "Feature", "id": item.iri, "geometry": _point(item), "properties": _item(item, found)} for item in found.part
    ]
    return orjson.dumps({"type": "FeatureCollection", "features": features}, option=orjson.OPT_APPEND_NEWLINE)


def _network(found: Found) -> Json:
    """The groups of a network, each with its side and number of ties, and all its ties."""
    made = network(found.items, found.sheet.control)
    sides = ((made.home or "home", made.left), ("elsewhere", made.right))
    groups = [{**_value(group), "side": side, "ties": made.counts[group.iri]} for side, listed in sides for group in listed]
    ties = [
        {"group": last(t.one), "partner": last(t.other), "deal": t.deal.iri, "status": t.status, "line": t.line}
        for t in made.ties
    ]
    return {"groups": groups, "ties": ties, "unshown": made.unshown}


def _facet(facet: Facet) -> Json:
    values = [
        {**_value(each.value), "count": each.count, "chosen": each.is_chosen, "href": each.address} for each in facet.values
    ]
    return {"name": facet.column.name, "label": facet.column.words, "values": values}


def _item(item: Item, found: Found) -> Json:
    cells = {column.name: _cell(item, column) for column in found.asked.kind.columns}
    sources = [_document(found.sheet.documents[each]) for each in item.sources]
    return {"iri": item.iri, "page": item.page, "label": item.label, **cells, "sources": sources}


def _cell(item: Item, column: Column) -> object:
    values = item.values(column.name)
    if column.type == "number":
        return float(values[0].words) if values else None
    if column.type == "status":
        return {**_value(values[0]), "mark": marks.status(values[0].key).word} if values else None
    if column.type in ONE:
        return values[0].words if values else None
    return [value.words for value in values] if column.type in ("text", "code") else [_value(value) for value in values]


def _value(value: Value) -> Json:
    told = {"value": value.key, "label": value.words}
    return {**told, "iri": value.iri, "page": value.page} if value.iri else told


def _document(document: Document) -> Json:
    told = {"iri": document.iri, "page": document.page, "title": document.title}
    more = {"publisher": document.publisher, "date": document.day, "url": document.url}
    return {**told, **{name: text for name, text in more.items() if text}}


def _cited(document: Document) -> str:
    return " ".join(part for part in (document.publisher or document.title, document.day, document.url) if part)


def _point(item: Item) -> Json | None:
    place = [item.first("longitude"), item.first("latitude")]
    return {"type": "Point", "coordinates": [float(part) for part in place]} if all(place) else None
