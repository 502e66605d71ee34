/** A neighbourhood that grows: each thing in the picture can bring what is next to it. */
import { forceCollide, forceLink, forceManyBody, forceSimulation, forceX, forceY, type SimulationNodeDatum } from "d3-force";
import { button, counted, element } from "./elements";
import { draw } from "./svg";

export interface Start {
  iri: string;
  name: string;
  data: string;
}

interface Neighbour {
  link: { text: string; page: string; iri: string };
  by: string;
  line: string;
  mark: { glyph: string; word: string } | null;
}

interface Node extends SimulationNodeDatum {
  iri: string;
  name: string;
  page: string;
  ring: number;
  isOpen: boolean;
  group: SVGGElement;
}

interface Tie {
  source: Node;
  target: Node;
  by: string;
  line: string;
  word: string;
  path: SVGPathElement;
}

const MOST = 160;
const STEPS = 220;
const LETTERS = 22;
const ARROWS: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const LINES: Record<string, string> = { is: "on record", active: "working", planned: "planned", talks: "in talks", denied: "denied", ended: "ended" };

let last: Picture | null = null;

/** Shows the picture in a dialog; `first`, if any, is opened out at once. */
export async function open(start: Start, legend: Element, first: string): Promise<void> {
  last ??= new Picture(start, legend);
  await last.show(first);
}

class Picture {
  private readonly nodes = new Map<string, Node>();
  private readonly ties = new Map<string, Tie>();
  private readonly svg = draw("svg", { class: "around", role: "group" });
  private readonly lines = draw("g");
  private readonly dots = draw("g");
  private readonly told = element("p", { class: "told", role: "status" });
  private readonly panel = element("div", { class: "panel" });
  private readonly list = element("ul");
  private readonly dialog = element("dialog", { class: "around fig", "aria-labelledby": "around-head" });
  private readonly center: Node;
  private chosen: Node;

