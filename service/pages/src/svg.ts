/** Pictures: what every view draws with. */
import type { Answer } from "./answer";
import type { Selection } from "./selection";

/** What a view draws: an answer, as its query says, with what is picked of it. */
export interface Drawing {
  answer: Answer;
  query: string;
  selection: Selection;
}

/** A picture; `tell` shows what is picked now, `painted` makes elements of what is on it but is none (a file needs them). */
export interface Drawn {
  svg: SVGSVGElement;
  tell: () => void;
  painted?: () => SVGElement[];
}

export const SVG = "http://www.w3.org/2000/svg";

export function draw<K extends keyof SVGElementTagNameMap>(name: K, attributes: Record<string, string | number> = {}, ...children: (Node | string)[]): SVGElementTagNameMap[K] {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}

export function picture(width: number, height: number, title: string): SVGSVGElement {
  return draw("svg", { viewBox: `0 0 ${width} ${height}`, width, height, class: "drawn", role: "img", "aria-label": title });
}

/** Shapes tell groups apart; the colour only repeats it. Each is drawn around 0, 0 with a radius of about 5. */
export const SHAPES = [
  "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0Z",
  "M-4.5-4.5h9v9h-9Z",
  "M0-5.5L5.2 4H-5.2Z",
  "M0-6L6 0L0 6L-6 0Z",
  "M0 5.5L5.2-4H-5.2Z",
  "M-2-5.5h4v3.5h3.5v4H2v3.5h-4v-3.5h-3.5v-4H-2Z",
  "M-5.5-2.5L0-5.5L5.5-2.5V2.5L0 5.5L-5.5 2.5Z",
  "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0Z",
];
export const MOST_GROUPS = SHAPES.length - 1;

/** The groups of some values: the most frequent each by itself, what is left together as "others". */
export function groups(values: string[]): { names: string[]; of: (value: string) => number } {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const names = [...counts].sort((a, b) => b[1] - a[1]).map(([name]) => name);
  const own = names.slice(0, MOST_GROUPS);
  const places = new Map(own.map((name, at) => [name, at]));
  return { names: names.length > own.length ? [...own, "others"] : own, of: (value) => places.get(value) ?? MOST_GROUPS };
}

export function legend(names: string[]): HTMLElement {
  const list = document.createElement("ul");
  list.className = "legend";
  names.forEach((name, at) => {
    const item = document.createElement("li");
    const group = name === "others" ? MOST_GROUPS : at;
    item.append(draw("svg", { viewBox: "-8 -8 16 16", width: 16, height: 16, "aria-hidden": "true" }, draw("path", { d: SHAPES[group]!, class: `mark g${group}` })), name);
    list.append(item);
  });
  return list;
}

export const widthOf = (host: HTMLElement): number => Math.max(288, Math.floor(host.clientWidth));
