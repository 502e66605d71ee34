/** The table: sorted, filtered, and beyond some rows only as much of it as can be seen. */
import type { Answer } from "./answer";
import { cell, words } from "./cells";
import { columns, type Column } from "./columns";
import { called, find } from "./names";
import type { Selection } from "./selection";
import { button, counted, element } from "./setup";
import { irisOf, moment, type Term } from "./terms";

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
  /** The place in the order of the row that the Tab key comes to. */
  private current = 0;

  constructor(
    private readonly answer: Answer,
    private readonly selection: Selection,
    hidden: string[],
    private readonly told: (words: string) => void = () => {},
  ) {
    this.columns = columns(answer).filter(({ name }) => !hidden.includes(name));
    this.order = answer.lines.map((_, row) => row);
    this.windowed = answer.length > ALL_UP_TO;
    const table = element("table", { class: `data answer${this.windowed ? " windowed" : " cards"}`, role: "table", "aria-rowcount": String(answer.length + 1) });
    const number = element("th", { scope: "col", role: "columnheader", class: "pick" }, element("span", { class: "hidden" }, "Row"));
    const names = element("tr", { role: "row", "aria-rowindex": "1" }, number, ...this.columns.map((column) => this.head(column)));
    table.append(element("thead", { role: "rowgroup" }, names), this.body);
    this.body.setAttribute("role", "rowgroup");
    this.body.addEventListener("click", (event) => this.clicked(event));
    this.body.addEventListener("keydown", (event) => this.key(event));
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
    const head = element("th", { scope: "col", role: "columnheader", class: column.kind === "number" ? "number" : "" }, sort);
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
    this.current = 0;
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
    if (this.current < from || this.current >= to) this.current = Math.min(Math.max(from, Math.ceil(this.scroller.scrollTop / ROW)), to - 1);
    const made = rows.map((row, at) => this.row(row, from + at));
    const held = this.focused();
    if (this.windowed) this.body.replaceChildren(...spacer(from * ROW), ...made, ...spacer((this.order.length - to) * ROW));
    else this.body.replaceChildren(...made);
    if (held) this.focusables(held.row)[held.at]?.focus({ preventScroll: true });
    this.tell();
    void this.named(rows);
  }

  /** Which row has the focus, and its how manieth link or button: rows that are drawn anew would lose it. */
  private focused(): { row: string; at: number } | null {
    const held = document.activeElement;
    const row = held && this.body.contains(held) ? held.closest("tr")?.getAttribute("aria-rowindex") : null;
    return row ? { row, at: this.focusables(row).indexOf(held as HTMLElement) } : null;
  }

  private focusables(row: string): HTMLElement[] {
    return [...this.body.querySelectorAll<HTMLElement>(`tr[aria-rowindex="${row}"] :is(a, button)`)];
  }

  /** Shows what is picked. */
  readonly tell = (): void => {
    for (const pick of this.body.querySelectorAll<HTMLElement>("button.pick")) {
      const isPicked = this.selection.has(Number(pick.dataset.row));
      pick.setAttribute("aria-pressed", String(isPicked));
      pick.closest("tr")!.classList.toggle("picked", isPicked);
    }
  };

  /** Brings the first of the picked rows into sight. */
  reveal(): void {
    const at = this.order.findIndex(this.selection.has);
    if (at >= 0) this.come(at);
  }

  private come(at: number): void {
    this.current = at;
    if (this.windowed) {
      const [top, low] = [at * ROW, (at + 2) * ROW];
      if (top < this.scroller.scrollTop || low > this.scroller.scrollTop + this.scroller.clientHeight - ROW) this.scroller.scrollTop = Math.max(0, top - this.scroller.clientHeight / 2);
      this.drawn = "";
      this.draw();
    }
    const row = this.body.querySelector<HTMLElement>(`tr[aria-rowindex="${at + 2}"]`);
    if (!this.windowed) row?.scrollIntoView({ block: "nearest" });
    for (const pick of this.body.querySelectorAll<HTMLElement>("button.pick")) pick.tabIndex = row?.contains(pick) ? 0 : -1;
  }

  private clicked(event: MouseEvent): void {
    const target = event.target as Element;
    const pick = target.closest("tr")?.querySelector<HTMLElement>("button.pick");
    if (!pick || target.closest("a") || !getSelection()?.isCollapsed) return;
    const row = Number(pick.dataset.row);
    const [from, to] = [this.current, this.order.indexOf(row)].sort((one, other) => one - other) as [number, number];
    if (event.shiftKey) this.selection.pick(this.order.slice(from, to + 1), false);
    else this.selection.pick([row], event.ctrlKey || event.metaKey || event.detail === 0 || target.closest("button") !== null);
    if (!event.shiftKey) this.current = this.order.indexOf(row);
  }

  /** Up and down go from row to row, Escape picks nothing. */
  private key(event: KeyboardEvent): void {
    const pick = (event.target as Element).closest<HTMLElement>("button.pick");
    if (!pick) return;
    const here = Number(pick.closest("tr")!.getAttribute("aria-rowindex")) - 2;
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: this.order.length - 1 }[event.key];
    if (event.key === "Escape") this.selection.clear();
    else if (to !== undefined && to >= 0 && to < this.order.length) {
      this.come(to);
      this.body.querySelector<HTMLElement>("button.pick[tabindex='0']")?.focus({ preventScroll: true });
    } else return;
    event.preventDefault();
  }

  private async named(rows: number[]): Promise<void> {
    const iris = rows.flatMap((row) => this.answer.row(row).flatMap(irisOf));
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
      const attributes = { role: "cell", "data-label": column.name, ...(column.kind === "number" ? { class: "number" } : {}) };
      return element("td", attributes, this.windowed ? element("div", { class: "one" }, cell(terms[column.place])) : cell(terms[column.place]));
    });
    const pick = button(String(row + 1), () => {}, "pick");
    for (const [name, value] of Object.entries({ "data-row": row, tabindex: at === this.current ? 0 : -1, "aria-label": `Row ${row + 1}` })) pick.setAttribute(name, String(value));
    return element("tr", { role: "row", "aria-rowindex": String(at + 2) }, element("th", { scope: "row", role: "rowheader", class: "pick" }, pick), ...cells);
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
  const made = element("tr", { "aria-hidden": "true", class: "spacer" }, element("td", { colspan: "2" }));
  (made.firstChild as HTMLElement).style.height = `${height}px`;
  return [made];
}
