"""Makes the part of docs/performance.md that tells of speed, and its plots, from the readings that runs have left.

`python -m bench.report` says whether the documentation is what the readings say and returns 1 if not; `--write` makes it so, and
the plots with it.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bench.figures import OURS, WARM, Figures, connections_in_words
from bench.growth import COSTS, slopes
from bench.readings import Readings, Record

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
BEGIN, END = "[//]: # (what follows is made by `python -m bench.report --write`)", "[//]: # (here ends what is made)"
MAIN_CONNECTIONS = 8
SIZE_OF_GOALS = 1_000_000
SPEED_TOLD = """*warm* is motorgraph with its result cache, without which it is measured otherwise. What is to be seen is
motorgraph's answers a second and how many it gives for one of another server, over all queries by the geometric mean, with the
lowest in brackets. ≥ stands where the other takes so long for an answer that no more than a bound of its rate is
known. All have the same graph, their answers are compared before, and they are driven in turns in one run. The generated graphs
are served by motorgraph `--plain`, the shipped one as it ships, with all shapes."""
COSTS_TOLD = """Seconds, but for commits and queries milliseconds. A *commit* is of twenty quads; *query* is the geometric mean
of the seventeen on one connection; a *dump* is all as gzip N-Quads; *validation* is of all, against twelve shapes. The slope is
the exponent of the size: with 1 ten times the graph takes ten times as long, with 0 as long."""
NAMES = {
    "durable": "`oxigraph serve --location`",
    "memory": "`oxigraph serve` in memory",
    "rdflib": "rdflib-endpoint on oxrdflib in memory",
    "virtuoso": "Virtuoso on disk",
}


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table of Markdown, whose columns but the first hold figures."""
    ruled = ["---", *["---:"] * (len(heads) - 1)]
    return ["| " + " | ".join(row) + " |" for row in (heads, ruled, *rows)]


def number(figure: float | None, digits: int = 3) -> str:
    """A figure with as many digits as say something; a dash where there is none."""
    if figure is None:
        return "–"
    if figure >= 10 ** (digits - 1):
        return f"{figure:,.0f}"
    return f"{figure:.{digits}g}"


def source(record: Record) -> list[str]:
    """What was run, on what."""
    told = {topic: record.circumstance(topic) for topic in ("commit", "machine", "load", "versions")}
    return [f"`{record.command}` at {told['commit']}; {told['machine']}; load {told['load']}; {told['versions']}."]


def main_count(figures: Figures) -> int:
    """The number of connections of which each query is told."""
    return MAIN_CONNECTIONS if MAIN_CONNECTIONS in figures.connections else figures.connections[0]


def others(figures: Figures) -> list[str]:
    """The servers beside ours."""
    return [server for server in figures.servers if server not in (OURS, WARM)]


def ratio(figures: Figures, query: str, connections: int, other: str, ours: str = OURS) -> str:
    """A ratio; one to a server of which no more than a bound is known is at least what it says."""
    found, theirs = figures.ratio(query, connections, other, ours), figures.drive(query, connections, other)
    sign = "≥ " if found is not None and theirs is not None and theirs.is_bound else ""
    return sign + number(found)


def means(figures: Figures) -> list[str]:
    """The geometric mean of the ratios and the lowest, at each number of connections."""
    pairs = [(ours, other) for ours in (OURS, WARM) if ours in figures.servers for other in others(figures)]
    pairs = [(ours, other) for ours, other in pairs if ours == OURS or other == "durable"]
    heads = ["connections", *(("warm " if ours == WARM else "") + f"to {other}" for ours, other in pairs)]
    rows = []
    for count in figures.connections:
        row = [str(count)]
        for ours, other in pairs:
            summary = figures.summary(count, other, ours)
            row.append("–" if summary is None else f"{number(summary.mean)} ({number(summary.lowest)})")
        rows.append(row)
    return table(heads, rows)


def queries(figures: Figures) -> list[str]:
    """Our rate at each query and its ratios to the others'."""
    count, beside = main_count(figures), others(figures)
    warm = [WARM] if WARM in figures.servers else []
    heads = [f"at {connections_in_words(count)}", "a second", *(f"to {other}" for other in beside), *warm]
    rows = []
    for query in figures.queries:
        row = [query, number(figures.rate(query, count, OURS), 4)]
        row += [ratio(figures, query, count, other) for other in beside]
        row += [number(figures.rate(query, count, server), 4) for server in warm]
        rows.append(row)
    return table(heads, rows)


def goals(record: Record) -> list[str]:
    """Each goal with what came of it."""
    said = {"pass": "kept", "miss": "**missed**", "none": "not measured"}
    rows = [
        [f"{verdict.target.name} ({verdict.note})", number(verdict.figure, 4), f"≥ {verdict.target.bound:,g}", said[verdict.word]]
        for verdict in record.verdicts
    ]
    return table(["goal", "figure", "wanted", "so it is"], rows) if rows else []


