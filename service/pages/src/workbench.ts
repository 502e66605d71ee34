/** The page: asks what is written, shows what comes, remembers it. */
import { Answer } from "./answer";
import { ask, Refused } from "./ask";
import { Editor, type Fault } from "./editor";
import { forget, past, remember, title } from "./past";
import { expanded, prefixesOf } from "./pattern";
import { notice, Results } from "./results";
import { address, button, counted, element, setup } from "./setup";
import { shortened } from "./names";
import { written } from "./terms";

const SAID_AFTER_MS = 300;
const LONGEST_ADDRESS = 60_000;
const [LEAST_LINES, MOST_LINES] = [12, 28];

export class Workbench {
  private readonly form: HTMLFormElement;
  private readonly field: HTMLTextAreaElement;
  private readonly state: HTMLElement;
  private readonly results: Results;
  private readonly shown: HTMLElement;
  private readonly editor: Editor;
  private readonly stopper: HTMLButtonElement;
  private readonly checked = element("p", { class: "checked", role: "status" });
  private running: AbortController | null = null;
  private commit = setup.commit;
  private readonly resting: string;

  constructor(private readonly host: HTMLElement) {
    this.form = host.querySelector("#ask")!;
    this.field = host.querySelector("#query")!;
    this.state = host.querySelector("#state")!;
    this.shown = host.querySelector("#results")!;
    this.resting = this.state.textContent!;
    this.results = new Results(this.shown);
    this.stopper = host.querySelector("#stop")!;
    this.form.querySelector(".keys")!.before(this.checked);
    this.form.querySelector(".folded-title")!.textContent = title(this.field.value);
    const editing = { text: this.field.value, run: () => void this.ask(), stop: () => this.stop(), checked: (fault: Fault | null) => this.tell(fault), grown: (lines: number) => this.grow(lines) };
    this.editor = new Editor(host.querySelector("#editor")!, editing);
    host.classList.add("ready");
    const acts: [string, () => void][] = [["stop", () => this.stop()], ["share", () => this.share()], ["code", () => void this.code()], ["unfold", () => this.fold(false)]];
    for (const [id, act] of acts) host.querySelector(`#${id}`)!.addEventListener("click", act);
    this.form.addEventListener("submit", (event) => this.submitted(event));
    host.addEventListener("click", (event) => this.example(event));
    host.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.stop();
    });
    window.addEventListener("popstate", () => this.returned());
  }

  /** Takes over what the service has put on the page. */
  begin(): void {
    this.history();
    if (setup.fault?.line) this.editor.mark({ ...setup.fault, detail: this.shown.querySelector("p")?.textContent ?? "" });
    if (setup.answer) {
      const answer = Answer.of(setup.answer.form, setup.answer.text);
      Object.assign(answer, { took: setup.answer.took, commit: setup.commit });
      void this.show(answer, this.editor.text);
    } else if (new URLSearchParams(location.search).has("query") && !setup.fault) void this.ask({ moves: false });
    if (!location.search && matchMedia("(min-width: 60rem)").matches) this.editor.focus();
  }

  /** The place of the editor is that of the field beneath it. */
  private grow(lines: number): void {
    this.field.rows = Math.max(LEAST_LINES, Math.min(MOST_LINES, lines + 1));
  }

  private submitted(event: SubmitEvent): void {
    event.preventDefault();
    if ((event.submitter as HTMLButtonElement | null)?.formAction.endsWith("/cite")) location.assign(address("/cite", this.editor.text, { at: this.seen }));
    else void this.ask();
  }

  private example(event: MouseEvent): void {
    const anchor = (event.target as Element).closest<HTMLAnchorElement>("a[data-example]");
    if (!anchor || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.editor.text = new URL(anchor.href).searchParams.get("query") ?? "";
    void this.ask();
  }

  private returned(): void {
    const query = new URLSearchParams(location.search).get("query");
    if (query === null || query === this.editor.text) return;
    this.editor.text = query;
    void this.ask({ moves: false });
  }

  /** The commit or time that what is seen is of. */
  private get seen(): string {
    return setup.at || String(this.commit);
  }

  private tell(fault: Fault | null): void {
    const isTold = fault !== null && this.shown.querySelector("[role=alert]")?.textContent?.includes(fault.detail);
    this.checked.textContent = fault && !isTold ? fault.detail : "";
  }

  private stop(): void {
    this.running?.abort();
  }

  private async ask({ moves = true } = {}): Promise<void> {
    this.running?.abort();
    const query = this.editor.text;
    const running = (this.running = new AbortController());
    const progress = this.progress();
    if (moves) this.move(query);
    try {
      const answer = await ask(query, running.signal, (so) => progress.rows(so.length));
      if (this.running === running) await this.show(answer, query);
    } catch (error) {
      if (this.running === running) this.failed(error, running.signal.aborted);
    } finally {
      progress.end();
      if (this.running === running) this.running = null;
    }
  }

  /** The address says what is asked, unless it would be too long for one. */
  private move(query: string): void {
    const next = address("/sparql", query);
    if (next.length > LONGEST_ADDRESS || next === location.pathname + location.search) return;
    history.pushState(null, "", next);
  }

  /** After a moment says how far it is: rows so far, and the time used of what there is. The old answer stays, greyed. */
  private progress(): { rows: (count: number) => void; end: () => void } {
    const started = performance.now();
    let rows = 0;
    const bar = element("progress", { max: String(setup.seconds), "aria-label": "Time used" });
    const words = element("span");
    const tell = () => {
      const seconds = (performance.now() - started) / 1000;
      words.textContent = `${rows ? `${counted(rows, "row")} so far, ` : ""}${seconds.toFixed(1)} s of ${setup.seconds} s`;
      bar.value = seconds;
    };
    let timer = 0;
    const begun = window.setTimeout(() => {
      this.shown.setAttribute("aria-busy", "true");
      this.stopper.hidden = false;
      this.state.replaceChildren(words, bar);
      tell();
      timer = window.setInterval(tell, 100);
    }, SAID_AFTER_MS);
    return {
      rows: (count) => (rows = count),
      end: () => {
        clearTimeout(begun);
        clearInterval(timer);
        this.shown.removeAttribute("aria-busy");
        this.state.textContent = this.resting;
        this.stopper.hidden = true;
      },
    };
  }

  private async show(answer: Answer, query: string): Promise<void> {
    this.commit = answer.commit || setup.commit;
    remember({ query, rows: answer.length, commit: this.commit, at: Date.now() });
    this.history();
    this.tell(null);
    document.title = `${title(query)} – motorgraph`;
    const why = answer.form !== "boolean" && !answer.length && !answer.cut ? await this.unknown(query) : "";
    await this.results.show(answer, query);
    if (why) this.shown.append(notice("cut", why));
    if (!this.results.isPicture) this.fold(false);
  }

  /** Says of an answer without rows which of the things that the query names the graph does not know. */
  private async unknown(query: string): Promise<string> {
    const prefixes = prefixesOf(query);
    const bare = query.replace(/#[^\n]*|"(?:[^"\\\n]|\\.)*"|prefix\s+\S+\s*<[^>]*>/gi, " ");
    const names = [...bare.matchAll(/<[^<>\s]+>|[\w-]+:[\w.-]*\w/g)].map(([name]) => expanded(name, prefixes)).filter((iri) => /^https?:/.test(iri));
    const wanted = [...new Set(names)].slice(0, 50);
    if (!wanted.length) return "";
    const unknown = await ask(`SELECT ?iri { VALUES ?iri { ${wanted.map(written).join(" ")} }
      FILTER NOT EXISTS { ?iri ?p ?o } FILTER NOT EXISTS { ?s ?iri ?o } FILTER NOT EXISTS { ?s ?p ?iri } FILTER NOT EXISTS { GRAPH ?iri { ?s ?p ?o } } }`).catch(() => null);
    const said = [...(unknown?.column(0) ?? [])].map(({ value }) => shortened(value) || value);
    return said.length ? `The graph says nothing of ${said.join(", ")}, and nothing in it uses ${said.length > 1 ? "them" : "it"}.` : "";
  }

  private failed(error: unknown, wasStopped: boolean): void {
    if (wasStopped) this.shown.replaceChildren(notice("cut", "Stopped by you before there were any rows."));
    else if (error instanceof Refused) {
      this.shown.replaceChildren(notice("bad", error.detail, error.title));
      this.fold(false);
      if (error.line) {
        this.editor.mark(error);
        this.editor.focus();
      }
    } else this.shown.replaceChildren(notice("bad", "The service cannot be reached, or the connection broke. What is written stays here: run it again.", "No answer"));
  }

  private fold(folds: boolean): void {
    this.host.classList.toggle("folded", folds);
    if (!folds && document.activeElement?.classList.contains("unfold")) this.editor.focus();
  }

  private share(): void {
    const pinned = link(this.editor.text, this.seen);
    const open = link(this.editor.text, "");
    if (this.shown.querySelector(".tabs")) for (const each of [pinned, open]) each.hash = `view=${this.results.current}`;
    const when = /^\d+$/.test(this.seen) ? `commit ${this.seen}` : this.seen;
    dialog(
      "Share link",
      shared(`As it is at ${when}`, "Whoever opens it sees this answer, whatever is changed later.", pinned),
      shared("Always the newest", "Whoever opens it sees what the graph says then.", open),
      element("p", {}, element("a", { href: address("/cite", this.editor.text, { at: this.seen }) }, `How to cite it at ${when}`)),
    );
  }

  private async code(): Promise<void> {
    const { LANGUAGES } = await import("./code");
    const text = element("code");
    const names = Object.keys(LANGUAGES);
    const tabs = names.map((name) => button(name, () => choose(name), "choice"));
    const choose = (name: string) => {
      text.textContent = LANGUAGES[name]!(this.editor.text);
      tabs.forEach((tab) => tab.setAttribute("aria-pressed", String(tab.textContent === name)));
    };
    choose(names[0]!);
    dialog("Use from code", element("p", { class: "choices" }, ...tabs), element("pre", { tabindex: "0", "aria-label": "Program" }, text), copying(() => text.textContent ?? ""));
  }

  private history(): void {
    const box = this.host.querySelector<HTMLElement>("#history")!;
    const all = past();
    const items = all.slice(0, 6).map(({ query, rows, commit }) =>
      element("li", {}, element("a", { href: address("/sparql", query), "data-example": "" }, title(query)), element("span", { class: "quiet" }, `${counted(rows, "row")}, commit ${commit}`)),
    );
    const clear = button("Forget them", () => {
      forget();
      this.history();
    }, "link");
    if (!items.length) items.push(element("li", { class: "quiet" }, "None yet."));
    const kept = element("p", { class: "quiet" }, "Kept in this browser only. ", ...(all.length ? [clear] : []));
    box.replaceChildren(element("h2", {}, "Your last queries"), element("ul", { class: "examples" }, ...items), kept);
  }
}

function link(query: string, at: string): URL {
  const made = new URL(address("/sparql", query), location.href);
  if (at) made.searchParams.set("at", at);
  else made.searchParams.delete("at");
  return made;
}

function shared(heading: string, says: string, { href }: URL): HTMLElement {
  const field = element("input", { type: "text", readonly: "", value: href, "aria-label": heading });
  field.addEventListener("focus", () => field.select());
  return element("div", { class: "shared" }, element("h3", {}, heading), element("p", {}, says), element("div", { class: "row" }, field, copying(() => href)));
}

/** A button that copies, and says so; where the browser does not let it, it says that. */
function copying(text: () => string): HTMLButtonElement {
  const copied = (words: string) => () => void (copy.textContent = words);
  const copy = button("Copy", () => void Promise.resolve(navigator.clipboard?.writeText(text()) ?? Promise.reject()).then(copied("Copied"), copied("Copy it by hand")));
  return copy;
}

function dialog(heading: string, ...content: Node[]): void {
  const made = element("dialog", { class: "sheet", "aria-label": heading }, element("h2", {}, heading), ...content);
  made.append(" ", button("Close", () => made.close()));
  made.addEventListener("close", () => made.remove());
  document.body.append(made);
  made.showModal();
}
