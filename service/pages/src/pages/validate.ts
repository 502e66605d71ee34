/** The page that judges, with scripts: an editor in place of the text field, the report beside it, judged as it is typed, files dropped anywhere. */
import { isRefusal, judge, type Finding, type Refusal, type Verdict } from "../judging";
import { Report, verdict } from "../report";
import { element } from "../setup";
import { Sheet } from "../sheet";

const JUDGED_AFTER_MS = 700;
const SAID_AFTER_MS = 300;
const MOST_AS_TYPED = 200_000;

class Judging {
  private readonly field: HTMLTextAreaElement;
  private readonly type: HTMLSelectElement;
  private readonly state = element("p", { class: "sum", role: "status" });
  private readonly typed = element("input", { type: "checkbox", checked: "" });
  private readonly sheet: Sheet;
  private readonly report: Report;
  private running: AbortController | null = null;
  private timer = 0;

  constructor(private readonly form: HTMLFormElement) {
    this.field = form.querySelector("#data")!;
    this.type = form.querySelector("#type")!;
    const place = element("div", { class: "sheet" });
    const panel = element("div", { class: "report" });
    const beside = element("div", { class: "judging" }, this.state, place, element("section", { "aria-label": "Report" }, panel));
    this.field.after(beside);
    this.field.hidden = true;
    this.report = new Report(panel, { goTo: (at) => this.sheet.goTo(at), mend: (finding) => this.mend(finding) });
    this.sheet = new Sheet(place, { text: this.field.value, changed: () => this.changed(), met: (places) => this.report.meet(places) });
    document.querySelector("section.verdict")?.remove();
    this.bar();
    this.listen();
    if (this.sheet.text.trim()) void this.judge();
    else this.rest();
  }

  private bar(): void {
    const formats = [...this.form.ownerDocument.querySelectorAll<HTMLElement>("#reports > *")];
    const keys = element("span", { class: "quiet" }, element("kbd", {}, "F8"), " next finding, ", element("kbd", {}, "Shift F8"), " the one before");
    this.form.querySelector(":scope > .btns")!.append(element("label", {}, this.typed, " Judge as I type"), ...formats, keys);
  }

  private listen(): void {
    this.form.addEventListener("submit", (event) => {
      this.field.value = this.sheet.text;
      if ((event.submitter as HTMLButtonElement | null)?.name === "format") return;
      event.preventDefault();
      void this.judge();
    });
    for (const name of ["#type", "#shapes", "[name=alone]"]) this.form.querySelector(name)?.addEventListener("change", () => void this.judge());
    const input = this.form.querySelector<HTMLInputElement>("#file")!;
    input.addEventListener("change", () => {
      if (input.files?.[0]) void this.take(input.files[0]).then(() => (input.value = ""));
    });
    document.addEventListener("dragover", (event) => event.dataTransfer?.types.includes("Files") && event.preventDefault());
    document.addEventListener("drop", (event) => {
      const file = event.dataTransfer?.files[0];
      if (!file) return;
      event.preventDefault();
      void this.take(file);
    }, { capture: true });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "F8" || event.defaultPrevented) return;
      event.preventDefault();
      this.sheet.step(event.shiftKey);
    });
  }

  /** Puts a file's text into the editor; what is no text is for the service to name. */
  private async take(file: File): Promise<void> {
    const bytes = await file.arrayBuffer();
    let text = "";
    try {
      text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      text = "\0";
    }
    if (text.includes("\0") || bytes.byteLength > Number(this.form.dataset.bytes)) return this.judge(file);
    const suffix = file.name.toLowerCase().split(".").pop() ?? "";
    this.type.value = [...this.type.options].some((option) => option.value === suffix) ? suffix : "";
    this.sheet.text = text;
    return this.judge();
  }

  private changed(): void {
    window.clearTimeout(this.timer);
    if (!this.typed.checked || this.sheet.text.length > MOST_AS_TYPED) return;
    this.timer = window.setTimeout(() => void this.judge(), JUDGED_AFTER_MS);
  }

  private mend(finding: Finding): void {
    if (this.sheet.mend(finding.suggestion!.edits!)) void this.judge();
    else this.state.textContent = "The text is no longer what this was meant for. Check it again.";
  }

  private async judge(file?: File): Promise<void> {
    window.clearTimeout(this.timer);
    this.running?.abort();
    if (!file && !this.sheet.text.trim()) return this.rest();
    const running = (this.running = new AbortController());
    const said = window.setTimeout(() => (this.state.textContent = "Being judged …"), SAID_AFTER_MS);
    try {
      const told = await judge(this.sent(file), running.signal, (seconds) => (this.state.textContent = `The service is busy; it is asked again in ${seconds} s.`));
      if (this.running === running) this.show(told);
    } catch {
      if (this.running === running) this.show({ title: "No answer", detail: "The service cannot be reached, or the connection broke. Check again." });
    } finally {
      window.clearTimeout(said);
    }
  }

  private sent(file?: File): FormData {
    this.field.value = this.sheet.text;
    const sent = new FormData(this.form);
    if (file) sent.delete("data");
    if (file) sent.set("file", file);
    else sent.delete("file");
    return sent;
  }

  private show(told: Verdict | Refusal): void {
    const findings = isRefusal(told) ? (told.line ? [fault(told)] : []) : told.results;
    this.state.replaceChildren(...verdict(told));
    this.report.show(told, findings);
    this.sheet.show(findings);
  }

  private rest(): void {
    this.state.textContent = "Type, paste, or drop a file anywhere on the page.";
    this.report.clear();
    this.sheet.show([]);
  }
}

/** A mistake in the syntax as a finding. */
function fault({ detail, line, column }: Refusal): Finding {
  return { severity: "Violation", message: detail, focus: "", value: "", expected: "", shape: "", labels: { shape: "Syntax" }, line: line!, ...(column ? { column, length: 1 } : {}) };
}

const form = document.querySelector<HTMLFormElement>("#try");
if (form) new Judging(form);
