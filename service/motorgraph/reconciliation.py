"""The Reconciliation Service API, versions 0.2 and 1.0-draft: what the service says of itself, and what a client's batches ask.

https://reconciliation-api.github.io/specs/0.2/ and https://reconciliation-api.github.io/specs/1.0-draft/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from motorgraph import __version__
from motorgraph.errors import BadRequest, TooLarge

BATCH = 50
"""Queries that may be sent at once."""
CANDIDATES = 10
MOST_CANDIDATES = 100
MOST_CONDITIONS = 20
MOST_VALUES = 20
MOST_IDS = 200
"""Things whose values may be asked for at once."""
MOST_CHARACTERS = 500
WIDTH, HEIGHT = 430, 170
"""Of a preview, in pixels."""
FITS = 70.0
"""From this likeness on a name that is required is there."""
DEFAULT_TYPES = {
    "Organization": "organization",
    "Plant": "plant",
    "Brand": "brand",
    "VehicleModel": "vehicle model",
    "Deal": "deal",
    "LegalAct": "legal act",
    "Technology": "technology",
    "Country": "country",
    "Place": "place",
}
"""What most tables are about: classes of the ontology with their names."""
Json = dict[str, Any]  # Any: plain JSON


@dataclass(frozen=True)
class Service:
    """A reconciliation service at an address: what it is called, the base of its IRIs, whether its graph has our ontology."""

    origin: str
    base: str
    has_ontology: bool
    needs_token: bool

    @property
    def _common(self) -> Json:
        types = [{"id": name, "name": words} for name, words in DEFAULT_TYPES.items()] if self.has_ontology else []
        told = {
            "name": "motorgraph" if self.has_ontology else f"The things of {self.base}",
            "documentation": f"{self.origin}/openapi.json",
            "serviceVersion": __version__,
            "defaultTypes": types,
            "batchSize": BATCH,
        }
        return told | ({"authentication": {"type": "http", "scheme": "bearer"}} if self.needs_token else {})

    @property
    def manifest(self) -> Json:
        """Of version 0.2 (§4.1)."""
        at = f"{self.origin}/reconcile"
        suggest = {
            what: {"service_url": at, "service_path": f"/suggest/{what}", "flyout_service_path": f"/flyout/{what}?id=${{id}}"}
            for what in ("entity", "property", "type")
        }
        settings = [
            {"name": "limit", "label": "Limit", "type": "number", "default": 0, "help_text": "Most values in a cell; 0: all"},
            {
                "name": "sources",
                "label": "Sources instead of values",
                "type": "checkbox",
                "default": False,
                "help_text": "The documents by which the values are known, in place of the values",
            },
        ]
        return {
            "versions": ["0.2"],
            **self._common,
            "identifierSpace": f"{self.base}/",
            "schemaSpace": f"{self.base}/ontology/",
            "view": {"url": f"{at}/view?id={{{{id}}}}"},
            "preview": {"url": f"{at}/preview?id={{{{id}}}}", "width": WIDTH, "height": HEIGHT},
            "suggest": suggest,
            "extend": {"propose_properties": {"service_url": at, "service_path": "/properties"}, "property_settings": settings},
        }

    @property
    def manifest_1(self) -> Json:
        """Of version 1.0-draft (§4.1)."""
        told = "The documents by which the values are known, in place of the values"
        settings = [
            {"id": "limit", "name": "Limit", "type": "number", "default": 0, "helpText": "Most values in a cell; 0: all"},
            {"id": "sources", "name": "Sources instead of values", "type": "checkbox", "default": False, "helpText": told},
        ]
        return {
            "versions": ["1.0-draft"],
            **self._common,
            "lang": "en",
            "view": {"url": f"{self.origin}/reconcile/view?id={{id}}"},
            "preview": {"width": WIDTH, "height": HEIGHT},
            "suggest": {"entity": True, "property": True, "type": True},
            "extend": {"proposeProperties": True, "propertySettings": settings},
            "standardizedScore": True,
        }


@dataclass(frozen=True)
class Record:
    """What one query of a batch asks: things with any of these names or identifiers, of these types, with these values."""

    names: Sequence[str]
    types: Sequence[str] = ()
    strict: str = "any"
    limit: int = CANDIDATES
    conditions: Sequence[Json] = ()
    ids: Sequence[str] = ()
    needs_name: bool = False

    @property
    def questions(self) -> Iterator[Json]:
        """What the finder is asked, one name at a time; nothing if there is nothing to go by."""
        told = {"types": self.types, "strict": self.strict, "limit": self.limit, "conditions": self.conditions, "ids": self.ids}
        names = self.names or ([""] if self.ids or self.conditions else [])
        return (told | {"query": name} for name in names)


def records(text: str) -> dict[str, Record]:
    """The queries of a batch of version 0.2 (§5.1). Raises BadRequest or TooLarge."""
    batch = parsed(text, "queries")
    if not isinstance(batch, dict):
        raise BadRequest('A batch of queries is a JSON object, such as {"q0": {"query": "Ford"}}.')
    _require_small(len(batch))
    return {key: _record(_object(query, key), key) for key, query in batch.items()}


def _record(query: Json, key: str) -> Record:
    if "query" not in query and not query.get("properties"):
        raise BadRequest(f"{key}: there is neither a query nor a property to go by.")
    types = query.get("type") or []
    strict = query.get("type_strict") or "any"
    if strict not in ("any", "all", "should"):
        raise BadRequest(f"{key}: type_strict={str(strict)[:40]!r} is none of any, all, should.")
    conditions = [
        {"pid": _text(_object(told, key).get("pid"), f"{key}: pid"), "values": _values(told.get("v"), key)}
        for told in _list(query.get("properties") or [], f"{key}: properties")
    ]
    name = _text(query.get("query") or "", f"{key}: query").strip()
    return Record(
        [name] if name else [],
        [_text(each, f"{key}: type") for each in ([types] if isinstance(types, str) else _list(types, f"{key}: type"))],
        strict,
        _limit(query, key),
        [condition for condition in conditions if condition["values"]],
    )


def records_1(text: str) -> list[Record]:
    """The queries of a batch of version 1.0-draft (§5.1). Raises BadRequest or TooLarge."""
    batch = parsed(text, "batch")
    if not isinstance(batch, dict) or not isinstance(batch.get("queries"), list):
        raise BadRequest('A batch of queries is a JSON object such as {"queries": [{"conditions": […]}]}.')
    _require_small(len(batch["queries"]))
    return [_record_1(_object(query, f"query {place}"), f"query {place}") for place, query in enumerate(batch["queries"])]


@dataclass
class _Conditions:
    """The conditions of a query of version 1.0-draft, by what they are about."""

    names: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    of_properties: list[Json] = field(default_factory=list)
    needs_name: bool = False

    def add(self, told: Json, key: str) -> None:
        """Takes one more. Raises BadRequest."""
        values = _values(told.get("propertyValue"), key)
        quantifier, about = told.get("matchQuantifier") or "any", told.get("matchType")
        if told.get("matchQualifier"):
            raise BadRequest(f"{key}: no matchQualifier is known here. Leave it out.")
        if quantifier not in ("any", "all", "none"):
            raise BadRequest(f"{key}: matchQuantifier={str(quantifier)[:40]!r} is none of any, all, none.")
        if about == "property":
            pid = _text(told.get("propertyId"), f"{key}: propertyId")
            more = {"required": bool(told.get("required")), "quantifier": quantifier}
            self.of_properties.append({"pid": pid, "values": values} | more)
        elif about in ("name", "id"):
            if quantifier != "any":
                raise BadRequest(f"{key}: of several names any will do; matchQuantifier={quantifier!r} is for properties.")
            texts = [str(value.get("name") or value["id"]) if isinstance(value, dict) else str(value) for value in values]
            (self.names if about == "name" else self.ids).extend(texts)
            self.needs_name = self.needs_name or (about == "name" and bool(told.get("required")))
        else:
            raise BadRequest(f"{key}: matchType={str(about)[:40]!r} is none of name, id, property.")


def _record_1(query: Json, key: str) -> Record:
    found = _Conditions()
    every = _list(query.get("conditions"), f"{key}: conditions")
    if not every:
        raise BadRequest(f"{key}: there is no condition to go by.")
    for told in every:
        found.add(_object(told, key), key)
    types = [_text(query["type"], f"{key}: type")] if query.get("type") else []
    return Record(found.names, types, "any", _limit(query, key), found.of_properties, found.ids, found.needs_name)


@dataclass(frozen=True)
class Extension:
    """Things, and the properties whose values are wanted (0.2 §8.4)."""

    ids: Sequence[str]
    properties: Sequence[Json]

    @classmethod
    def of(cls, text: str) -> Extension:
        """What a client asks for. Raises BadRequest or TooLarge."""
        told = _object(parsed(text, "extend"), "extend")
        ids = [_text(each, "ids", 2000) for each in _list(told.get("ids"), "ids", 1 << 20)]
        if len(ids) > MOST_IDS:
            raise TooLarge(f"Values of at most {MOST_IDS} things are told at once. Send them in parts.", limit=MOST_IDS)
        properties = [_object(each, "properties") for each in _list(told.get("properties"), "properties")]
        for each in properties:
            _text(each.get("id"), "properties: id")
            _object(each.get("settings") or {}, "settings")
        return cls(ids, properties)


def parsed(text: str, name: str) -> Any:  # Any: plain JSON
    """The JSON in a text. Raises BadRequest."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"What {name} holds is no JSON: {error}.") from error


