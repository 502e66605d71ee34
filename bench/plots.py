"""The plots of docs/performance.md, drawn from the readings as SVG that can be read on a light page and on a dark one."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from bench.figures import Figures
from bench.growth import COSTS, Cost, slopes
from bench.readings import Readings
from bench.report import main_count, others

# Halfway between black and white: every colour stands out from both. Marks tell the servers apart without colours.
INK = "#7a7a7a"
COLOURS = {
    "motorgraph": "#d6453d",
    "warm": "#d68a1e",
    "durable": "#3b82c4",
    "memory": "#2f9e8f",
    "rdflib": "#9a6fb0",
    "virtuoso": "#7d8c2f",
}
MARGIN = 1.3
MARKS = {"motorgraph": "o", "warm": "P", "durable": "s", "memory": "D", "rdflib": "^", "virtuoso": "v"}
STYLE: Mapping[str, object] = {
    "svg.fonttype": "none",  # letters stay letters: small, and the reader's own
    "svg.hashsalt": "motorgraph",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": INK,
    "grid.alpha": 0.25,
    "legend.frameon": False,
}


def draw(readings: Readings, folder: Path) -> None:
    """Write all plots for which there are readings."""
    folder.mkdir(exist_ok=True)
    if readings.runs:
        with drawn(folder / "queries.svg", 7.2, 6) as figure:
            ratios(figure.subplots(), readings.runs[readings.main].figures)
        with drawn(folder / "servers.svg", 7.2, 3.4) as figure:
            left, right = figure.subplots(1, 2, sharey=True)
            over_connections(left, readings.runs[readings.main].figures)
            over_sizes(right, {size: record.figures for size, record in readings.runs.items()})
            handles = {
                name: handle for axes in (left, right) for handle, name in zip(*axes.get_legend_handles_labels(), strict=True)
            }
            figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=6)
    if readings.growth:
        with drawn(folder / "growth.svg", 7.2, 4.6) as figure:
            costs(figure.subplots(2, 3).flatten().tolist(), readings.growth.costs)


@contextmanager
def drawn(path: Path, width: float, height: float) -> Iterator[Figure]:
    """A figure of so many inches, saved on a clear ground when it is done."""
    with mpl.rc_context(dict(STYLE)):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        figure.savefig(path, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    lines = path.read_text("utf-8").splitlines()
    path.write_text("\n".join(line.rstrip() for line in lines) + "\n", "utf-8")


def ratios(axes: Axes, figures: Figures) -> None:
    """How many times the answers of each other server ours gives to each query."""
    count = main_count(figures)
    places = range(len(figures.queries), 0, -1)
    for other in others(figures):
        found = [figures.ratio(query, count, other) for query in figures.queries]
        shown = [(ratio, place) for ratio, place in zip(found, places, strict=True) if ratio is not None]
        axes.plot(*zip(*shown, strict=True), MARKS[other], color=COLOURS[other], label=f"to {other}", markersize=5.5)
    axes.axvline(1, color=INK, linewidth=1)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(_figure))
    axes.set_yticks(list(places), figures.queries)
    axes.set_xlabel(f"times as many answers a second, {count} connections")
    axes.grid(visible=True)
    axes.legend(loc="upper center", bbox_to_anchor=(0.4, -0.08), ncols=4)


def over_connections(axes: Axes, figures: Figures) -> None:
    """Answers a second of each server over the connections."""
    for server in figures.servers:
        _line(axes, server, {count: rate for count in figures.connections if (rate := mean(figures, count, server))})
    _scales(axes, "connections", figures.connections)
    axes.set_ylabel("answers a second")


def over_sizes(axes: Axes, runs: Mapping[int, Figures]) -> None:
    """Answers a second of each server over the sizes of the graph."""
    for server in dict.fromkeys(server for figures in runs.values() for server in figures.servers):
        _line(
            axes, server, {size: rate for size, figures in runs.items() if (rate := mean(figures, main_count(figures), server))}
        )
    _scales(axes, "triples", list(runs))


def mean(figures: Figures, connections: int, server: str) -> float | None:
    """The geometric mean of a server's rates at the queries that no server fails."""
    whole = [q for q in figures.queries if all(figures.rate(q, connections, other) for other in figures.servers)]
    rates = [rate for query in whole if (rate := figures.rate(query, connections, server))]
    return statistics.geometric_mean(rates) if rates else None


def costs(axes: Sequence[Axes], found: Sequence[Cost]) -> None:
    """Each cost over the sizes on axes of its own, with its slope."""
    sizes = [cost.triples for cost in found]
    exponents = slopes(found)
    shown = {name: [getattr(cost, name) for cost in found] for name in COSTS}
    shown["query"] = [seconds for cost in found for seconds in cost.queries.values()]
    span = max(max(values) / min(values) for values in shown.values()) ** 0.5 * MARGIN  # of all alike, so that slopes compare
    for one, name in zip(axes, COSTS, strict=False):
        if name == "query":
            for query in found[0].queries:
                one.plot(sizes, [cost.queries[query] for cost in found], color=INK, linewidth=0.6, alpha=0.6)
        _line(one, "motorgraph", {cost.triples: getattr(cost, name) for cost in found})
        _scales(one, "triples", sizes)
        one.yaxis.set_major_formatter(FuncFormatter(_seconds))
        middle = (max(shown[name]) * min(shown[name])) ** 0.5
        one.set_ylim(middle / span, middle * span)
        one.set_title(name + (f", slope {exponents[name]:.2f}" if exponents else ""), fontsize=9)
    for one in axes[len(COSTS) :]:
        one.set_axis_off()


def _line(axes: Axes, server: str, points: Mapping[int, float]) -> None:
    style = {"color": COLOURS[server], "marker": MARKS[server], "markersize": 4.5, "linewidth": 1.4}
    axes.plot(list(points), list(points.values()), label=server, **style)


def _scales(axes: Axes, name: str, ticks: Sequence[int]) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(ticks, [_size(tick) for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(_figure))
    axes.set_xlabel(name)
    axes.grid(visible=True)


def _size(count: int) -> str:
    for unit, sign in ((1_000_000, " M"), (1_000, " k")):
        if count >= unit:
            return f"{count / unit:g}{sign}"
    return str(count)


def _figure(value: float, _: object) -> str:
    return f"{value:,g}"


def _seconds(value: float, _: object) -> str:
    return f"{value:g} s" if value >= 1 else f"{value * 1000:g} ms"
