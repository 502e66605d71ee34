/** The answer on the page: how much there is of it, its views, what is picked of it, what can be saved. */
import type { Answer } from "./answer";
import { anchor, words } from "./cells";
import { chosen, columns, missing, possible, type View } from "./columns";
import { find } from "./names";
import { options } from "./options";
import { title } from "./past";
import { Selection } from "./selection";
import { address, button, counted, element, setup } from "./setup";
import type { Drawing, Drawn } from "./svg";
import { Table } from "./table";
import { irisOf } from "./terms";

const WORDS: Record<View, string> = { Table: "Table", Map: "Map", Timeline: "Timeline", Graph: "Graph", BarChart: "Bars", LineChart: "Lines", ScatterChart: "Points", Raw: "Raw" };
const MOST_RAW = 2000;
const SEEN_FIRST = 60;
const TABLES = ["csv", "tsv", "json", "xml"];
const GRAPHS = ["ttl", "nt", "jsonld", "rdf"];
const TRUTHS = ["json", "xml", "csv"];

export function viewInAddress(): string {
  return new URLSearchParams(location.hash.slice(1)).get("view") ?? "";
}

export class Results {
  private answer!: Answer;
  private query = "";
  private view: View = "Table";
  private drawn: Drawn | null = null;
  private selection = new Selection();
  private leave = () => {};
  private readonly panel = element("div", { class: "panel", id: "panel" });
  private readonly pictures = element("span", { class: "dl" });
  private readonly said = element("span", { role: "status" });
  private readonly picked = element("span", { class: "picked-rows", role: "status" });
  private readonly filter = element("input", { type: "search", placeholder: "Filter rows", "aria-label": "Filter rows", class: "filter" });
  private table: Table | null = null;
  private drawing = 0;

  constructor(private readonly host: HTMLElement) {
    this.filter.addEventListener("input", () => this.table?.keep(this.filter.value));
    window.addEventListener("hashchange", () => this.answer && this.open(this.wanted()));
    let width = window.innerWidth;
    window.addEventListener("resize", () => {
      if (Math.abs(window.innerWidth - width) < 40 || !this.drawn) return;
      width = window.innerWidth;
      void this.open(this.view);
    });
  }

  /** Shows an answer in the view that the address, the query or the answer itself asks for. */
  async show(answer: Answer, query: string): Promise<void> {
    await named(answer);
    Object.assign(this, { answer, query, selection: new Selection() });
    this.filter.value = "";
    if (answer.form === "boolean") {
      const truth = element("b", { class: "truth" }, answer.truth ? "Yes" : "No");
      this.host.replaceChildren(element("p", { class: "runline" }, truth, this.time(), this.files(TRUTHS)));
      return;
    }
    const why = answer.length ? missing(answer, query) : "";
    const notes = [answer.cut, why].filter(Boolean).map((words) => notice("cut", words));
    this.host.replaceChildren(this.line(), ...notes, ...(answer.length ? [this.tabs()] : []), this.panel);
    await this.open(this.wanted());
  }

  get isPicture(): boolean {
    return this.view !== "Table" && this.view !== "Raw" && Boolean(this.answer?.length);
  }

  get current(): View {
    return this.view;
  }

  private wanted(): View {
    const said = viewInAddress().toLowerCase();
    return possible(this.answer).find((view) => view.toLowerCase() === said) ?? chosen(this.answer, this.query);
  }

  private time(): HTMLElement {
    return element("span", {}, ` in ${this.answer.took < 1 ? `${Math.max(1, Math.round(this.answer.took * 1000))} ms` : `${this.answer.took.toFixed(1)} s`}`);
  }

  private files(forms: string[]): HTMLElement {
    const files = forms.map((form) => element("a", { href: address("/sparql", this.query, { format: form }), download: "" }, form.toUpperCase()));
    return element("span", { class: "dl" }, "Save as ", ...files.flatMap((file) => [file, " "]));
  }

  private line(): HTMLElement {
    const { answer } = this;
    const rows = element("span", {}, element("b", {}, answer.length ? counted(answer.length, answer.form === "graph" ? "triple" : "row") : "No rows"), this.time());
    const whole = element("span", {}, answer.cut ? "cut" : "complete, no limit met");
    return element("div", { class: "runline" }, rows, whole, this.filter, this.files(answer.form === "graph" ? GRAPHS : TABLES), this.pictures, this.said, this.picked);
  }

  private tabs(): HTMLElement {
    const links = possible(this.answer).map((view) => element("a", { href: `#view=${view}`, "data-view": view }, WORDS[view]));
    return element("nav", { class: "tabs", "aria-label": "Views" }, ...links);
  }

