/** Suggestions under a search box: a combobox with a list, by the ARIA patterns; without an answer the form works as it does anyway. */

interface Hit {
  iri: string;
  page: string;
  label: string;
  kind_label: string;
  note: string;
  alias?: string;
  match: [number, number][];
}

const MOST = 8;
const PAUSE = 120;

let boxes = 0;

export function suggest(input: HTMLInputElement): void {
  new Suggestions(input, `suggestions-${++boxes}`);
}

class Suggestions {
  private readonly list = document.createElement("ul");
  private hits: Hit[] = [];
  private chosen = -1;
  private pause = 0;
  private asking: AbortController | null = null;

  constructor(
    private readonly input: HTMLInputElement,
    private readonly id: string,
  ) {
    this.list.id = id;
    this.list.className = "suggestions";
    this.list.hidden = true;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "Suggestions");
    input.after(this.list);
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", id);
    input.setAttribute("aria-expanded", "false");
    input.addEventListener("input", () => this.soon());
    input.addEventListener("focus", () => this.soon());
    input.addEventListener("blur", () => this.close());
    input.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const item = (event.target as Element).closest("li");
      if (item) this.go([...this.list.children].indexOf(item));
    });
  }

  private soon(): void {
    clearTimeout(this.pause);
    this.pause = window.setTimeout(() => void this.ask(), PAUSE);
  }

  private async ask(): Promise<void> {
    this.asking?.abort();
    const text = this.input.value.trim();
    if (!text || document.activeElement !== this.input) return this.close();
    const asking = (this.asking = new AbortController());
    const address = `/search?${new URLSearchParams({ q: text, limit: String(MOST) })}`;
    try {
      const answer = await fetch(address, { headers: { Accept: "application/json" }, signal: asking.signal });
      if (answer.ok) this.show(((await answer.json()) as { hits: Hit[] }).hits);
      else this.close();
    } catch {
      if (!asking.signal.aborted) this.close();
    }
  }

  private show(hits: Hit[]): void {
    this.hits = hits;
    this.list.replaceChildren(...hits.map((hit, at) => this.item(hit, at)));
    this.choose(-1);
    this.list.hidden = hits.length === 0;
    this.input.setAttribute("aria-expanded", String(hits.length > 0));
  }

  private item(hit: Hit, at: number): HTMLLIElement {
    const item = document.createElement("li");
    item.id = `${this.id}-${at}`;
    item.setAttribute("role", "option");
    const name = document.createElement("span");
    name.className = "name";
    name.append(...(hit.alias === undefined ? marked(hit.label, hit.match) : [hit.label]));
    const about = document.createElement("span");
    about.className = "about";
    if (hit.alias !== undefined) about.append("also ", ...marked(hit.alias, hit.match), ", ");
    about.append([hit.kind_label, hit.note].filter(Boolean).join(", "));
    item.append(name, about);
    return item;
  }

  private choose(at: number): void {
    this.chosen = at;
    [...this.list.children].forEach((item, which) => item.setAttribute("aria-selected", String(which === at)));
    if (at < 0) this.input.removeAttribute("aria-activedescendant");
    else this.input.setAttribute("aria-activedescendant", `${this.id}-${at}`);
  }

  private key(event: KeyboardEvent): void {
    if (this.list.hidden || event.isComposing) return;
    const count = this.hits.length;
    if (event.key === "ArrowDown") this.choose(this.chosen + 1 < count ? this.chosen + 1 : -1);
    else if (event.key === "ArrowUp") this.choose(this.chosen < 0 ? count - 1 : this.chosen - 1);
    else if (event.key === "Escape") this.close();
    else if (event.key === "Enter" && this.chosen >= 0) this.go(this.chosen);
    else return;
    event.preventDefault();
  }

  private go(at: number): void {
    const hit = this.hits[at];
    if (hit) location.assign(hit.page || hit.iri);
  }

  private close(): void {
    clearTimeout(this.pause);
    this.asking?.abort();
    this.show([]);
  }
}

/** A text with what matched in <mark>. */
function marked(text: string, spans: [number, number][]): (string | HTMLElement)[] {
  const letters = [...text];
  const parts: (string | HTMLElement)[] = [];
  let at = 0;
  for (const [start, end] of spans) {
    const mark = document.createElement("mark");
    mark.textContent = letters.slice(start, end).join("");
    parts.push(letters.slice(at, start).join(""), mark);
    at = end;
  }
  return [...parts, letters.slice(at).join("")];
}