  constructor(start: Start, legend: Element) {
    this.center = this.add({ text: start.name, page: start.data.replace("/data/", "/page/").replace(/\.json$/, ""), iri: start.iri }, 0);
    this.chosen = this.center;
    const key = legend.cloneNode(false) as Element;
    for (const [line, words] of Object.entries(LINES)) {
      key.append(element("li", {}, draw("svg", { width: 26, height: 8, viewBox: "0 0 26 8", "aria-hidden": "true" }, draw("path", { class: `e e-${line}`, d: "M0 4h26" })), words));
    }
    this.svg.append(this.lines, this.dots);
    this.svg.setAttribute("aria-label", `What is around ${start.name}`);
    this.svg.addEventListener("keydown", (event) => this.key(event));
    const help = "Enter or a click brings what is next to a thing; the arrow keys go along the ties, Home to the middle, Escape back to the page.";
    this.dialog.append(
      element("div", { class: "bar" }, element("h2", { id: "around-head" }, `Around ${start.name}`), button("Close", () => this.dialog.close(), "btn")),
      element("p", { class: "small quiet" }, help),
      element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "The picture" }, this.svg),
      key,
      this.told,
      this.panel,
      element("details", {}, element("summary", {}, "The same as a list"), this.list),
    );
    document.body.append(this.dialog);
  }

  async show(first: string): Promise<void> {
    this.dialog.showModal();
    if (!this.center.isOpen) await this.widen(this.center);
    const node = this.nodes.get(first);
    if (node && !node.isOpen) await this.widen(node);
    this.choose(node ?? this.center);
  }

  /** Brings what is next to a thing into the picture. */
  private async widen(node: Node): Promise<void> {
    if (node.isOpen) return this.tell(`What is next to ${node.name} is in the picture already.`);
    this.dialog.setAttribute("aria-busy", "true");
    const found = await neighbours(node.page);
    this.dialog.removeAttribute("aria-busy");
    if (!found) return this.tell(`What is next to ${node.name} could not be fetched.`);
    node.isOpen = true;
    const before = this.nodes.size;
    let left = 0;
    for (const each of found) {
      if (!this.nodes.has(each.link.iri) && this.nodes.size >= MOST) left += 1;
      else this.tie(node, this.add(each.link, node.ring + 1, node), each);
    }
    this.settle();
    const more = left ? ` ${counted(left, "thing")} more have no room: the picture holds ${MOST}.` : "";
    this.tell(`${counted(found.length, "thing")} next to ${node.name}, ${this.nodes.size - before} of them new.${more}`);
  }

  private add({ text, page, iri }: Neighbour["link"], ring: number, beside?: Node): Node {
    const known = this.nodes.get(iri);
    if (known) return known;
    const short = text.length > LETTERS ? `${text.slice(0, LETTERS - 1)}…` : text;
    const words = (kind: string) => draw("text", { class: kind, "text-anchor": "middle", y: -11 }, short);
    const group = draw("g", { class: "one", role: "button", tabindex: -1, "aria-label": text }, draw("title", {}, text), draw("circle", { class: ring ? "node" : "node center", r: ring ? 6 : 8 }), words("halo b"));
    const spread = this.nodes.size * 2.4;
    const node: Node = { iri, name: text, page, ring, isOpen: false, group, x: (beside?.x ?? 0) + 60 * Math.cos(spread), y: (beside?.y ?? 0) + 60 * Math.sin(spread) };
    group.addEventListener("click", () => void this.enter(node));
    this.dots.append(group);
    this.nodes.set(iri, node);
    return node;
  }

  private tie(source: Node, target: Node, { by, line, mark }: Neighbour): void {
    const key = [source.iri, target.iri].sort().concat(line).join(" ");
    if (source === target || this.ties.has(key)) return;
    const word = mark?.word.toLowerCase() ?? LINES[line] ?? "";
    const path = draw("path", { class: `e e-${line}` }, draw("title", {}, `${source.name} – ${target.name}: ${by}, ${word}`));
    this.lines.append(path);
    this.ties.set(key, { source, target, by, line, word, path });
  }

  /** Finds a place for everything: all at once, so nothing moves before anybody's eyes. */
  private settle(): void {
    const nodes = [...this.nodes.values()];
    const ties = [...this.ties.values()];
    Object.assign(this.center, { fx: 0, fy: 0 });
    const simulation = forceSimulation(nodes)
      .force("tie", forceLink<Node, Tie>(ties).distance(96).strength(0.35))
      .force("apart", forceManyBody<Node>().strength(-420).distanceMax(600))
      .force("room", forceCollide<Node>((node) => Math.min(70, 20 + node.name.length * 2.4)).iterations(2))
      .force("x", forceX<Node>(0).strength(0.03))
      .force("y", forceY<Node>(0).strength(0.07))
      .stop();
    for (let step = 0; step < STEPS; step++) simulation.tick();
    const [xs, ys] = [nodes.map((node) => node.x!), nodes.map((node) => node.y!)];
    const [left, top] = [Math.min(...xs) - 90, Math.min(...ys) - 34];
    const [width, height] = [Math.max(...xs) + 90 - left, Math.max(...ys) + 24 - top];
    for (const [name, value] of Object.entries({ viewBox: [left, top, width, height].map(Math.round).join(" "), width: Math.round(width), height: Math.round(height) })) this.svg.setAttribute(name, String(value));
    for (const node of nodes) node.group.setAttribute("transform", `translate(${Math.round(node.x!)} ${Math.round(node.y!)})`);
    const beside = new Map<string, number>();
    for (const { source, target, path } of ties) {
      const pair = [source.iri, target.iri].sort().join(" ");
      const place = beside.get(pair) ?? 0;
      beside.set(pair, place + 1);
      path.setAttribute("d", curve(source, target, place));
    }
  }

  private beside(node: Node): { far: Node; tie: Tie }[] {
    return [...this.ties.values()].flatMap((tie) => (tie.source === node ? [{ far: tie.target, tie }] : tie.target === node ? [{ far: tie.source, tie }] : []));
  }

  private async enter(node: Node): Promise<void> {
    await this.widen(node);
    this.choose(node);
  }

  private choose(node: Node): void {
    this.chosen.group.setAttribute("tabindex", "-1");
    this.chosen = node;
    node.group.setAttribute("tabindex", "0");
    const beside = new Set(this.beside(node).map(({ tie }) => tie));
    for (const tie of this.ties.values()) tie.path.classList.toggle("own", beside.has(tie));
    for (const each of this.nodes.values()) each.group.setAttribute("aria-pressed", String(each.isOpen));
    const ties = this.beside(node).map(({ far, tie }) => told(far, tie));
    this.panel.replaceChildren(element("h3", {}, element("a", { href: node.page }, node.name)), element("ul", {}, ...ties));
    this.list.replaceChildren(...[...this.ties.values()].map((tie) => element("li", {}, element("a", { href: tie.source.page }, tie.source.name), " – ", ...told(tie.target, tie).childNodes)));
    node.group.focus();
  }

  private key(event: KeyboardEvent): void {
    const way = ARROWS[event.key];
    const isAct = event.key === "Enter" || event.key === " ";
    if (!way && !isAct && event.key !== "Home") return;
    event.preventDefault();
    if (isAct) void this.enter(this.chosen);
    else if (!way) this.choose(this.center);
    else {
      const next = this.along(way);
      if (next) this.choose(next);
    }
  }

  /** The thing at the other end of the tie that leads most nearly this way. */
  private along([right, down]: [number, number]): Node | undefined {
    const ways = this.beside(this.chosen).map(({ far }) => {
      const [x, y] = [far.x! - this.chosen.x!, far.y! - this.chosen.y!];
      return { far, worth: (x * right + y * down) / Math.hypot(x, y) };
    });
    return ways.filter(({ worth }) => worth > 0.1).sort((one, other) => other.worth - one.worth)[0]?.far;
  }

  private tell(words: string): void {
    this.told.textContent = words;
  }
}

function told(far: Node, { by, word }: Tie): HTMLLIElement {
  return element("li", {}, element("a", { href: far.page }, far.name), ` ${by}, ${word}`);
}

/** What is next to the thing of a page; null if that cannot be had, as of a thing that is elsewhere. */
async function neighbours(page: string): Promise<Neighbour[] | null> {
  if (!page.startsWith("/page/")) return null;
  const address = page.replace("/page/", "/data/").split("?")[0];
  const response = await fetch(`${address}.json${location.search.match(/[?&]at=\w+/)?.[0].replace("&", "?") ?? ""}`).catch(() => null);
  return response?.ok ? ((await response.json()) as { neighbours: Neighbour[] }).neighbours : null;
}

function curve(source: Node, target: Node, place: number): string {
  if (!place) return `M${source.x} ${source.y}L${target.x} ${target.y}`;
  const [x, y] = [target.x! - source.x!, target.y! - source.y!];
  const bend = (place % 2 ? 1 : -1) * Math.ceil(place / 2) * 0.16;
  return `M${source.x} ${source.y}Q${(source.x! + target.x!) / 2 - y * bend} ${(source.y! + target.y!) / 2 + x * bend} ${target.x} ${target.y}`;
}
