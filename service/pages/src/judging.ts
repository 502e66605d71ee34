/** What the service says of a text: asked as it stands, given up when it is asked again. */
import { patiently } from "./patience";

export type Severity = "Violation" | "Warning" | "Info";

export interface Edit {
  line: number;
  column: number;
  length: number;
  was: string;
  text: string;
}

export interface Finding {
  severity: Severity;
  message: string;
  focus: string;
  value: string;
  expected: string;
  shape: string;
  labels: Partial<Record<"focus" | "path" | "value" | "shape", string>>;
  line?: number;
  column?: number;
  length?: number;
  suggestion?: { words: string; text: string; edits?: Edit[]; near?: string[] };
}

export interface Verdict {
  conforms: boolean;
  total: number;
  counts: Record<Severity, number>;
  statements: number;
  results: Finding[];
}

/** Why there is no verdict: a text that cannot be read says where, anything else says what would be right. */
export interface Refusal {
  title: string;
  detail: string;
  line?: number | null;
  column?: number | null;
}

/** The verdict on a form's data. What is busy is asked again when it says so, and `waits` is told. */
export async function judge(form: FormData, signal: AbortSignal, waits: (seconds: number) => void): Promise<Verdict | Refusal> {
  const response = await patiently("/validate", { method: "POST", body: form, signal, headers: { Accept: "application/json" } }, waits);
  return response.json().catch(() => ({ title: "No answer", detail: `The service answered ${response.status}.` }));
}

export const isRefusal = (told: Verdict | Refusal): told is Refusal => "detail" in told;
