/** The map: places on the outlines of countries; of Europe where all of them are there, else of the world. */
import { geoConicConformal, geoEqualEarth, geoPath, type GeoProjection } from "d3-geo";
import { select } from "d3-selection";
import { zoom, type D3ZoomEvent } from "d3-zoom";
import { feature } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import europe from "outlines:europe";
import world from "outlines:world";
import type { Answer } from "../answer";
import { words } from "../cells";
import { columns, layer, position, type Column, type Position } from "../columns";
import { find } from "../names";
import { options } from "../options";
import { Picking, type Mark } from "../picking";
import type { Selection } from "../selection";
import { counted, element } from "../setup";
import { draw, groups, legend, picture, SHAPES, widthOf, type Drawing, type Drawn } from "../svg";

export interface Spot {
  row: number;
  at: [number, number];
  x: number;
  y: number;
  group: number;
}

const EUROPE = { west: -25, south: 34, east: 45, north: 71 };
/** The world without the lands around the south pole. */
const LIVED_IN = { type: "MultiPoint" as const, coordinates: [[-168, 0], [180, 0], [0, -56], [0, 76]] };
const MOST_SHAPES = 2000;
const TALLEST = 640;

export function pointOf(answer: Answer, row: number, { point, latitude, longitude }: Position): [number, number] | null {
  const terms = answer.row(row);
  const found = point ? /point\s*\(\s*(\S+)\s+(\S+)\s*\)/i.exec(terms[point.place]?.value ?? "")?.slice(1) : [terms[longitude!.place]?.value, terms[latitude!.place]?.value];
  const [x, y] = (found ?? []).map((text) => (text === undefined ? NaN : Number(text)));
  return x !== undefined && y !== undefined && Math.abs(x) <= 180 && Math.abs(y) <= 90 ? [x, y] : null;
}

/** By which column places are told apart: the last of those with things or words that has few different values. */
function grouping(answer: Answer, found: Column[]): Column | null {
  const fit = found.filter(({ kind, place }) => {
    if (kind !== "thing" && kind !== "text") return false;
    const different = new Set([...answer.column(place)].map(words)).size;
    return different > 1 && different < 13;
  });
  return fit.at(-1) ?? null;
}

export async function show(host: HTMLElement, { answer, query, selection }: Drawing): Promise<Drawn> {
  const found = columns(answer);
  await find(found.filter((c) => c.kind === "thing").flatMap(({ place }) => [...answer.column(place)].map((term) => term.value)));
  const by = layer(found, query, () => grouping(answer, found));
  const group = groups(by ? answer.lines.map((_, row) => words(answer.row(row)[by.place])) : []);
  const spots: Spot[] = [];
  for (let row = 0; row < answer.length; row++) {
    const at = pointOf(answer, row, position(found)!);
    if (at) spots.push({ row, at, x: 0, y: 0, group: by ? group.of(words(answer.row(row)[by.place])) : 0 });
  }
  const isEuropean = spots.every(({ at: [x, y] }) => x >= EUROPE.west && x <= EUROPE.east && y >= EUROPE.south && y <= EUROPE.north);
  const topology = (await (await fetch(isEuropean ? europe : world)).json()) as Topology<{ countries: GeometryCollection }>;
  const land = feature(topology, topology.objects.countries);
  const width = widthOf(host);
  const height = Math.round(Math.min(TALLEST, width * (isEuropean ? 0.72 : 0.48)));
  const projection = fitted(isEuropean, spots, width, height);
  for (const spot of spots) [spot.x, spot.y] = projection(spot.at) ?? [-99, -99];
  const svg = picture(width, height, `Map of ${counted(spots.length, "place")}`);
  const path = geoPath(projection);
  const whole = draw("g");
  whole.append(...land.features.map((country) => draw("path", { d: path(country) ?? "", class: "land" })));
  svg.append(whole);
  const frame = element("div", { class: "map" }, svg);
  const drawn = spots.length > MOST_SHAPES ? painted(frame, spots, width, height, selection) : shaped(svg, spots);
  const left = answer.length - spots.length;
  const caption = element("p", { class: "quiet" }, `${counted(spots.length, "place")}${left ? `; ${counted(left, "row")} without one` : ""}. Scroll with Ctrl or pinch to come nearer, drag to move. Outlines: Natural Earth.`);
  host.append(frame, ...(by ? [element("p", { class: "legend-title" }, by.name), legend(group.names)] : []), caption);
  let at = { k: 1, x: 0, y: 0 };
  const marks = spots.map((spot, which): Mark => ({ rows: [spot.row], nodes: drawn.nodes[which] ? [drawn.nodes[which]] : [], at: () => [spot.x * at.k + at.x, spot.y * at.k + at.y] }));
  const picking = new Picking(frame, svg, answer, selection, marks, options(query).hide, () => drawn.place(at.k, at.x, at.y));
  zoomable(svg, (transform) => {
    at = transform;
    whole.setAttribute("transform", transform.toString());
    whole.setAttribute("stroke-width", String(1 / transform.k));
    drawn.place(at.k, at.x, at.y);
    picking.show(null);
  });
  return { svg, tell: picking.tell, painted: () => (drawn.nodes.length ? [] : [shapes(spots, (spot) => [spot.x * at.k + at.x, spot.y * at.k + at.y], PAINTED)[0]]) };
}

