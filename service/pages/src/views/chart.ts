/** Charts: bars, lines and points, of the first columns that fit. */
import { axisX, axisY, barX, dot, gridX, gridY, lineY, plot, ruleX, ruleY, text, type Markish, type Plot, type PlotOptions } from "@observablehq/plot";
import type { Answer } from "../answer";
import { words } from "../cells";
import { columns, layer, measures, type Column, type View } from "../columns";
import { find } from "../names";
import { options } from "../options";
import { Picking, type Mark } from "../picking";
import { counted, element } from "../setup";
import { groups, legend, widthOf, type Drawing, type Drawn } from "../svg";
import { moment, type Term } from "../terms";

interface Datum {
  row: number;
  name: string;
  group: number;
  x: number | Date;
  y: number;
}

const MOST_BARS = 60;
const MOST_POINTS = 5000;
const LETTER = 7.2;

export async function show(host: HTMLElement, drawing: Drawing, view: View): Promise<Drawn> {
  const { answer, query, selection } = drawing;
  const found = columns(answer);
  await find(found.filter((c) => c.kind === "thing").flatMap(({ place }) => [...answer.column(place, MOST_POINTS)].map((term) => term.value)));
  const width = widthOf(host);
  const made = (view === "BarChart" ? bars : view === "LineChart" ? lines : points)(answer, found, width, query);
  const svg = without(made.options);
  svg.setAttribute("aria-label", made.says);
  svg.setAttribute("role", "img");
  const frame = element("div", { class: "chart" }, svg);
  const key = made.groups.length > 1 ? [element("p", { class: "legend-title" }, made.by), legend(made.groups)] : [];
  host.append(frame, ...key, element("p", { class: "quiet" }, made.says));
  return { svg, tell: new Picking(frame, svg, answer, selection, made.marks(svg), options(query).hide).tell };
}

interface Made {
  options: PlotOptions;
  says: string;
  groups: string[];
  by: string;
  marks: (svg: SVGSVGElement & Plot) => Mark[];
}

/** The drawing is made in a document of its own and loses its style element there: the policy of the pages allows none. */
function without(options: PlotOptions): SVGSVGElement & Plot {
  const apart = document.implementation.createHTMLDocument();
  const svg = plot({ ...options, document: apart, style: undefined as never }) as SVGSVGElement & Plot;
  for (const style of svg.querySelectorAll("style")) style.remove();
  svg.removeAttribute("style");
  svg.setAttribute("class", "drawn plotted");
  return document.adoptNode(svg);
}

const first = (found: Column[], ...kinds: string[]) => found.find(({ kind }) => kinds.includes(kind));
const rowsOf = (answer: Answer, most: number) => Array.from({ length: Math.min(answer.length, most) }, (_, row) => answer.row(row));
const of = (what: string, drawn: number, all: number, one: string) => `${what}: ${counted(drawn, one)}${drawn < all ? ` of ${all.toLocaleString("en")}; the others are in the table` : ""}.`;
const said = (value: number) => value.toLocaleString("en", { maximumSignificantDigits: 12 });

function bars(answer: Answer, found: Column[], width: number): Made {
  const [label, measure] = [first(found, "thing", "text")!, measures(found)[0]!];
  const data = rowsOf(answer, MOST_BARS).flatMap((terms, row) => {
    const value = Number(terms[measure.place]?.value ?? NaN);
    return Number.isFinite(value) ? [{ row, name: words(terms[label.place]), key: `${row}`, x: value }] : [];
  });
  const names = new Map(data.map(({ key, name }) => [key, name]));
  const longest = Math.max(...data.map(({ name }) => name.length), 4);
  const figure = Math.max(...data.map(({ x }) => said(x).length)) * LETTER + 8;
  const left = Math.min(width * 0.42, longest * LETTER + 16);
  const room = Math.floor((left - 16) / LETTER);
  const called = (key: string) => { const all = names.get(key) ?? ""; return all.length > room + 1 ? `${all.slice(0, room)}…` : all; };
  const lowest = Math.min(0, ...data.map(({ x }) => x));
  const inset = lowest < 0 ? figure : 0;
  const beside = { x: "x", y: "key", text: ({ x }: { x: number }) => said(x), fill: "var(--ink)" };
  const marks: Markish[] = [
    gridX({ stroke: "var(--line)", strokeOpacity: 1 }),
    axisX({ anchor: "top", label: null, ticks: Math.max(1, Math.floor((width - left - figure) / Math.max(80, figure * 1.5))) }),
    axisY({ tickFormat: called, label: null, tickSize: 0 }),
    barX(data, { x: "x", y: "key", fill: "var(--g0)" }),
    text(data.filter(({ x }) => x >= 0), { ...beside, dx: 4, textAnchor: "start" }),
    text(data.filter(({ x }) => x < 0), { ...beside, dx: -4, textAnchor: "end" }),
    ruleX([0], { stroke: "var(--line-2)" }),
  ];
  const options: PlotOptions = { width, height: 48 + data.length * 26, marginLeft: left, marginRight: figure, marginTop: 34, x: { insetLeft: inset }, y: { domain: data.map(({ key }) => key) }, marks };
  const placed = (svg: SVGSVGElement & Plot) => {
    const [x, y] = [svg.scale("x")!, svg.scale("y")!];
    const rects = svg.querySelectorAll("g[aria-label=bar] rect");
    return data.map(({ row, key }, at): Mark => ({ rows: [row], nodes: [rects[at]!], at: () => [x.apply(0) + 6, y.apply(key) + y.bandwidth! / 2] }));
  };
  return { options, says: of(`${measure.name} by ${label.name}`, data.length, answer.length, "bar"), groups: [], by: "", marks: placed };
}

