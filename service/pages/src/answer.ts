/** An answer: its lines as they came, and the terms in them, which are read only where somebody looks. */
import { cellsOfTriple, term, type Term } from "./terms";

export type Form = "solutions" | "graph" | "boolean";

export class Answer {
  readonly lines: string[] = [];
  columns: string[] = [];
  /** Why there are not all of the rows; "" if there are. */
  cut = "";
  took = 0;
  commit = 0;
  truth = false;
  private rest = "";
  private hasNames = false;
  private readonly rows: (Term | undefined)[][] = [];

  constructor(readonly form: Form) {
    if (form === "graph") this.columns = ["subject", "predicate", "object"];
  }

  static of(form: Form, text: string): Answer {
    const answer = new Answer(form);
    answer.feed(text);
    answer.end();
    return answer;
  }

  /** Takes the next piece of the text. */
  feed(text: string): void {
    if (this.form === "boolean") {
      this.truth = (this.rest += text).trim() === "true";
      return;
    }
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop() ?? "";
    if (this.form === "solutions" && !this.hasNames && lines.length) {
      this.hasNames = true;
      this.columns = lines.shift()!.split("\t").filter(Boolean).map((name) => name.replace(/^\?/, ""));
    }
    for (const line of lines) this.lines.push(line);
  }

  /** There is no more. */
  end(): void {
    if (this.form === "graph" && this.rest.trim()) this.lines.push(this.rest);
    this.rest = "";
  }

  get length(): number {
    return this.lines.length;
  }

  row(number: number): (Term | undefined)[] {
    return (this.rows[number] ??= this.cells(number).map(term));
  }

  /** One term; the rest of its row is not read. */
  at(number: number, place: number): Term | undefined {
    return this.rows[number] ? this.rows[number][place] : term(this.cells(number)[place] ?? "");
  }

  /** The cells of a row as they came. */
  cells(number: number): string[] {
    const line = this.lines[number]!;
    return this.form === "graph" ? cellsOfTriple(line) : line.split("\t");
  }

  /** The terms of a column, at most so many of them. */
  *column(place: number, most = Infinity): Generator<Term> {
    for (let row = 0; row < Math.min(this.length, most); row++) {
      const found = this.row(row)[place];
      if (found) yield found;
    }
  }
}