function fitted(isEuropean: boolean, spots: Spot[], width: number, height: number): GeoProjection {
  const places = { type: "MultiPoint" as const, coordinates: spots.map(({ at }) => at) };
  if (!isEuropean) return geoEqualEarth().fitExtent([[4, 4], [width - 4, height - 4]], LIVED_IN).clipExtent([[0, 0], [width, height]]);
  const projection = geoConicConformal().rotate([-12, 0]).parallels([40, 62]);
  const pad = Math.min(90, width / 6);
  projection.fitExtent([[pad, 40], [width - pad, height - 40]], places);
  const most = width * 2.2;
  if (projection.scale() > most || !Number.isFinite(projection.scale())) {
    const middle = (axis: 0 | 1) => spots.reduce((sum, { at }) => sum + at[axis] / spots.length, 0);
    const [x, y] = spots.length ? [middle(0), middle(1)] : [12, 50];
    projection.scale(most).center([x - 12, y]).translate([width / 2, height / 2]);
  }
  return projection.clipExtent([[0, 0], [width, height]]);
}

interface Layer {
  nodes: SVGElement[];
  place: (scale: number, dx: number, dy: number) => void;
}

const PAINTED = 0.7;

/** The spots as elements, each in its place. */
function shapes(spots: Spot[], at: (spot: Spot) => [number, number], size: number): [SVGGElement, SVGElement[]] {
  const nodes = spots.map((spot) => {
    const [x, y] = at(spot);
    return draw("path", { d: SHAPES[spot.group]!, class: `mark g${spot.group}`, transform: `translate(${x.toFixed(1)} ${y.toFixed(1)}) scale(${size})` });
  });
  return [draw("g", {}, ...nodes), nodes];
}

function shaped(svg: SVGSVGElement, spots: Spot[]): Layer {
  const size = (spots.length > 200 ? 0.8 : 1) * (svg.viewBox.baseVal.width < 500 ? 0.65 : 1);
  const [group, nodes] = shapes(spots, ({ x, y }) => [x, y], size);
  svg.append(group);
  const place = (scale: number, dx: number, dy: number) => nodes.forEach((mark, at) => mark.setAttribute("transform", `translate(${(spots[at]!.x * scale + dx).toFixed(1)} ${(spots[at]!.y * scale + dy).toFixed(1)}) scale(${size})`));
  return { nodes, place };
}

/** Beyond some number of places they are painted: so many elements would make the page slow. */
function painted(frame: HTMLElement, spots: Spot[], width: number, height: number, selection: Selection): Layer {
  const ratio = window.devicePixelRatio || 1;
  const canvas = element("canvas", { width: String(width * ratio), height: String(height * ratio), "aria-hidden": "true" });
  frame.append(canvas);
  const pen = canvas.getContext("2d")!;
  const paths = SHAPES.map((shape) => new Path2D(shape));
  const place = (scale: number, dx: number, dy: number) => {
    const [colours, edge] = [SHAPES.map((_, at) => colour(frame, `--g${at}`)), colour(frame, "--ink")];
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const paint = ({ row, x, y, group }: Spot) => {
      pen.setTransform(ratio * PAINTED, 0, 0, ratio * PAINTED, (x * scale + dx) * ratio, (y * scale + dy) * ratio);
      pen.globalAlpha = selection.size && !selection.has(row) ? FADED : 1;
      pen.fillStyle = colours[group]!;
      pen.fill(paths[group]!);
      if (selection.has(row)) pen.stroke(paths[group]!);
    };
    Object.assign(pen, { strokeStyle: edge, lineWidth: 3 });
    for (const spot of spots) if (!selection.has(spot.row)) paint(spot);
    for (const spot of spots) if (selection.has(spot.row)) paint(spot);
  };
  let at: [number, number, number] = [1, 0, 0];
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => canvas.isConnected && place(...at));
  return { nodes: [], place: (...to) => place(...(at = to)) };
}

const FADED = 0.2;

/** A colour of the style sheet as a canvas takes it: one that follows the theme has to be resolved by an element. */
function colour(frame: HTMLElement, name: string): string {
  const probe = element("i");
  probe.style.color = `var(${name})`;
  frame.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function zoomable(svg: SVGSVGElement, moved: (transform: D3ZoomEvent<SVGSVGElement, unknown>["transform"]) => void): void {
  const zooming = zoom<SVGSVGElement, unknown>()
    .scaleExtent([1, 40])
    .filter((event: MouseEvent & WheelEvent) => (event.type === "wheel" ? event.ctrlKey : !event.button))
    .on("zoom", ({ transform }: D3ZoomEvent<SVGSVGElement, unknown>) => moved(transform));
  select(svg).call(zooming);
}
