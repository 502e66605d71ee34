/** What the service has told the page, and where its parts are. */
import type { Form } from "./answer";

export { button, counted, element } from "./elements";

export interface Setup {
  base: string;
  commit: number;
  at: string;
  graphs: [string[], string[]];
  seconds: number;
  rows: number;
  bytes: number;
  memory: number;
  prefixes: Record<string, string>;
  fault: { line?: number; column?: number } | null;
  answer: { form: Form; text: string; took: number } | null;
  labels: Record<string, string>;
}

export const setup: Setup = JSON.parse(document.getElementById("setup")!.textContent!);

/** The address of a query with more parameters. */
export function address(path: string, query: string, more: Record<string, string> = {}): string {
  const asked = new URLSearchParams({ query });
  if (setup.at) asked.set("at", setup.at);
  for (const iri of setup.graphs[0]) asked.append("default-graph-uri", iri);
  for (const iri of setup.graphs[1]) asked.append("named-graph-uri", iri);
  for (const [name, value] of Object.entries(more)) asked.set(name, value);
  return `${path}?${asked}`;
}
