/** The graph: things as nodes, rows as ties between the first two of them. */
import { drag, type D3DragEvent } from "d3-drag";
import { forceCollide, forceLink, forceManyBody, forceSimulation, forceX, forceY, type SimulationNodeDatum } from "d3-force";
import { select } from "d3-selection";
import { zoom, zoomIdentity, type D3ZoomEvent } from "d3-zoom";
import type { Answer } from "../answer";
import { words } from "../cells";
import { columns } from "../columns";
import { find, name } from "../names";
import { irisOf } from "../terms";
import { options } from "../options";
import { Picking, type Mark } from "../picking";
import { counted, element } from "../setup";
import { draw, picture, widthOf, type Drawing, type Drawn } from "../svg";

interface Node extends SimulationNodeDatum {
  iri: string;
  ties: number;
}

interface Tie {
  source: Node;
  target: Node;
  words: string;
  row: number;
}

const MOST_NODES = 300;
const MOST_NAMED = 60;
const STEPS = 260;
const LETTER = 6.4;
const LINE = 15;
const ABOVE = 12;

export async function show(host: HTMLElement, { answer, query, selection }: Drawing): Promise<Drawn> {
  const { nodes, ties, left } = await read(answer);
  const width = widthOf(host);
  const height = Math.max(360, Math.min(760, Math.round(width * 0.66)));
  settle(nodes, ties, width, height);
  const svg = picture(width, height, `Graph of ${counted(nodes.length, "thing")} and ${counted(ties.length, "tie")}`);
  svg.append(draw("defs", {}, draw("marker", { id: "tip", viewBox: "0 0 8 8", refX: 14, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" }, draw("path", { d: "M0 0L8 4L0 8Z", class: "tip" }))));
  const whole = draw("g");
  svg.append(whole);
  const { place, marks } = elements(whole, nodes, ties);
  let seen = zoomIdentity;
  select(svg).call(
    zoom<SVGSVGElement, unknown>()
      .scaleExtent([0.3, 8])
      .filter((event: MouseEvent & WheelEvent) => (event.type === "wheel" ? event.ctrlKey : !event.button))
      .on("zoom", ({ transform }: D3ZoomEvent<SVGSVGElement, unknown>) => {
        seen = transform;
        whole.setAttribute("transform", transform.toString());
        picking.show(null);
      }),
  );
  const moving = drag<SVGGElement, Node>().on("drag", (event: D3DragEvent<SVGGElement, Node, Node>, node) => {
    Object.assign(node, { x: event.x, y: event.y });
    place();
  });
  select(whole).selectAll<SVGGElement, Node>("g.node").data(nodes).call(moving);
  const more = left ? ` The ${MOST_NODES} things that come first are drawn; ${counted(left, "row")} are in the table only.` : "";
  const frame = element("div", { class: "map" }, svg);
  const placed = marks.map(({ at, ...mark }): Mark => ({ ...mark, at: () => seen.apply(at()) }));
  const picking = new Picking(frame, svg, answer, selection, placed, options(query).hide);
  host.append(frame, element("p", { class: "quiet" }, `${counted(nodes.length, "thing")}, ${counted(ties.length, "tie")}. Drag a thing to move it; scroll with Ctrl to come nearer.${more}`));
  return { svg, tell: picking.tell };
}

async function read(answer: Answer): Promise<{ nodes: Node[]; ties: Tie[]; left: number }> {
  const found = columns(answer);
  const [from, to] = answer.form === "graph" ? [found[0]!, found[2]!] : found.filter(({ kind }) => kind === "thing");
  const beside = answer.form === "graph" ? [found[1]!] : found.filter((column) => column !== from && column !== to);
  const nodes = new Map<string, Node>();
  const rows: { row: number; ends: [Node, Node] }[] = [];
  let left = 0;
  for (let row = 0; row < answer.length; row++) {
    const ends = [from, to].map((column) => answer.row(row)[column!.place]);
    if (ends.some((term) => !term || term.kind === "literal")) continue;
    const fresh = new Set(ends.map((term) => term!.value).filter((iri) => !nodes.has(iri)));
    if (nodes.size + fresh.size > MOST_NODES) {
      left += 1;
      continue;
    }
    const [source, target] = ends.map((term) => {
      const node = nodes.get(term!.value) ?? { iri: term!.value, ties: 0 };
      node.ties += 1;
      nodes.set(node.iri, node);
      return node;
    });
    rows.push({ row, ends: [source!, target!] });
  }
  const mentioned = rows.flatMap(({ row }) => answer.row(row).flatMap(irisOf));
  await find([...nodes.keys(), ...mentioned]);
  const ties = rows.map(({ row, ends: [source, target] }) => ({ source, target, row, words: beside.flatMap(({ place }) => (answer.row(row)[place] ? [words(answer.row(row)[place])] : [])).join(", ") }));
  return { nodes: [...nodes.values()], ties, left };
}

function settle(nodes: Node[], ties: Tie[], width: number, height: number): void {
  const simulation = forceSimulation(nodes)
    .force("tie", forceLink<Node, Tie>(ties).distance(nodes.length > 80 ? 40 : 90).strength(0.5))
    .force("apart", forceManyBody().strength(nodes.length > 80 ? -70 : -260))
    .force("room", forceCollide(nodes.length > 80 ? 12 : 26))
    .force("x", forceX(width / 2).strength(0.08 * (height / width)))
    .force("y", forceY(height / 2).strength(0.1))
    .stop();
  for (let step = 0; step < STEPS; step++) simulation.tick();
  const [xs, ys] = [nodes.map((node) => node.x!), nodes.map((node) => node.y!)];
  const [left, right, top, low] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const scale = Math.min((width - 160) / Math.max(right - left, 1), (height - 60) / Math.max(low - top, 1), 1.6);
  for (const node of nodes) {
    node.x = width / 2 + (node.x! - (left + right) / 2) * scale;
    node.y = height / 2 + (node.y! - (top + low) / 2) * scale;
  }
}

/** The nodes whose names have room: a name that would lie upon another one is left to the pointer and the table. */
function roomy(nodes: Node[]): Node[] {
  const kept: Node[] = [];
  const half = (node: Node) => (name(node.iri).length * LETTER) / 2;
  for (const node of nodes) {
    if (kept.every((other) => Math.abs(other.y! - node.y!) > LINE || Math.abs(other.x! - node.x!) > half(other) + half(node) + 6)) kept.push(node);
  }
  return kept;
}

/** Draws it, and gives what puts all in its place again, and the marks: a thing stands for the rows of its ties. */
function elements(whole: SVGGElement, nodes: Node[], ties: Tie[]): { place: () => void; marks: Mark[] } {
  const named = roomy([...nodes].sort((a, b) => b.ties - a.ties).slice(0, MOST_NAMED));
  const lines = ties.map((tie) => draw("path", { class: "tie", "marker-end": "url(#tip)" }, draw("title", {}, `${name(tie.source.iri)} → ${name(tie.target.iri)}${tie.words ? `: ${tie.words}` : ""}`)));
  const dots = nodes.map((node) => draw("circle", { r: Math.min(4 + Math.sqrt(node.ties) * 1.6, 14), class: "dot" }, draw("title", {}, name(node.iri))));
  const groups = dots.map((dot) => draw("g", { class: "node" }, dot));
  const labels = named.map((node) => {
    const words = name(node.iri);
    const at = { x: 0, y: -ABOVE, "text-anchor": "middle" };
    return draw("g", { class: "called" }, draw("text", { ...at, class: "halo" }, words), draw("text", { ...at, class: "beside" }, words));
  });
  whole.append(...lines, ...groups, ...labels);
  const place = () => {
    lines.forEach((line, at) => line.setAttribute("d", `M${ties[at]!.source.x} ${ties[at]!.source.y}L${ties[at]!.target.x} ${ties[at]!.target.y}`));
    groups.forEach((group, at) => group.setAttribute("transform", `translate(${nodes[at]!.x} ${nodes[at]!.y})`));
    labels.forEach((label, at) => label.setAttribute("transform", `translate(${named[at]!.x} ${named[at]!.y})`));
  };
  place();
  const rows = new Map(nodes.map((node) => [node, ties.flatMap(({ source, target, row }) => (source === node || target === node ? [row] : []))]));
  const things = nodes.map((node, at): Mark => ({ rows: rows.get(node)!, nodes: [dots[at]!, ...labels.filter((_, which) => named[which] === node)], at: () => [node.x!, node.y!] }));
  const between = ties.map((tie, at): Mark => ({ rows: [tie.row], nodes: [lines[at]!], at: () => [(tie.source.x! + tie.target.x!) / 2, (tie.source.y! + tie.target.y!) / 2] }));
  return { place, marks: [...things, ...between] };
}
