/** The answer on the page: how much there is of it, its views, what can be saved. */
import type { Answer } from "./answer";
import { chosen, possible, type View } from "./columns";
import { address, button, counted, element } from "./setup";
import { Table } from "./table";

const WORDS: Record<View, string> = { Table: "Table", Map: "Map", Timeline: "Timeline", Graph: "Graph", BarChart: "Bars", LineChart: "Lines", ScatterChart: "Points", Raw: "Raw" };
const MOST_RAW = 2000;
const TABLES = ["csv", "tsv", "json", "xml"];
const GRAPHS = ["ttl", "nt", "jsonld", "rdf"];

export function viewInAddress(): string {
  return new URLSearchParams(location.hash.slice(1)).get("view") ?? "";
}

export class Results {
  private answer!: Answer;
  private query = "";
  private view: View = "Table";
  private svg: SVGSVGElement | null = null;
  private readonly panel = element("div", { class: "panel", id: "panel" });
  private readonly pictures = element("span", { class: "dl" });
  private readonly said = element("span", { role: "status" });
  private readonly filter = element("input", { type: "search", placeholder: "Filter rows", "aria-label": "Filter rows", class: "filter" });
  private table: Table | null = null;
  private drawing = 0;

  constructor(private readonly host: HTMLElement) {
    this.filter.addEventListener("input", () => this.table?.keep(this.filter.value));
    window.addEventListener("hashchange", () => this.answer && this.open(this.wanted()));
    let width = window.innerWidth;
    window.addEventListener("resize", () => {
      if (Math.abs(window.innerWidth - width) < 40 || !this.svg) return;
      width = window.innerWidth;
      void this.open(this.view);
    });
  }

  /** Shows an answer in the view that the address, the query or the answer itself asks for. */
  async show(answer: Answer, query: string): Promise<void> {
    Object.assign(this, { answer, query });
    this.filter.value = "";
    if (answer.form === "boolean") {
      this.host.replaceChildren(element("p", { class: "runline" }, element("b", { class: "truth" }, answer.truth ? "Yes" : "No"), this.time()));
      return;
    }
    this.host.replaceChildren(this.line(), ...(answer.cut ? [notice("cut", answer.cut)] : []), this.tabs(), this.panel);
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

  private line(): HTMLElement {
    const { answer } = this;
    const rows = element("span", {}, element("b", {}, answer.length ? counted(answer.length, answer.form === "graph" ? "triple" : "row") : "No rows"), this.time());
    const whole = element("span", {}, answer.cut ? "cut" : "complete, no limit met");
    const forms = answer.form === "graph" ? GRAPHS : TABLES;
    const files = forms.map((form) => element("a", { href: address("/sparql", this.query, { format: form }), download: "" }, form.toUpperCase()));
    const save = element("span", { class: "dl" }, "Save as ", ...files.flatMap((file) => [file, " "]));
    return element("div", { class: "runline" }, rows, whole, this.filter, save, this.pictures, this.said);
  }

  private tabs(): HTMLElement {
    const links = possible(this.answer).map((view) => element("a", { href: `#view=${view}`, "data-view": view }, WORDS[view]));
    return element("nav", { class: "tabs", "aria-label": "Views" }, ...links);
  }

  private async open(view: View): Promise<void> {
    const turn = ++this.drawing;
    Object.assign(this, { view, svg: null, table: null });
    for (const tab of this.host.querySelectorAll<HTMLElement>(".tabs a")) {
      if (tab.dataset.view === view) tab.setAttribute("aria-current", "page");
      else tab.removeAttribute("aria-current");
    }
    this.filter.hidden = view !== "Table" || this.answer.length < 2;
    this.said.textContent = "";
    this.pictures.replaceChildren();
    if (!this.answer.length) {
      this.panel.replaceChildren();
      return;
    }
    const fresh = element("div");
    if (view === "Table") this.tabled(fresh);
    else if (view === "Raw") fresh.append(this.raw());
    this.panel.replaceChildren(fresh);
    if (view === "Table") this.table!.draw();
    else if (view !== "Raw") await this.draw(view, fresh, turn);
    this.host.dispatchEvent(new CustomEvent("shown"));
  }

  private tabled(host: HTMLElement): void {
    this.table = new Table(this.answer, (words) => (this.said.textContent = words));
    host.append(this.table.node);
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
    const svg = await this.drawn(view, host);
    host.removeAttribute("aria-busy");
    if (turn !== this.drawing) return;
    this.svg = svg;
    this.saveable(view, svg);
    const beneath = element("details", { class: "as-table" }, element("summary", {}, "The same as a table"));
    beneath.addEventListener("toggle", () => {
      if (!beneath.open || this.table) return;
      this.tabled(beneath);
      this.table!.draw();
    });
    host.append(beneath);
  }

  private async drawn(view: View, host: HTMLElement): Promise<SVGSVGElement> {
    if (view === "Map") return (await import("./views/map")).show(host, this.answer);
    if (view === "Timeline") return (await import("./views/timeline")).show(host, this.answer);
    if (view === "Graph") return (await import("./views/graph")).show(host, this.answer);
    return (await import("./views/chart")).show(host, this.answer, view);
  }

  private saveable(view: View, svg: SVGSVGElement): void {
    const save = async () => import("./save");
    const files = [button("SVG", async () => (await save()).asSvg(svg), "link"), " ", button("PNG", async () => (await save()).asPng(svg), "link")];
    if (view === "Map") files.push(" ", button("GeoJSON", async () => (await save()).asGeoJson(this.answer), "link"));
    this.pictures.replaceChildren("Picture as ", ...files);
  }
}

export function notice(kind: string, words: string, title = ""): HTMLElement {
  return element("div", { class: `notice-box ${kind}`, ...(kind === "bad" ? { role: "alert" } : {}) }, ...(title ? [element("h2", {}, title)] : []), element("p", {}, words));
}
