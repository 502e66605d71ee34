/** Picking in a picture, by a click or by keys: what is picked stands out, here and in every other view. */
import type { Answer } from "./answer";
import { words } from "./cells";
import type { Selection } from "./selection";
import { counted, element } from "./setup";
import { draw } from "./svg";

/** A mark of a picture: the rows that it stands for, what it is drawn with, and where it is now, in units of the picture. */
export interface Mark {
  rows: number[];
  nodes: Element[];
  at: () => [number, number];
}

const NEAR = 14;
const MOST_TOLD = 3;
const WAYS: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Picking {
  private here: Mark | null = null;
  private readonly card = element("div", { class: "card", role: "status", hidden: "" });
  private readonly ring = draw("circle", { r: 11, class: "ring" });
  private readonly owners = new Map<Element, Mark>();

  /** `frame` holds the picture and gets the focus. `paint` paints marks that are no elements. */
  constructor(
    private readonly frame: HTMLElement,
    private readonly svg: SVGSVGElement,
    private readonly answer: Answer,
    private readonly selection: Selection,
    private readonly marks: Mark[],
    private readonly hidden: string[] = [],
    private readonly paint: () => void = () => {},
  ) {
    const says = `${svg.getAttribute("aria-label") ?? "Picture"}. Arrow keys go from mark to mark, Enter picks, Escape picks nothing.`;
    for (const [name, value] of Object.entries({ tabindex: "0", role: "application", "aria-label": says })) frame.setAttribute(name, value);
    frame.append(this.card);
    for (const mark of marks) for (const node of mark.nodes) this.owners.set(node, mark);
    svg.addEventListener("mousemove", (event) => this.show(this.under(event)));
    svg.addEventListener("mouseleave", () => this.show(null));
    svg.addEventListener("click", (event) => this.clicked(event));
    frame.addEventListener("keydown", (event) => this.key(event));
    frame.addEventListener("blur", () => this.show(null));
  }

  /** Shows what is picked. */
  readonly tell = (): void => {
    const isAny = this.selection.size > 0;
    for (const { rows, nodes } of this.marks) {
      const isPicked = rows.some(this.selection.has);
      for (const node of nodes) {
        node.classList.toggle("picked", isPicked);
        node.classList.toggle("faded", isAny && !isPicked);
      }
    }
    this.paint();
  };

  /** Shows a mark with what its rows say; null takes that away. */
  show(mark: Mark | null): void {
    this.here = mark;
    this.card.hidden = !mark;
    this.svg.classList.toggle("over", mark !== null);
    if (!mark) return this.ring.remove();
    const [x, y] = mark.at();
    this.ring.setAttribute("transform", `translate(${x} ${y})`);
    this.svg.append(this.ring);
    const rows = this.rowsAt(mark);
    const more = rows.length > MOST_TOLD ? [element("p", {}, `and ${counted(rows.length - MOST_TOLD, "row")} more`)] : [];
    this.card.replaceChildren(...rows.slice(0, MOST_TOLD).map((row) => this.told(row)), ...more);
    const { width, height } = this.svg.viewBox.baseVal;
    const box = this.svg.getBoundingClientRect();
    const [left, top] = [box.left - this.frame.getBoundingClientRect().left, box.top - this.frame.getBoundingClientRect().top];
    const [across, down] = [left + (x / width) * box.width, top + (y / height) * box.height];
    this.card.style.left = `${Math.max(4, Math.min(across + 12, this.frame.clientWidth - this.card.offsetWidth - 4))}px`;
    this.card.style.top = `${down + 16 + this.card.offsetHeight > this.frame.clientHeight ? Math.max(4, down - 16 - this.card.offsetHeight) : down + 16}px`;
  }

  private told(row: number): HTMLElement {
    const list = element("dl");
    this.answer.row(row).forEach((term, place) => {
      const column = this.answer.columns[place]!;
      if (term && !this.hidden.includes(column)) list.append(element("dt", {}, column), element("dd", {}, words(term)));
    });
    return list;
  }

  /** The rows of all marks at the place of one: marks that cover each other are picked together. */
  private rowsAt(mark: Mark): number[] {
    const [x, y] = mark.at();
    const together = this.marks.filter((other) => {
      const [a, b] = other.at();
      return Math.abs(a - x) < 0.5 && Math.abs(b - y) < 0.5;
    });
    return [...new Set(together.flatMap(({ rows }) => rows))];
  }

  private under(event: MouseEvent): Mark | null {
    const owner = this.owners.get(event.target as Element);
    if (owner) return owner;
    const box = this.svg.getBoundingClientRect();
    const ratio = box.width ? this.svg.viewBox.baseVal.width / box.width : 1;
    const [px, py] = [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
    return this.best((x, y) => Math.hypot(x - px, y - py), NEAR);
  }

  private clicked(event: MouseEvent): void {
    if ((event.target as Element).closest("a")) return;
    const mark = this.under(event);
    if (mark) this.selection.pick(this.rowsAt(mark), event.ctrlKey || event.metaKey || event.shiftKey);
    else this.selection.clear();
  }

  private key(event: KeyboardEvent): void {
    if (event.target !== this.frame || event.ctrlKey || event.metaKey || event.altKey) return;
    const way = WAYS[event.key];
    if (way) this.show(this.here ? (this.towards(this.here, way) ?? this.here) : this.start());
    else if ((event.key === "Enter" || event.key === " ") && this.here) this.selection.pick(this.rowsAt(this.here), true);
    else if (event.key === "Escape") this.selection.clear();
    else return;
    event.preventDefault();
  }

  private start(): Mark | null {
    return this.marks.find(({ rows }) => rows.some(this.selection.has)) ?? this.best((x, y) => x + y);
  }

  /** The next mark in a direction: near, and little aside. */
  private towards(from: Mark, [dx, dy]: [number, number]): Mark | null {
    const [x, y] = from.at();
    return this.best((a, b) => {
      const ahead = (a - x) * dx + (b - y) * dy;
      return ahead > 0.5 ? ahead + 2 * Math.abs((a - x) * dy + (b - y) * dx) : Infinity;
    });
  }

  /** The mark in sight with the least of something. */
  private best(measure: (x: number, y: number) => number, most = Infinity): Mark | null {
    const { width, height } = this.svg.viewBox.baseVal;
    let [least, found]: [number, Mark | null] = [most, null];
    for (const mark of this.marks) {
      const [x, y] = mark.at();
      const value = x >= 0 && y >= 0 && x <= width && y <= height ? measure(x, y) : Infinity;
      if (value < least) [least, found] = [value, mark];
    }
    return found;
  }
}
