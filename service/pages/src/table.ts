/** The table: sorted, filtered, and beyond some rows only as much of it as can be seen. */
import type { Answer } from "./answer";
import { cell, words } from "./cells";
import { columns, type Column } from "./columns";
import { called, find } from "./names";
import { counted, element } from "./setup";
import { moment, type Term } from "./terms";

const ALL_UP_TO = 200;
const ROW = 33;
const BEYOND = 12;

export class Table {
  private readonly columns: Column[];
  private order: number[];
  private sorted = { place: -1, down: false };
  private filter = "";
  private lower: string[] | undefined;
  private readonly body = element("tbody");
  private readonly heads: HTMLTableCellElement[] = [];
  private readonly scroller = element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Rows" });
  private readonly windowed: boolean;
  private drawn = "";

  constructor(
    private readonly answer: Answer,
    private readonly told: (words: string) => void = () => {},
  ) {
    this.columns = columns(answer);
    this.order = answer.lines.map((_, row) => row);
    this.windowed = answer.length > ALL_UP_TO;
    const table = element("table", { class: `data answer${this.windowed ? " windowed" : " cards"}`, "aria-rowcount": String(answer.length + 1) });
    table.append(element("thead", {}, element("tr", { "aria-rowindex": "1" }, ...this.columns.map((column) => this.head(column)))), this.body);
    this.scroller.append(table);
    if (this.windowed) {
      this.scroller.classList.add("window");
      this.scroller.addEventListener("scroll", () => requestAnimationFrame(() => this.draw()), { passive: true });
      new ResizeObserver(() => this.draw()).observe(this.scroller);
    }
  }

  get node(): HTMLElement {
    return this.scroller;
  }

  private head(column: Column): HTMLElement {
    const sort = element("button", { type: "button", class: "sort" }, column.name, element("span", { class: "way", "aria-hidden": "true" }));
    sort.addEventListener("click", () => this.sort(column.place));
    const head = element("th", { scope: "col", class: column.kind === "number" ? "number" : "" }, sort);
    this.heads.push(head);
    return head;
  }

  /** Keeps the rows that hold a text, in what is shown or in what was sent. */
  keep(text: string): void {
    this.filter = text.trim().toLowerCase();
    this.arrange();
  }

  private sort(place: number): void {
    this.sorted = { place, down: this.sorted.place === place && !this.sorted.down };
    this.heads.forEach((head, at) => {
      if (at === place) head.setAttribute("aria-sort", this.sorted.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    this.arrange();
  }

  private arrange(): void {
    const rows = this.answer.lines.map((_, row) => row);
    this.order = this.filter ? rows.filter(this.holding()) : rows;
    if (this.sorted.place >= 0) this.arranged(this.columns[this.sorted.place]!);
    this.drawn = "";
    this.scroller.scrollTop = 0;
    this.draw();
    this.told(this.filter ? `${counted(this.order.length, "row")} of ${this.answer.length.toLocaleString("en")} hold “${this.filter}”` : "");
  }

  /** Whether a row holds the text, or a thing with a name that does. No row is read for it. */
  private holding(): (row: number) => boolean {
    const things = new Set(called(this.filter).map((iri) => `<${iri}>`));
    this.lower ??= this.answer.lines.map((line) => line.toLowerCase());
    const lower = this.lower;
    return (row) => lower[row]!.includes(this.filter) || (things.size > 0 && this.answer.cells(row).some((cell) => things.has(cell)));
  }

  /** Rows without a value stand last, whichever way. */
  private arranged(column: Column): void {
    const keys: (string | number | undefined)[] = [];
    for (const row of this.order) keys[row] = key(this.answer.at(row, column.place), column);
    const way = this.sorted.down ? -1 : 1;
    this.order.sort((one, other) => {
      const a = keys[one];
      const b = keys[other];
      if (a === undefined || b === undefined) return a === b ? one - other : a === undefined ? 1 : -1;
      return a === b ? one - other : a < b ? -way : way;
    });
  }

  draw(): void {
    const [from, to] = this.windowed ? this.window() : [0, this.order.length];
    const mark = `${from}-${to}`;
    if (mark === this.drawn) return;
    this.drawn = mark;
    const rows = this.order.slice(from, to);
    const made = rows.map((row, at) => this.row(row, from + at));
    if (this.windowed) this.body.replaceChildren(...spacer(from * ROW), ...made, ...spacer((this.order.length - to) * ROW));
    else this.body.replaceChildren(...made);
    void this.named(rows);
  }

  private async named(rows: number[]): Promise<void> {
    const iris = rows.flatMap((row) => this.answer.row(row).flatMap((term) => (term?.kind === "iri" ? [term.value] : [])));
    if (await find(iris)) {
      this.drawn = "";
      this.draw();
    }
  }

  private window(): [number, number] {
    const first = Math.floor(this.scroller.scrollTop / ROW) - BEYOND;
    const shown = Math.ceil((this.scroller.clientHeight || 640) / ROW) + 2 * BEYOND;
    const from = Math.max(0, Math.min(first, this.order.length - shown));
    return [from, Math.min(this.order.length, from + shown)];
  }

  private row(row: number, at: number): HTMLTableRowElement {
    const terms = this.answer.row(row);
    const cells = this.columns.map((column) => {
      const attributes = { "data-label": column.name, ...(column.kind === "number" ? { class: "number" } : {}) };
      return element("td", attributes, this.windowed ? element("div", { class: "one" }, cell(terms[column.place])) : cell(terms[column.place]));
    });
    return element("tr", { "aria-rowindex": String(at + 2) }, ...cells);
  }
}

function key(term: Term | undefined, column: Column): string | number | undefined {
  if (!term) return undefined;
  if (column.kind === "number") return Number(term.value);
  return column.kind === "date" ? moment(term) : words(term).toLowerCase();
}

/** Empty room in place of the rows that are not drawn. */
function spacer(height: number): HTMLTableRowElement[] {
  if (!height) return [];
  const made = element("tr", { "aria-hidden": "true", class: "spacer" }, element("td"));
  (made.firstChild as HTMLElement).style.height = `${height}px`;
  return [made];
}
