"""The duty planner's answers for machines: JSON with everything, CSV and TSV with a line for each row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from motorgraph.cells import inert
from motorgraph.duty.law import Act, Rate, Source
from motorgraph.duty.planner import Answer, Row

COLUMNS = (
    *("maker", "plant", "model", "market", "date", "case", "total_percent", "at_least_percent", "unknown_because", "lines"),
    *("acts", "origin", "origin_because", "exporter", "exporter_because", "conditions", "deals", "drive", "plant_status"),
    *("maker_iri", "plant_iri", "model_iri", "market_iri", "sources"),
)
TOTAL = "per cent of the customs value of the finished car, without preferences, taxes and fees that the graph does not hold"


def as_json(answer: Answer, *, cites: bool) -> dict[str, object]:
    """The answer as JSON; without sources if it is not to cite."""
    return {
        "rows": [_row(row, cites=cites) for row in answer.rows],
        "total_is": TOTAL,
        "compared_over": answer.question.over or None,
        "commit": answer.commit,
    }


def _row(row: Row, *, cites: bool) -> dict[str, object]:
    route = row.route
    inputs = {"maker": route.maker, "plant": route.place, "model": route.model, "market": route.market}
    told: dict[str, object] = {
        **{name: thing.as_json() for name, thing in inputs.items()},
        "date": route.day,
        "plant_status": row.plant_status or None,
        "drive": row.drive.as_json() if row.drive else None,
        "case": row.case or None,
        "total_percent": _plain(row.total),
        "at_least_percent": _plain(row.at_least),
        "unknown_because": row.unknown_because or None,
        "lines": [_line(rate, cites=cites) for rate in row.rates],
        "origin": row.origin.as_json() if row.origin else None,
        "origin_because": row.origin_because or None,
        "exporter": row.exporter.as_json() if row.exporter else None,
        "exporter_because": row.exporter_because or None,
        "conditions": row.conditions or None,
        "deals": [_without_sources(deal.as_json()) if not cites else deal.as_json() for deal in row.deals],
    }
    if cites:
        told["sources"] = [source.as_json() for source in sources_of(row.rates)]
    return told


def _line(rate: Rate, *, cites: bool) -> dict[str, object]:
    act = rate.acts[0] if rate.acts else None
    told: dict[str, object] = {
        "rate": rate.iri,
        "measure": {"iri": rate.measure, "label": rate.measure_name},
        "kind": rate.kind,
        "kind_label": rate.kind_name,
        "rate_percent": _plain(rate.percent),
        "rate_percent_at_least": _plain(rate.least),
        "rate_percent_at_most": _plain(rate.most),
        "act": _act(act) if act else None,
        "acts": [_act(each) for each in rate.acts],
        "legal_reference": (act.reference or act.name) if act else None,
        "legal_url": act.url or None if act else None,
        "valid_from": rate.start or None,
        "valid_to": rate.end or None,
        "specificity": rate.specificity,
        "exporter_groups": list(rate.groups),
        "case": rate.case or None,
        "condition": rate.notes or None,
    }
    if cites:
        told["sources"] = [source.iri for source in rate.sources]
    return told


def _act(act: Act) -> dict[str, object]:
    return {
        "iri": act.iri,
        "label": act.name,
        "status": act.state,
        "legal_reference": act.reference or act.name,
        "legal_url": act.url or None,
    }


def _without_sources(deal: dict[str, object]) -> dict[str, object]:
    claims = deal["claims"]
    assert isinstance(claims, list)
    return {**deal, "claims": [{name: value for name, value in claim.items() if name != "source"} for claim in claims]}


def sources_of(rates: Iterable[Rate]) -> list[Source]:
    """The documents that tell of rates, each once, in order."""
    return list(dict.fromkeys(source for rate in rates for source in rate.sources))


def _plain(number: float | None) -> float | int | None:
    return int(number) if number is not None and number.is_integer() else number


def as_table(answer: Answer, delimiter: str, *, cites: bool) -> bytes:
    """The answer as text in columns (RFC 4180, or with tabs)."""
    columns = COLUMNS if cites else COLUMNS[:-1]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n" if delimiter == "," else "\n")
    writer.writerow(columns)
    for row in answer.rows:
        cells = _cells(row)
        writer.writerow([_cell(cells[name], delimiter) for name in columns])
    return out.getvalue().encode()


def _cells(row: Row) -> dict[str, object]:
    route = row.route
    inputs = {"maker": route.maker, "plant": route.place, "model": route.model, "market": route.market}
    acts = dict.fromkeys(act.reference or act.name for rate in row.rates for act in rate.acts)
    return {
        **{name: thing.slug for name, thing in inputs.items()},
        **{f"{name}_iri": thing.iri for name, thing in inputs.items()},
        "date": route.day,
        "plant_status": row.plant_status,
        "drive": row.drive.slug if row.drive else "",
        "case": row.case,
        "total_percent": _plain(row.total),
        "at_least_percent": _plain(row.at_least),
        "unknown_because": row.unknown_because,
        "lines": " + ".join(f"{rate.height} % {rate.measure_name}" for rate in row.rates),
        "acts": "; ".join(acts),
        "origin": row.origin.slug if row.origin else "",
        "origin_because": row.origin_because,
        "exporter": row.exporter.slug if row.exporter else "",
        "exporter_because": row.exporter_because,
        "conditions": row.conditions,
        "deals": "; ".join(f"{deal.name} ({deal.mark.word.lower()})" for deal in row.deals),
        "sources": "; ".join(_words(source) for source in sources_of(row.rates)),
    }


def _words(source: Source) -> str:
    return " ".join(filter(None, (source.title, f"<{source.url}>" if source.url.startswith("http") else "")))


def _cell(value: object, delimiter: str) -> str:
    """A cell as text, without what would part it from its line or run as a formula where it is opened."""
    text = "" if value is None else str(value)
    if isinstance(value, str):
        text = inert(text)
    return " ".join(text.split()) if delimiter == "\t" else text
