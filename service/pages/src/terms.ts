/** Terms as TSV and N-Triples write them, one line a row. */

export const XSD = "http://www.w3.org/2001/XMLSchema#";
export const TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";

export interface Term {
  kind: "iri" | "literal" | "blank" | "triple";
  value: string;
  datatype: string;
  language: string;
}

const ESCAPES: Record<string, string> = { t: "\t", b: "\b", n: "\n", r: "\r", f: "\f", '"': '"', "'": "'", "\\": "\\" };
const ESCAPED = /\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))/g;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

function unescaped(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(ESCAPED, (_, short: string, long: string, one: string) =>
    one === undefined ? String.fromCodePoint(parseInt(short ?? long, 16)) : (ESCAPES[one] ?? one),
  );
}

const made = (kind: Term["kind"], value: string, datatype = "", language = ""): Term => ({ kind, value, datatype, language });

/** The term in a cell; undefined for an empty one. */
export function term(cell: string): Term | undefined {
  if (cell === "") return undefined;
  if (cell.startsWith("<<")) return made("triple", cell);
  if (cell.startsWith("<")) return made("iri", unescaped(cell.slice(1, -1)));
  if (cell.startsWith("_:")) return made("blank", cell);
  if (cell.startsWith('"')) return literal(cell);
  if (cell === "true" || cell === "false") return made("literal", cell, `${XSD}boolean`);
  if (NUMBER.test(cell)) return made("literal", cell, XSD + (/[eE]/.test(cell) ? "double" : cell.includes(".") ? "decimal" : "integer"));
  return made("literal", cell, `${XSD}string`);
}

function literal(cell: string): Term {
  const end = cell.lastIndexOf('"');
  const behind = cell.slice(end + 1);
  const value = unescaped(cell.slice(1, end));
  if (behind.startsWith("@")) return made("literal", value, "", behind.slice(1));
  return made("literal", value, behind.startsWith("^^<") ? behind.slice(3, -1) : `${XSD}string`);
}

const PART = /<<\(|\)>>|<[^<>\s]*>|"(?:[^"\\]|\\.)*"(?:@[\w-]+|\^\^<[^<>\s]*>)?|[^\s()]+/g;

/** The three terms of a triple term. */
export function partsOf({ value }: Term): Term[] {
  const parts: string[] = [];
  let depth = 0;
  for (const [part] of value.matchAll(PART)) {
    if (part === ")>>") depth -= 1;
    if (depth > 1 || (depth === 1 && part === ")>>")) parts.push(`${parts.pop()} ${part}`);
    else if (depth === 1) parts.push(part);
    if (part === "<<(") depth += 1;
  }
  return parts.flatMap((part) => term(part) ?? []);
}

/** The IRIs in a term. */
export function irisOf(term: Term | undefined): string[] {
  if (term?.kind === "triple") return partsOf(term).flatMap(irisOf);
  return term?.kind === "iri" ? [term.value] : [];
}

/** The three cells of a line of N-Triples. */
export function cellsOfTriple(line: string): string[] {
  const first = line.startsWith("<<(") ? line.indexOf(")>>") + 3 : line.indexOf(" ");
  const second = line.indexOf(" ", first + 1);
  return [line.slice(0, first), line.slice(first + 1, second), line.slice(second + 1).replace(/\s*\.\s*$/, "")];
}

const NUMERIC = new Set(["integer", "decimal", "double", "float", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger"]);
const DATES = new Set(["date", "dateTime", "gYear", "gYearMonth", "dateTimeStamp"]);

const local = (term: Term) => (term.datatype.startsWith(XSD) ? term.datatype.slice(XSD.length) : "");
export const isNumber = (term: Term) => term.kind === "literal" && NUMERIC.has(local(term));
export const isDate = (term: Term) => term.kind === "literal" && DATES.has(local(term));

/** The moment of a date in milliseconds, NaN for what is none. A year or a month is its first day. */
export function moment(term: Term): number {
  const text = term.value;
  if (/^-?\d{4,}$/.test(text)) return Date.UTC(Number(text), 0, 1);
  return Date.parse(/T/.test(text) ? text : text.replace(/(\d\d)(Z|[+-]\d\d:\d\d)$/, "$1"));
}

/** A term as SPARQL writes it. */
export function written(iri: string): string {
  return `<${iri.replace(/[\x00-\x20<>"{}|^`\\]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`)}>`;
}

export function writtenText(text: string): string {
  return `"${text.replace(/["\\\n\r\t]/g, (c) => ({ '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" })[c]!)}"`;
}