def _require_small(count: int) -> None:
    if count > BATCH:
        raise TooLarge(f"A batch has at most {BATCH} queries; this one has {count}. Send them in parts.", limit=BATCH)


def _limit(query: Mapping[str, Any], key: str) -> int:
    limit = query.get("limit", CANDIDATES)
    if limit is None:
        return CANDIDATES
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not limit >= 1:
        raise BadRequest(f"{key}: limit={str(limit)[:40]} is no number from 1 on.")
    return int(min(limit, MOST_CANDIDATES))


def _values(given: Any, key: str) -> list[Any]:
    """The values of a condition, without those that are blank. Raises BadRequest."""
    every = _list(given, f"{key}: values", MOST_VALUES) if isinstance(given, list) else [given]
    for value in every:
        if isinstance(value, dict):
            _text(value.get("id"), f"{key}: id of a value", 2000)
        elif isinstance(value, list):
            raise BadRequest(f"{key}: a value is a text, a number, a truth value or an object with an id.")
        elif isinstance(value, str):
            _text(value, f"{key}: a value")
    return [value for value in every if value is not None and value != ""]


def _object(value: Any, name: str) -> Json:
    if not isinstance(value, dict):
        raise BadRequest(f"{name}: a JSON object is wanted here.")
    return value


def _list(value: Any, name: str, most: int = MOST_CONDITIONS) -> list[Any]:
    if not isinstance(value, list):
        raise BadRequest(f"{name}: a JSON array is wanted here.")
    if len(value) > most:
        raise BadRequest(f"{name}: there are more than {most}.")
    return value


def _text(value: Any, name: str, most: int = MOST_CHARACTERS) -> str:
    if not isinstance(value, str) or len(value) > most:
        raise BadRequest(f"{name}: a text of at most {most} characters is wanted here.")
    return value
