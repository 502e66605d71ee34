/** The pictures of the explorer: what is looked at is lifted, arrow keys move along ties and between places, and one can come nearer. */
import { select } from "d3-selection";
import { zoom, zoomIdentity, zoomTransform, type D3ZoomEvent, type ZoomBehavior } from "d3-zoom";

const NEAREST = 8;
const STEP = 1.6;
const NUDGE = 60;
const HINTS: Record<string, string> = {
  network: "Arrow keys move between names and along ties, Enter opens.",
  map: "Arrow keys move between places, Enter opens.",
};

const made = <K extends keyof HTMLElementTagNameMap>(name: K, classes: string, words = ""): HTMLElementTagNameMap[K] => Object.assign(document.createElement(name), { className: classes, textContent: words });

type Move = (svg: SVGSVGElement, from: SVGAElement, key: string) => SVGAElement | null;

const links = (svg: SVGSVGElement, kind: string): SVGAElement[] => [...svg.querySelectorAll<SVGAElement>(kind)];
const ends = (tie: SVGAElement): string[] => tie.dataset.ends!.split(" ");
const group = (name: SVGAElement): string => name.dataset.group!;
const isLit = (link: SVGAElement): boolean => !link.classList.contains("off");

for (const figure of document.querySelectorAll<HTMLElement>("[data-picture]")) {
  const kind = figure.dataset.picture!;
  const pictures = [...figure.querySelectorAll<SVGSVGElement>("svg.sides, svg.map")];
  if (!pictures.length) continue;
  const bar = made("div", "zooms");
  bar.append(made("p", "quiet", HINTS[kind]!));
  pictures[0]!.before(bar);
  const zooms = pictures.map((svg) => zooming(svg, kind));
  for (const [words, label, act] of [
    ["+", "Come nearer", (each: Zoomed) => each.by(STEP)],
    ["−", "Go farther", (each: Zoomed) => each.by(1 / STEP)],
    ["Whole", "Show the whole picture", (each: Zoomed) => each.whole()],
  ] as const) {
    const button = made("button", "btn", words);
    button.type = "button";
    button.setAttribute("aria-label", label);
    button.addEventListener("click", () => zooms.filter(({ svg }) => svg.checkVisibility()).forEach(act));
    bar.append(button);
  }
  for (const zoomed of zooms) {
    if (kind === "network") lifting(zoomed.svg);
    moving(zoomed, kind === "network" ? ".name" : ".spot", kind === "network" ? alongTies : toPlace);
  }
}

/** What is pointed at or focused stands out: a name with its ties and partners, a tie with its ends. */
function lifting(svg: SVGSVGElement): void {
  const lift = (target: EventTarget | null) => {
    const at = target instanceof Element ? target.closest<SVGAElement>(".name, .tie") : null;
    const ties = links(svg, ".tie").filter((tie) => at && (tie === at || ("group" in at.dataset && ends(tie).includes(group(at)))));
    const lit = new Set(ties.flatMap(ends));
    svg.classList.toggle("has-lifted", ties.length > 0);
    for (const tie of links(svg, ".tie")) tie.classList.toggle("lifted", ties.includes(tie));
    for (const name of links(svg, ".name")) name.classList.toggle("lifted", lit.has(group(name)));
  };
  svg.addEventListener("pointerover", ({ target }) => lift(target));
  svg.addEventListener("pointerleave", () => lift(document.activeElement));
  svg.addEventListener("focusin", ({ target }) => lift(target));
  svg.addEventListener("focusout", ({ relatedTarget }) => lift(relatedTarget));
}

/** One stop of the Tab key for a picture; arrow keys move within it. */
function moving(zoomed: Zoomed, kind: string, move: Move): void {
  const { svg } = zoomed;
  const stops = links(svg, kind);
  const stop = stops.find((each) => each.hasAttribute("aria-current")) ?? stops[0];
  for (const each of stops) each.setAttribute("tabindex", each === stop ? "0" : "-1");
  svg.addEventListener("focusin", ({ target }) => {
    if (!(target instanceof SVGAElement) || !stops.includes(target)) return;
    for (const each of stops) each.setAttribute("tabindex", each === target ? "0" : "-1");
  });
  svg.addEventListener("keydown", (event) => {
    const from = event.target;
    if (!(from instanceof SVGAElement) || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "+" || event.key === "-") {
      zoomed.by(event.key === "+" ? STEP : 1 / STEP);
      zoomed.show(from);
    } else if (event.key === "0") zoomed.whole();
    else if (event.key.startsWith("Arrow") && event.shiftKey) zoomed.pan(event.key);
    else if (event.key.startsWith("Arrow") || event.key === "Escape") {
      const to = move(svg, from, event.key);
      if (!to) return;
      to.focus({ preventScroll: false });
      zoomed.show(to);
    } else return;
    event.preventDefault();
  });
}

