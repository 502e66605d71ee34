"""The Reconciliation Service API as JSON Schema: what the two versions of its specification ask of a service's answers."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator

Schema = dict[str, Any]  # Any: plain JSON
TEXT: Schema = {"type": "string"}
NAME: Schema = {"type": "string", "minLength": 1}
NUMBER: Schema = {"type": "number"}
PATH: Schema = {"type": "object", "required": ["service_url", "service_path"]}


def record(required: dict[str, Schema], more: dict[str, Schema] | None = None, *, closed: bool = False) -> Schema:
    """An object with these members; `more` need not be there."""
    told = {"type": "object", "required": list(required), "properties": required | (more or {})}
    return told | ({"additionalProperties": False} if closed else {})


def array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


TERM = record({"id": NAME, "name": NAME}, {"description": TEXT})
TYPE = record({"id": NAME, "name": NAME}, {"description": TEXT, "broader": array(TERM)})
TYPES = array(record({"id": NAME}, {"name": NAME}))
VALUE: Schema = {"type": ["boolean", "number"]}
MOMENT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$"
CELL: Schema = {
    "oneOf": [
        {"type": "object", "maxProperties": 0},
        record({"id": NAME, "name": NAME}, {"description": TEXT}, closed=True),
        record({"str": TEXT}, closed=True),
        record({"float": NUMBER}, closed=True),
        record({"int": {"type": "integer"}}, closed=True),
        record({"date": {"type": "string", "pattern": MOMENT}}, closed=True),
    ]
}
META = array(record({"id": NAME, "name": NAME}, {"type": record({"id": NAME}), "service": {"pattern": "^https?://"}}))
SUGGESTED = {
    "entity": record({"result": array(record({"id": NAME, "name": NAME}, {"description": TEXT, "notable": TYPES}))}),
    "property": record({"result": array(TERM)}),
    "type": record({"result": array(TYPE)}),
}
PROPOSED = record({"properties": array(TERM)}, {"type": TEXT, "limit": NUMBER})
COMMON = {"documentation": TEXT, "serviceVersion": TEXT, "defaultTypes": array(TYPE) | {"uniqueItems": True}}


def candidates(feature: Schema, *required: str) -> Schema:
    members = {"id": NAME, "name": NAME, "description": TEXT, "score": NUMBER, "match": {"type": "boolean"}, "type": TYPES}
    told = record({name: members[name] for name in required}, members | {"features": array(feature)})
    return array(told)


def setting(name: str, label: str) -> Schema:
    kinds = {"enum": ["number", "text", "checkbox", "select"]}
    return array(record({"type": kinds, name: NAME, label: NAME}))


MANIFEST = record(
    {"versions": array(TEXT) | {"contains": {"const": "0.2"}}, "name": NAME, "identifierSpace": NAME, "schemaSpace": NAME},
    {
        **COMMON,
        "view": record({"url": {"pattern": r"\{\{id\}\}"}}),
        "preview": record({"url": {"pattern": r"\{\{id\}\}"}, "width": {"type": "integer"}, "height": {"type": "integer"}}),
        "suggest": record({}, dict.fromkeys(("entity", "property", "type"), PATH)),
        "extend": record({}, {"propose_properties": PATH, "property_settings": setting("name", "label")}),
    },
)
RESULTS: Schema = {
    "type": "object",
    "additionalProperties": record(
        {"result": candidates(record({"id": NAME, "value": VALUE}), "id", "name", "score", "match", "type")}
    ),
}
EXTENDED = record(
    {"meta": META, "rows": {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": array(CELL)}}}
)
FLYOUT = record({"id": NAME, "html": NAME})

MANIFEST_1 = record(
    {
        "versions": array(TEXT) | {"contains": {"const": "1.0-draft"}},
        "name": NAME,
        "view": record({"url": {"pattern": r"\{[^{}]*id[^{}]*\}"}}),
    },
    {
        **COMMON,
        "preview": record({"width": {"type": "integer"}, "height": {"type": "integer"}}),
        "suggest": record({what: {"type": "boolean"} for what in ("entity", "property", "type")}),
        "extend": record({}, {"proposeProperties": {"type": "boolean"}, "propertySettings": setting("id", "name")}),
        "standardizedScore": {"type": "boolean"},
    },
)
SCORED = candidates(record({"id": NAME, "name": NAME, "value": VALUE}), "id", "name", "match", "type")
RESULTS_1 = record({"results": array(record({"candidates": SCORED}))})
EXTENDED_1 = record(
    {"meta": META, "rows": array(record({"id": NAME, "properties": array(record({"id": NAME, "values": array(CELL)}))}))}
)


def conforms(answer: object, schema: Schema) -> Any:  # Any: plain JSON
    """The answer, which is as the schema has it. Fails with what is wrong."""
    wrong = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
        for error in Draft202012Validator(schema).iter_errors(answer)
    ]
    assert not wrong, wrong[:5]
    return answer
