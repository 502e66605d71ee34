/** The report beside the text: the verdict, and each finding with its line, what would be right, and the edit that makes it so. */
import { type Finding, isRefusal, type Refusal, type Severity, type Verdict } from "./judging";
import { button, counted, element } from "./setup";

const GRAVEST: Severity[] = ["Violation", "Warning", "Info"];

export interface Chosen {
  goTo: (place: number) => void;
  mend: (finding: Finding) => void;
}

export class Report {
  private items: HTMLElement[] = [];

  constructor(
    private readonly host: HTMLElement,
    private readonly chosen: Chosen,
  ) {}

  /** Shows what the service has said. */
  show(told: Verdict | Refusal, findings: Finding[]): void {
    this.items = findings.map((finding, place) => this.item(finding, place));
    const more = isRefusal(told) || told.total <= findings.length ? [] : [element("p", { class: "notice" }, `The first ${findings.length} of ${counted(told.total, "finding")}.`)];
    const refusal = isRefusal(told) && !told.line ? [element("p", {}, told.detail)] : [];
    this.host.replaceChildren(...refusal, ...(findings.length ? [element("ul", { class: "found" }, ...this.items)] : []), ...more);
    this.host.scrollTop = 0;
  }

  clear(): void {
    this.items = [];
    this.host.replaceChildren();
  }

  /** Shows which findings stand where the text is looked at. */
  meet(places: number[]): void {
    this.items.forEach((item, place) => item.classList.toggle("met", places.includes(place)));
    const first = this.items[places[0] ?? -1];
    if (first) this.host.scrollTop = first.offsetTop - this.host.offsetTop - 16;
  }

  private item(finding: Finding, place: number): HTMLElement {
    const { labels, suggestion, line } = finding;
    const head = element("p", {}, mark(finding.severity), " ", labels.shape ?? "", labels.focus ? ` at ${labels.focus}` : "");
    if (line) head.append(" ", button(`Line ${line}`, () => this.chosen.goTo(place), "plain-btn"));
    const parts: HTMLElement[] = [head, element("p", {}, finding.message)];
    const value = labels.value ? `${labels.value} (${finding.value})` : finding.value;
    if (value && !finding.length) parts.push(element("p", { class: "quiet" }, `Found: ${value}`));
    if (finding.expected && !suggestion) parts.push(element("p", { class: "quiet" }, `Expected: ${finding.expected}`));
    if (suggestion) parts.push(element("p", {}, suggestion.words), element("code", { class: "right" }, suggestion.text));
    if (suggestion?.near && suggestion.near.length > 1) parts.push(element("p", { class: "quiet" }, `Or ${suggestion.near.slice(1).join(", ")}`));
    if (suggestion?.edits) parts.push(button("Write it so", () => this.chosen.mend(finding), "btn"));
    return element("li", {}, ...parts);
  }
}

/** The verdict in a few words, as the page without scripts has it. */
export function verdict(told: Verdict | Refusal): (Node | string)[] {
  if (isRefusal(told)) return [element("b", {}, told.line ? "Cannot be read." : `${told.title}.`)];
  const warnings = told.counts.Warning ? `, with ${counted(told.counts.Warning, "warning")}` : "";
  const words = told.conforms ? `Would be accepted${warnings}.` : "Would be refused.";
  const counts = GRAVEST.filter((severity) => told.counts[severity]).map((severity) => mark(severity, counted(told.counts[severity], severity.toLowerCase())));
  return [element("b", {}, words), ...counts.flatMap((each) => [" ", each]), " ", element("span", { class: "quiet" }, `${counted(told.statements, "statement")} judged.`)];
}

/** The mark of a severity as the page has drawn it, with other words if need be. */
function mark(severity: Severity, words?: string): Node {
  const drawn = document.querySelector<HTMLTemplateElement>("#marks")!.content.querySelector(`[data-of="${severity}"]`)!.firstElementChild!;
  const made = drawn.cloneNode(true) as Element;
  if (words) made.lastChild!.replaceWith(words);
  return made;
}