/** From a name up and down to the names beside it, to the sides along a tie; from a tie to its ends and to the ties beside it. */
function alongTies(svg: SVGSVGElement, from: SVGAElement, key: string): SVGAElement | null {
  const names = links(svg, ".name");
  const left = (name: SVGAElement) => Number(name.querySelector("circle")!.getAttribute("cx"));
  const isHorizontal = key === "ArrowLeft" || key === "ArrowRight";
  if (from.dataset.group) {
    const beside = names.filter((name) => left(name) === left(from));
    if (key === "Escape") return null;
    if (!isHorizontal) return beside[beside.indexOf(from) + (key === "ArrowDown" ? 1 : -1)] ?? null;
    const tie = tiesOf(svg, from)[0] ?? null;
    if (tie) svg.dataset.from = group(from);
    return tie;
  }
  const [one, other] = ends(from).map((end) => names.find((name) => group(name) === end)!) as [SVGAElement, SVGAElement];
  const start = group(one) === svg.dataset.from ? one : group(other) === svg.dataset.from ? other : one;
  if (key === "Escape") return start;
  if (isHorizontal) {
    const far = start === one ? other : one;
    if (left(one) === left(other)) return far;
    return (left(one) < left(other)) === (key === "ArrowLeft") ? one : other;
  }
  const ties = tiesOf(svg, start);
  return ties[(ties.indexOf(from) + (key === "ArrowDown" ? 1 : ties.length - 1)) % ties.length] ?? null;
}

const tiesOf = (svg: SVGSVGElement, name: SVGAElement): SVGAElement[] => {
  const ties = links(svg, ".tie").filter((tie) => ends(tie).includes(group(name)));
  return ties.some(isLit) ? ties.filter(isLit) : ties;
};

/** The nearest place in a direction: what lies straight ahead counts before what lies aside. */
function toPlace(svg: SVGSVGElement, from: SVGAElement, key: string): SVGAElement | null {
  const [ax, ay] = middle(from);
  const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key] ?? [0, 0];
  let best: SVGAElement | null = null;
  let least = Infinity;
  for (const spot of links(svg, ".spot")) {
    const [x, y] = middle(spot);
    const ahead = (x - ax) * dx! + (y - ay) * dy!;
    const aside = Math.abs((x - ax) * dy!) + Math.abs((y - ay) * dx!);
    if (ahead > 0.5 && ahead + 2 * aside < least) [best, least] = [spot, ahead + 2 * aside];
  }
  return best;
}

function middle(spot: SVGAElement): [number, number] {
  const circle = spot.querySelector("circle")!;
  return [circle.cx.baseVal.value, circle.cy.baseVal.value];
}

interface Zoomed {
  svg: SVGSVGElement;
  by(factor: number): void;
  pan(key: string): void;
  whole(): void;
  show(link: SVGAElement): void;
}

/** Lets one come nearer by buttons, keys, Ctrl and the wheel, or two fingers; where one was is kept while the page stays the same. */
function zooming(svg: SVGSVGElement, kind: string): Zoomed {
  const inner = document.createElementNS("http://www.w3.org/2000/svg", "g");
  inner.append(...svg.childNodes);
  svg.append(inner);
  const { width, height } = svg.viewBox.baseVal;
  const kept = `picture ${location.pathname} ${kind} ${width} ${svg.dataset.area ?? ""}`;
  const spots = links(svg, ".spot").map((spot) => [spot, ...middle(spot)] as const);
  const behaviour: ZoomBehavior<SVGSVGElement, unknown> = zoom<SVGSVGElement, unknown>()
    .scaleExtent([1, NEAREST])
    .extent([[0, 0], [width, height]])
    .translateExtent([[0, 0], [width, height]])
    .filter((event: Event) => (event instanceof WheelEvent ? event.ctrlKey : "touches" in event ? (event as TouchEvent).touches.length > 1 : !(event as MouseEvent).button))
    .on("zoom", ({ transform }: D3ZoomEvent<SVGSVGElement, unknown>) => {
      inner.setAttribute("transform", transform.toString());
      svg.classList.toggle("zoomed", transform.k > 1);
      for (const [spot, x, y] of spots) spot.setAttribute("transform", `translate(${x} ${y}) scale(${1 / transform.k}) translate(${-x} ${-y})`);
      sessionStorage.setItem(kept, JSON.stringify([transform.k, transform.x, transform.y]));
    });
  const selected = select(svg).call(behaviour);
  svg.removeAttribute("style"); // what d3 sets there is for touch alone, and the pages have no style of their own
  const before = sessionStorage.getItem(kept);
  if (before) {
    const [k, x, y] = JSON.parse(before) as [number, number, number];
    selected.call(behaviour.transform, zoomIdentity.translate(x, y).scale(k));
  }
  return {
    svg,
    by: (factor) => selected.call(behaviour.scaleBy, factor),
    whole: () => selected.call(behaviour.transform, zoomIdentity),
    pan: (key) => {
      const by = NUDGE / zoomTransform(svg).k;
      const [x, y] = { ArrowLeft: [by, 0], ArrowRight: [-by, 0], ArrowUp: [0, by], ArrowDown: [0, -by] }[key] ?? [0, 0];
      selected.call(behaviour.translateBy, x!, y!);
    },
    show: (link) => {
      const box = link.getBBox();
      if (zoomTransform(svg).k > 1) selected.call(behaviour.translateTo, box.x + box.width / 2, box.y + box.height / 2);
    },
  };
}