def voids(figures: Figures) -> list[str]:
    """Why figures are missing."""
    return [f"* {fault}" for fault in map(plain, figures.faults())]


def plain(text: str) -> str:
    """A text of a server as one line that Markdown shows as it is."""
    words, most = " ".join(text.split()), 160
    return "".join(f"\\{sign}" if sign in "<>[]_*|`\\" else sign for sign in words[:most]) + ("…" if len(words) > most else "")


def mixtures(record: Record) -> list[str]:
    """What readers and a writer get together."""
    rows = []
    for name, found in record.mixtures.items():
        share = found.beside / found.alone if found.alone else None
        failed = ", ".join(f"{count} × {error}" for error, count in found.errors.items()) or "none"
        made = [number(found.writes), number(found.write_p50), number(found.write_most), failed]
        rows.append([name, number(found.alone, 4), number(found.beside, 4), number(share, 2), *made])
    heads = ["server", "alone", "beside writes", "share", "writes a second", "ms", "at most", "failed"]
    return table(heads, rows) if rows else []


def run(title: str, record: Record) -> Iterator[list[str]]:
    """The paragraphs on a run."""
    yield [f"### {title}"]
    yield source(record)
    yield means(record.figures)
    yield queries(record.figures)
    if record.content["graph"] == str(SIZE_OF_GOALS) and goals(record):
        yield goals(record)
    if record.mixtures:
        wanted = next(iter(record.mixtures.values())).wanted
        yield [f"Readers of `q03_star` over eight connections, alone and beside {wanted} commits of twenty quads a second:"]
        yield mixtures(record)
    if voids(record.figures):
        yield ["Void, since an answer differs from what most servers say or there is none:"]
        yield voids(record.figures)


def growth(record: Record) -> Iterator[list[str]]:
    """The paragraphs on how cost grows."""
    yield ["### How cost grows"]
    yield source(record)
    yield [COSTS_TOLD]
    rows = []
    for cost in record.costs:
        times = {name: getattr(cost, name) * (1000 if name in ("commit", "query") else 1) for name in COSTS}
        rows.append([f"{cost.triples:,}", *(number(times[name]) for name in COSTS)])
    found = slopes(record.costs)
    rows.append(["**slope**", *(f"{found[name]:.2f}" if found else "–" for name in COSTS)])
    yield table(["triples", *COSTS], rows)
    yield ["![Seconds of a start, a commit, a query, a dump and a validation over the size of the graph](plots/growth.svg)"]


def things(record: Record) -> Iterator[list[str]]:
    """The paragraphs on descriptions of things."""
    yield ["### Things"]
    yield source(record)
    rows = []
    for each in record.things:
        times = each["ours"] / each["theirs"] if each["theirs"] else None  # 0: it gave errors, or no answer in the time
        rows.append([each["kind"], number(each["ours"], 4), number(each["theirs"] or None), number(times), f"{each['work']:.1f}"])
    yield table(["things", "a second", "durable", "ratio", "ms of processor time"], rows)


def paragraphs(readings: Readings) -> Iterator[list[str]]:
    """All that is made, in order."""
    yield [BEGIN]
    told = "; ".join(f"*{name}* is {words}" for name, words in NAMES.items())
    yield [f"{told}; {SPEED_TOLD}"]
    if readings.runs:
        yield ["![How many answers motorgraph gives to each query for one of each other server](plots/queries.svg)"]
        yield ["![Answers a second of each server, over connections and over sizes](plots/servers.svg)"]
    for size, record in readings.runs.items():
        yield from run(f"{size:,} triples", record)
    if readings.shipped:
        yield from run("The shipped graph and its questions", readings.shipped)
    if readings.growth:
        yield from growth(readings.growth)
    if readings.things:
        yield from things(readings.things)
    yield [END]


def text(readings: Readings) -> str:
    """All that is made, as Markdown."""
    return "\n\n".join("\n".join(lines) for lines in paragraphs(readings))


def page(old: str, readings: Readings) -> str:
    """The page with what is made in its place. Raises ValueError if it does not say where that is."""
    before, begin, rest = old.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} does not have the lines {BEGIN!r} and {END!r}.")
    return before + text(readings) + after


def main() -> int:
    """Write or compare; what comes back is the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.report", description="Make the figures of the documentation.")
    parser.add_argument("--write", action="store_true", help="write the documentation and its plots")
    given = parser.parse_args()
    old, readings = PAGE.read_text("utf-8"), Readings.of()
    new = page(old, readings)
    if given.write:
        from bench import plots  # its library is not needed to compare

        PAGE.write_text(new, "utf-8")
        plots.draw(readings, PAGE.with_name("plots"))
        return 0
    print("The page is what the readings say." if new == old else "The page is not what the readings say; --write makes it so.")
    return 0 if new == old else 1


if __name__ == "__main__":
    sys.exit(main())
