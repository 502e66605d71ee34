/** Suggestions under a field: a combobox with a list, by the ARIA patterns; without an answer the form works as it does anyway. */

export type Words = (string | HTMLElement)[];

/** What is suggested: its name, what tells it from others, and what happens when it is chosen. */
export interface Suggestion {
  name: Words;
  about: Words;
  take: () => void;
}

/** What is suggested for a text; for "" only when it is asked for by the arrow down. */
export type Source = (text: string, signal: AbortSignal) => Promise<Suggestion[]>;

export const MOST = 8;
const PAUSE = 120;

let boxes = 0;

export function suggest(input: HTMLInputElement, source: Source): Suggestions {
  return new Suggestions(input, source, `suggestions-${++boxes}`);
}

class Suggestions {
  private readonly list = document.createElement("ul");
  private shown: Suggestion[] = [];
  private chosen = -1;
  private pause = 0;
  private asking: AbortController | null = null;

  constructor(
    private readonly input: HTMLInputElement,
    private readonly source: Source,
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
    input.addEventListener("blur", () => this.close());
    input.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const item = (event.target as Element).closest("li");
      if (item) this.take([...this.list.children].indexOf(item));
    });
  }

  /** Suggests for what is in the field, if it stays so for a moment. */
  soon(): void {
    clearTimeout(this.pause);
    if (!this.input.value.trim()) return this.close();
    this.pause = window.setTimeout(() => void this.ask(), PAUSE);
  }

  private async ask(): Promise<void> {
    this.asking?.abort();
    if (document.activeElement !== this.input) return this.close();
    const asking = (this.asking = new AbortController());
    const found = await this.source(this.input.value.trim(), asking.signal).catch(() => []);
    if (!asking.signal.aborted) this.show(found);
  }

  private show(found: Suggestion[]): void {
    this.shown = found;
    this.list.replaceChildren(...found.map((each, at) => this.item(each, at)));
    this.choose(-1);
    this.list.hidden = found.length === 0;
    this.input.setAttribute("aria-expanded", String(found.length > 0));
  }

  private item(suggestion: Suggestion, at: number): HTMLLIElement {
    const item = document.createElement("li");
    item.id = `${this.id}-${at}`;
    item.setAttribute("role", "option");
    for (const part of ["name", "about"] as const) {
      const words = document.createElement("span");
      words.className = part;
      words.append(...suggestion[part]);
      item.append(words);
    }
    return item;
  }

  private choose(at: number): void {
    this.chosen = at;
    [...this.list.children].forEach((item, which) => item.setAttribute("aria-selected", String(which === at)));
    this.list.children[at]?.scrollIntoView({ block: "nearest" });
    if (at < 0) this.input.removeAttribute("aria-activedescendant");
    else this.input.setAttribute("aria-activedescendant", `${this.id}-${at}`);
  }

  /** Goes to another by a key; what is still to come for the last letters no longer takes away what is being chosen from. */
  private move(at: number): void {
    this.stop();
    this.choose(at);
  }

  private key(event: KeyboardEvent): void {
    if (event.isComposing) return;
    const count = this.shown.length;
    if (this.list.hidden) {
      if (event.key === "ArrowDown") void this.ask();
      return;
    }
    if (event.key === "ArrowDown") this.move(this.chosen + 1 < count ? this.chosen + 1 : -1);
    else if (event.key === "ArrowUp") this.move(this.chosen < 0 ? count - 1 : this.chosen - 1);
    else if (event.key === "Escape") this.close();
    else if (event.key === "Enter" && this.chosen >= 0) this.take(this.chosen);
    else return;
    event.preventDefault();
  }

  private take(at: number): void {
    const taken = this.shown[at];
    this.close();
    taken?.take();
  }

  private stop(): void {
    clearTimeout(this.pause);
    this.asking?.abort();
  }

  private close(): void {
    this.stop();
    this.show([]);
  }
}
