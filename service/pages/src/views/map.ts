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
import { columns, position, type Column, type Position } from "../columns";
import { find, link } from "../names";
import { counted, element } from "../setup";
import { draw, groups, legend, picture, SHAPES, widthOf } from "../svg";

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
const NEAR = 14;

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

export async function show(host: HTMLElement, answer: Answer): Promise<SVGSVGElement> {
  const found = columns(answer);
  await find(found.filter((c) => c.kind === "thing").flatMap(({ place }) => [...answer.column(place)].map((term) => term.value)));
  const by = grouping(answer, found);
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
  const height = Math.round(width * (isEuropean ? 0.72 : 0.48));
  const projection = fitted(isEuropean, spots, width, height);
  for (const spot of spots) [spot.x, spot.y] = projection(spot.at) ?? [-99, -99];
  const svg = picture(width, height, `Map of ${counted(spots.length, "place")}`);
  const path = geoPath(projection);
  const whole = draw("g");
  whole.append(...land.features.map((country) => draw("path", { d: path(country) ?? "", class: "land" })));
  svg.append(whole);
  const frame = element("div", { class: "map" }, svg);
  const marks = spots.length > MOST_SHAPES ? painted(frame, spots, width, height) : shaped(svg, spots);
  const card = element("div", { class: "card", role: "status", hidden: "" });
  frame.append(card);
  const left = answer.length - spots.length;
  const caption = element("p", { class: "quiet" }, `${counted(spots.length, "place")}${left ? `; ${counted(left, "row")} without one` : ""}. Scroll with Ctrl or pinch to come nearer, drag to move. Outlines: Natural Earth.`);
  host.append(frame, ...(by ? [element("p", { class: "legend-title" }, by.name), legend(group.names)] : []), caption);
  interactive(svg, whole, spots, marks, (spot, x, y) => tell(card, answer, spot, x, y, width), answer, found);
  return svg;
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

type Marks = (scale: number, dx: number, dy: number) => void;

function shaped(svg: SVGSVGElement, spots: Spot[]): Marks {
  const layer = draw("g");
  const size = (spots.length > 200 ? 0.8 : 1) * (svg.viewBox.baseVal.width < 500 ? 0.65 : 1);
  const made = spots.map((spot) => draw("path", { d: SHAPES[spot.group]!, class: `mark g${spot.group}` }));
  layer.append(...made);
  svg.append(layer);
  const place: Marks = (scale, dx, dy) => made.forEach((mark, at) => mark.setAttribute("transform", `translate(${(spots[at]!.x * scale + dx).toFixed(1)} ${(spots[at]!.y * scale + dy).toFixed(1)}) scale(${size})`));
  place(1, 0, 0);
  return place;
}

/** Beyond some number of places they are painted: so many elements would make the page slow. */
function painted(frame: HTMLElement, spots: Spot[], width: number, height: number): Marks {
  const ratio = window.devicePixelRatio || 1;
  const canvas = element("canvas", { width: String(width * ratio), height: String(height * ratio), "aria-hidden": "true" });
  frame.append(canvas);
  const pen = canvas.getContext("2d")!;
  const shapes = SHAPES.map((shape) => new Path2D(shape));
  const colours = SHAPES.map((_, at) => getComputedStyle(frame).getPropertyValue(`--g${at}`));
  const place: Marks = (scale, dx, dy) => {
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    for (const { x, y, group } of spots) {
      pen.setTransform(ratio * 0.7, 0, 0, ratio * 0.7, (x * scale + dx) * ratio, (y * scale + dy) * ratio);
      pen.fillStyle = colours[group] ?? "gray";
      pen.fill(shapes[group]!);
    }
  };
  place(1, 0, 0);
  return place;
}

function interactive(svg: SVGSVGElement, whole: SVGGElement, spots: Spot[], marks: Marks, show: (spot: Spot | null, x: number, y: number) => void, answer: Answer, found: Column[]): void {
  let at = { k: 1, x: 0, y: 0 };
  const nearest = (event: MouseEvent): Spot | null => {
    const box = svg.getBoundingClientRect();
    const ratio = box.width ? svg.viewBox.baseVal.width / box.width : 1;
    const [px, py] = [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
    let best: [number, Spot | null] = [NEAR, null];
    for (const spot of spots) {
      const distance = Math.hypot(spot.x * at.k + at.x - px, spot.y * at.k + at.y - py);
      if (distance < best[0]) best = [distance, spot];
    }
    return best[1];
  };
  const zooming = zoom<SVGSVGElement, unknown>()
    .scaleExtent([1, 40])
    .filter((event: MouseEvent & WheelEvent) => (event.type === "wheel" ? event.ctrlKey : !event.button))
    .on("zoom", ({ transform }: D3ZoomEvent<SVGSVGElement, unknown>) => {
      at = transform;
      whole.setAttribute("transform", transform.toString());
      whole.setAttribute("stroke-width", String(1 / transform.k));
      marks(at.k, at.x, at.y);
      show(null, 0, 0);
    });
  select(svg).call(zooming);
  svg.addEventListener("mousemove", (event) => {
    const spot = nearest(event);
    svg.classList.toggle("over", spot !== null);
    show(spot, spot ? spot.x * at.k + at.x : 0, spot ? spot.y * at.k + at.y : 0);
  });
  svg.addEventListener("mouseleave", () => show(null, 0, 0));
  svg.addEventListener("click", (event) => {
    const spot = nearest(event);
    const thing = spot && found.find(({ kind }) => kind === "thing");
    const address = thing && spot ? link(answer.row(spot.row)[thing.place]?.value ?? "") : "";
    if (address) location.assign(address);
  });
}

function tell(card: HTMLElement, answer: Answer, spot: Spot | null, x: number, y: number, width: number): void {
  card.hidden = !spot;
  if (!spot) return;
  const list = element("dl");
  answer.row(spot.row).forEach((term, place) => {
    if (term) list.append(element("dt", {}, answer.columns[place]!), element("dd", {}, words(term)));
  });
  card.replaceChildren(list);
  card.style.left = `${Math.min((x / width) * 100, 62)}%`;
  card.style.top = `${y + 14}px`;
}