/** The rows that have both values, each with the group it is told apart by; few things make a group each, many make none. */
function read(answer: Answer, by: Column | null, x: Column, y: Column, value: (term: Term) => number | Date): { data: Datum[]; names: string[] } {
  const rows = rowsOf(answer, MOST_POINTS);
  const group = groups(by ? rows.map((terms) => words(terms[by.place])) : []);
  const data = rows.flatMap((terms, row) => {
    const [across, up] = [terms[x.place], terms[y.place]];
    if (!across || !up || Number.isNaN(Number(value(across)))) return [];
    const name = by ? words(terms[by.place]) : "";
    return [{ row, name, group: by ? group.of(name) : 0, x: value(across), y: Number(up.value) }];
  });
  return { data, names: by ? group.names : [] };
}

function placed(data: Datum[], svg: SVGSVGElement & Plot): Mark[] {
  const [x, y] = [svg.scale("x")!, svg.scale("y")!];
  const nodes = svg.querySelectorAll("g[aria-label=dot] > *");
  return data.map((datum, at): Mark => ({ rows: [datum.row], nodes: [nodes[at]!], at: () => [x.apply(datum.x), y.apply(datum.y)] }));
}

const SYMBOLS = ["circle", "square", "triangle", "diamond", "triangle2", "cross", "hexagon", "star"];
const colour = ({ group }: Datum) => `var(--g${group})`;
const dots = (data: Datum[]) => dot(data, { x: "x", y: "y", r: 4, symbol: ({ group }: Datum) => SYMBOLS[group], fill: colour, stroke: "var(--bg)", strokeWidth: 0.8 });
const sized = (width: number, data: Datum[]) => ({
  ...{ width, height: Math.round(Math.min(520, Math.max(300, width * 0.5))), marginRight: 28, marginBottom: 44 },
  marginLeft: Math.max(48, Math.max(0, ...data.map(({ y }) => said(Math.round(y)).length)) * LETTER + 16),
  symbol: { type: "identity" as never },
  color: { type: "identity" as const },
});
const frame = (width: number): Markish[] => [gridY({ stroke: "var(--line)", strokeOpacity: 1 }), axisX({ ticks: Math.max(3, Math.round(width / 130)) }), axisY({}), ruleY([0], { stroke: "var(--line-2)" })];

function lines(answer: Answer, found: Column[], width: number, query: string): Made {
  const [date, measure] = [first(found, "date")!, measures(found)[0]!];
  const by = layer(found, query, () => first(found, "thing", "text"));
  const { data, names } = read(answer, by, date, measure, (term) => new Date(moment(term)));
  data.sort((one, other) => Number(one.x) - Number(other.x));
  const marks = [...frame(width), lineY(data, { x: "x", y: "y", z: "name", stroke: colour, strokeWidth: 2 }), dots(data)];
  const says = of(`${measure.name} over ${date.name}`, data.length, answer.length, "point");
  return { options: { ...sized(width, data), x: { type: "utc", label: date.name }, y: { label: measure.name }, marks }, says, groups: names, by: by?.name ?? "", marks: (svg) => placed(data, svg) };
}

const MOST_LAYERS = 12;

/** A column whose few words make groups of points; a name for each point would make none. */
function few(answer: Answer, found: Column[]): Column | undefined {
  return found.find(({ kind, place }) => (kind === "thing" || kind === "text") && new Set([...answer.column(place, MOST_POINTS)].map(words)).size <= MOST_LAYERS && answer.length > MOST_LAYERS);
}

function points(answer: Answer, found: Column[], width: number, query: string): Made {
  const [across, up] = measures(found) as [Column, Column];
  const by = layer(found, query, () => few(answer, found));
  const { data, names } = read(answer, by, across, up, (term) => Number(term.value));
  const says = of(`${up.name} against ${across.name}`, data.length, answer.length, "point");
  return { options: { ...sized(width, data), x: { label: across.name }, y: { label: up.name }, marks: [...frame(width), dots(data)] }, says, groups: names, by: by?.name ?? "", marks: (svg) => placed(data, svg) };
}
