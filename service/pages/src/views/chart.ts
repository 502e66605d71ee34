/** Charts: bars, lines and points, of the first columns that fit. */
import { axisX, axisY, barX, dot, gridX, gridY, lineY, plot, ruleX, ruleY, text, type Markish, type PlotOptions } from "@observablehq/plot";
import type { Answer } from "../answer";
import { words } from "../cells";
import { columns, measures, type Column, type View } from "../columns";
import { find } from "../names";
import { counted, element } from "../setup";
import { groups, legend, widthOf } from "../svg";
import { moment } from "../terms";

interface Datum {
  name: string;
  group: number;
  x: number | Date;
  y: number;
}

const MOST_BARS = 60;
const MOST_POINTS = 5000;

export async function show(host: HTMLElement, answer: Answer, view: View): Promise<SVGSVGElement> {
  const found = columns(answer);
  await find(found.filter((c) => c.kind === "thing").flatMap(({ place }) => [...answer.column(place, MOST_POINTS)].map((term) => term.value)));
  const width = widthOf(host);
  const made = view === "BarChart" ? bars(answer, found, width) : view === "LineChart" ? lines(answer, found, width) : points(answer, found, width);
  const svg = without(made.options);
  svg.setAttribute("aria-label", made.says);
  svg.setAttribute("role", "img");
  host.append(element("div", { class: "chart" }, svg), ...(made.groups.length > 1 ? [legend(made.groups)] : []), element("p", { class: "quiet" }, made.says));
  return svg;
}

interface Made {
  options: PlotOptions;
  says: string;
  groups: string[];
}

/** The drawing is made in a document of its own and loses its style element there: the policy of the pages allows none. */
function without(options: PlotOptions): SVGSVGElement {
  const apart = document.implementation.createHTMLDocument();
  const svg = plot({ ...options, document: apart, style: undefined as never }) as SVGSVGElement;
  for (const style of svg.querySelectorAll("style")) style.remove();
  svg.removeAttribute("style");
  svg.setAttribute("class", "drawn plotted");
  return document.adoptNode(svg);
}

const first = (found: Column[], ...kinds: string[]) => found.find(({ kind }) => kinds.includes(kind));
const rowsOf = (answer: Answer, most: number) => Array.from({ length: Math.min(answer.length, most) }, (_, row) => answer.row(row));
const of = (what: string, drawn: number, all: number, one: string) => `${what}: ${counted(drawn, one)}${drawn < all ? ` of ${all.toLocaleString("en")}; the others are in the table` : ""}.`;

function bars(answer: Answer, found: Column[], width: number): Made {
  const [label, measure] = [first(found, "thing", "text")!, measures(found)[0]!];
  const data = rowsOf(answer, MOST_BARS).flatMap((terms, at) => {
    const value = Number(terms[measure.place]?.value);
    return Number.isFinite(value) ? [{ name: words(terms[label.place]), key: `${at}`, x: value }] : [];
  });
  const names = new Map(data.map(({ key, name }) => [key, name]));
  const longest = Math.max(...data.map(({ name }) => name.length), 4);
  const left = Math.min(width * 0.42, longest * 7.2 + 16);
  const room = Math.floor((left - 16) / 7.2);
  const called = (key: string) => { const all = names.get(key) ?? ""; return all.length > room + 1 ? `${all.slice(0, room)}…` : all; };
  const marks: Markish[] = [
    gridX({ stroke: "var(--line)", strokeOpacity: 1 }),
    axisX({ anchor: "top", label: null, ticks: Math.max(2, Math.round(width / 160)) }),
    axisY({ tickFormat: called, label: null, tickSize: 0 }),
    barX(data, { x: "x", y: "key", fill: "var(--g0)" }),
    text(data, { x: "x", y: "key", text: ({ x }: { x: number }) => x.toLocaleString("en"), dx: 4, textAnchor: "start", fill: "var(--ink)" }),
    ruleX([0], { stroke: "var(--line-2)" }),
  ];
  const options: PlotOptions = { width, height: 48 + data.length * 26, marginLeft: left, marginRight: 56, marginTop: 34, y: { domain: data.map(({ key }) => key) }, marks };
  return { options, says: of(`${measure.name} by ${label.name}`, data.length, answer.length, "bar"), groups: [] };
}

function lines(answer: Answer, found: Column[], width: number): Made {
  const [date, measure, by] = [first(found, "date")!, measures(found)[0]!, first(found, "thing", "text")];
  const group = groups(by ? rowsOf(answer, MOST_POINTS).map((terms) => words(terms[by.place])) : []);
  const data: Datum[] = rowsOf(answer, MOST_POINTS).flatMap((terms) => {
    const [when, value] = [terms[date.place], Number(terms[measure.place]?.value)];
    if (!when || !terms[measure.place] || Number.isNaN(moment(when))) return [];
    const name = by ? words(terms[by.place]) : "";
    return [{ name, group: by ? group.of(name) : 0, x: new Date(moment(when)), y: value }];
  });
  data.sort((one, other) => Number(one.x) - Number(other.x));
  const marks: Markish[] = [
    ...frame(width),
    lineY(data, { x: "x", y: "y", z: "name", stroke: ({ group }: Datum) => `var(--g${group})`, strokeWidth: 2 }),
    dot(data, { x: "x", y: "y", symbol: ({ group }: Datum) => SYMBOLS[group], fill: ({ group }: Datum) => `var(--g${group})`, title: titled }),
  ];
  return { options: { ...sized(width), x: { type: "utc", label: date.name }, y: { label: measure.name }, symbol: { type: "identity" as never }, color: { type: "identity" }, marks }, says: of(`${measure.name} over ${date.name}`, data.length, answer.length, "point"), groups: by ? group.names : [] };
}

function points(answer: Answer, found: Column[], width: number): Made {
  const [across, up] = measures(found) as [Column, Column];
  const by = first(found, "thing", "text");
  const data: Datum[] = rowsOf(answer, MOST_POINTS).flatMap((terms) => {
    const [x, y] = [terms[across.place], terms[up.place]];
    return x && y ? [{ name: by ? words(terms[by.place]) : "", group: 0, x: Number(x.value), y: Number(y.value) }] : [];
  });
  const marks: Markish[] = [...frame(width), dot(data, { x: "x", y: "y", r: 4, fill: "var(--g0)", fillOpacity: 0.7, title: titled })];
  return { options: { ...sized(width), x: { label: across.name }, y: { label: up.name }, marks }, says: of(`${up.name} against ${across.name}`, data.length, answer.length, "point"), groups: [] };
}

const SYMBOLS = ["circle", "square", "triangle", "diamond", "triangle2", "cross", "hexagon", "star"];
const titled = ({ name, x, y }: Datum) => `${name ? `${name}: ` : ""}${x instanceof Date ? x.toISOString().slice(0, 10) : x}, ${y.toLocaleString("en")}`;
const sized = (width: number) => ({ width, height: Math.round(Math.min(520, Math.max(300, width * 0.5))), marginLeft: 64, marginBottom: 44 });
const frame = (width: number): Markish[] => [gridY({ stroke: "var(--line)", strokeOpacity: 1 }), axisX({ ticks: Math.max(3, Math.round(width / 130)) }), axisY({}), ruleY([0], { stroke: "var(--line-2)" })];
