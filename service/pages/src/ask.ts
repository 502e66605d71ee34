/** Asks the service: rows are taken as they come, so that their number can be shown and the rest be stopped. */
import { Answer, type Form } from "./answer";
import { counted, setup } from "./setup";

const TABLE = "text/tab-separated-values";
const GRAPH = "application/n-triples";
/** More rows than this no page holds: a download has them all. */
export const MOST_ROWS = 1_000_000;

/** The service said no. */
export class Refused extends Error {
  constructor(
    readonly title: string,
    readonly detail: string,
    readonly status: number,
    readonly line?: number,
    readonly column?: number,
  ) {
    super(detail);
  }
}

function form(query: string): URLSearchParams {
  const asked = new URLSearchParams({ query });
  if (setup.at) asked.set("at", setup.at);
  for (const iri of setup.graphs[0]) asked.append("default-graph-uri", iri);
  for (const iri of setup.graphs[1]) asked.append("named-graph-uri", iri);
  return asked;
}

/** The answer to a query. Raises Refused, or the AbortError of the signal before there is any of it. */
export async function ask(query: string, signal?: AbortSignal, told: (answer: Answer) => void = () => {}): Promise<Answer> {
  const started = performance.now();
  const response = await fetch("/sparql", { method: "POST", body: form(query), headers: { Accept: `${TABLE}, ${GRAPH}` }, signal: signal ?? null });
  if (!response.ok) throw await refused(response);
  const answer = new Answer(formOf(response));
  answer.commit = Number(response.headers.get("X-Commit") ?? 0);
  await read(response, answer, started, told);
  answer.took = (performance.now() - started) / 1000;
  return answer;
}

function formOf(response: Response): Form {
  return response.headers.get("Content-Type")?.startsWith(GRAPH) ? "graph" : "solutions";
}

const MIB = 1 << 20;
/** Bytes that were still on their way: the piece with which a limit is met does not come any more. */
const LOST = 4 * (64 << 10);
const WAYS = "Ask for less: a LIMIT with ORDER BY and OFFSET, fewer variables, a narrower pattern.";

/** Why an answer broke off: by how much of it had come, since nothing can be said once it has begun. */
function broken(rows: number, bytes: number, seconds: number): string {
  const most = (count: number) => count + (count / Math.max(bytes, 1)) * LOST;
  if (most(rows) >= setup.rows) return `The limit of ${counted(setup.rows, "row")} an answer was met. ${WAYS}`;
  if (most(bytes) >= setup.bytes * MIB) return `The limit of ${setup.bytes} MiB an answer was met. ${WAYS}`;
  if (seconds >= 0.95 * setup.seconds) return `The limit of ${setup.seconds} seconds was met. ${WAYS}`;
  const limits = `${counted(setup.rows, "row")}, ${setup.bytes} MiB, ${setup.seconds} seconds, or ${setup.memory} MiB of memory`;
  return `The answer broke off: it met one of the limits (${limits}), or the connection broke. ${WAYS}`;
}

async function read(response: Response, answer: Answer, started: number, told: (answer: Answer) => void): Promise<void> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let first = true;
  let bytes = 0;
  let target = answer;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (first && /^(true|false)\s*$/.test(value)) Object.assign(target, { form: "boolean" });
      first = false;
      bytes += value.length;
      target.feed(value);
      told(target);
      if (target.length > MOST_ROWS) {
        target.lines.length = MOST_ROWS;
        target.cut = `This page holds ${MOST_ROWS.toLocaleString("en")} rows; a download holds all.`;
        await reader.cancel();
        return;
      }
    }
    target.end();
  } catch (error) {
    const isStopped = error instanceof DOMException && error.name === "AbortError";
    target.cut = isStopped ? "Stopped by you: these rows had come by then." : `${broken(target.length, bytes, (performance.now() - started) / 1000)} These rows had come by then.`;
  }
}

export async function refused(response: Response): Promise<Refused> {
  const told = await response.json().catch(() => ({}));
  const { title = `Status ${response.status}`, detail = "", line, column } = told as Record<string, never>;
  return new Refused(title, detail, response.status, line, column);
}