  private async open(view: View): Promise<void> {
    const turn = ++this.drawing;
    this.leave();
    Object.assign(this, { view, drawn: null, table: null });
    for (const tab of this.host.querySelectorAll<HTMLElement>(".tabs a")) {
      if (tab.dataset.view === view) tab.setAttribute("aria-current", "page");
      else tab.removeAttribute("aria-current");
    }
    this.filter.hidden = view !== "Table" || this.answer.length < 2;
    this.said.textContent = "";
    this.pictures.replaceChildren(...(this.isPicture ? this.saving() : []));
    if (!this.answer.length) {
      this.panel.replaceChildren();
      return;
    }
    const fresh = element("div");
    if (view === "Table") this.tabled(fresh);
    else if (view === "Raw") fresh.append(this.raw());
    this.panel.replaceChildren(fresh);
    if (view === "Table") this.begin();
    else if (view !== "Raw") await this.draw(view, fresh, turn);
    if (turn !== this.drawing) return;
    this.leave = this.selection.watch(() => this.tell());
    this.host.dispatchEvent(new CustomEvent("shown"));
  }

  private tabled(host: HTMLElement): void {
    this.table = new Table(this.answer, this.selection, options(this.query).hide, (words) => (this.said.textContent = words));
    host.append(this.table.node);
  }

  /** Draws the table once it is on the page. */
  private begin(): void {
    this.table!.draw();
    if (this.selection.size) this.table!.reveal();
  }

  /** Shows what is picked, in the view that is open and in words. */
  private tell(): void {
    this.drawn?.tell();
    this.table?.tell();
    const rows = this.selection.all;
    const thing = columns(this.answer).find(({ kind }) => kind === "thing");
    const term = rows.length === 1 ? this.answer.row(rows[0]!)[thing?.place ?? 0] : undefined;
    const what = term?.kind === "iri" ? anchor(term.value) : term ? words(term) : counted(rows.length, "row");
    this.picked.replaceChildren(...(rows.length ? ["Picked: ", what, " ", button("Pick nothing", () => this.selection.clear(), "link")] : []));
  }

  private raw(): HTMLElement {
    const head = this.answer.form === "graph" ? [] : [this.answer.columns.map((name) => `?${name}`).join("\t")];
    const rows = this.answer.lines.slice(0, MOST_RAW);
    const more = this.answer.length > MOST_RAW ? [element("p", { class: "quiet" }, `The first ${MOST_RAW.toLocaleString("en")} rows as they came; a download has all.`)] : [];
    return element("div", {}, element("pre", { class: "raw", tabindex: "0", "aria-label": "The answer as it came" }, element("code", {}, [...head, ...rows].join("\n"))), ...more);
  }

  /** Draws a picture, and puts the table that it is drawn from beneath it. */
  private async draw(view: View, host: HTMLElement, turn: number): Promise<void> {
    host.setAttribute("aria-busy", "true");
    const drawn = await this.picture(view, host);
    host.removeAttribute("aria-busy");
    if (turn !== this.drawing) return;
    this.drawn = drawn;
    const beneath = element("details", { class: "as-table" }, element("summary", {}, "The same as a table"));
    beneath.addEventListener("toggle", () => {
      if (!beneath.open || this.table) return;
      this.tabled(beneath);
      this.begin();
    });
    host.append(beneath);
  }

  private async picture(view: View, host: HTMLElement): Promise<Drawn> {
    const drawing: Drawing = { answer: this.answer, query: this.query, selection: this.selection };
    if (view === "Map") return (await import("./views/map")).show(host, drawing);
    if (view === "Timeline") return (await import("./views/timeline")).show(host, drawing);
    if (view === "Graph") return (await import("./views/graph")).show(host, drawing);
    return (await import("./views/chart")).show(host, drawing, view);
  }

  /** What saves the picture, once it is drawn. */
  private saving(): (Node | string)[] {
    const words = `${title(this.query)} – motorgraph, commit ${this.answer.commit || setup.commit}`;
    const save = (name: string, act: (saving: typeof import("./save"), drawn: Drawn) => unknown) =>
      button(name, async () => this.drawn && void act(await import("./save"), this.drawn), "link");
    const files = [save("SVG", ({ asSvg }, drawn) => asSvg(drawn, words)), " ", save("PNG", ({ asPng }, drawn) => asPng(drawn, words))];
    if (this.view === "Map") files.push(" ", save("GeoJSON", ({ asGeoJson }) => asGeoJson(this.answer)));
    return ["Picture as ", ...files];
  }
}

/** Finds the names of what is seen first, so that a table does not come without them and change. */
async function named(answer: Answer): Promise<void> {
  const rows = Array.from({ length: answer.form === "boolean" ? 0 : Math.min(answer.length, SEEN_FIRST) }, (_, row) => answer.row(row));
  await find(rows.flatMap((row) => row.flatMap(irisOf)));
}

export function notice(kind: string, words: string, title = ""): HTMLElement {
  return element("div", { class: `notice-box ${kind}`, ...(kind === "bad" ? { role: "alert" } : {}) }, ...(title ? [element("h2", {}, title)] : []), element("p", {}, words));
}
