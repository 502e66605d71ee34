/** What a text of SPARQL has said up to a place: what is expected there, and of what classes its variables are. */
import { TYPE } from "./terms";

export type Expected = "subject" | "property" | "value" | "graph" | "expression" | "other";

export interface Place {
  expected: Expected;
  subject: string;
  property: string;
  /** The property whose value a path goes on from, "" for the first of a path. */
  through: string;
  /** The classes that a variable or thing is said to be of, by how it is written. */
  classes: Map<string, Set<string>>;
  /** The properties whose value a variable is. */
  valueOf: Map<string, Set<string>>;
  variables: Set<string>;
  prefixes: Map<string, string>;
}

const TOKEN = /#[^\n]*|"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|<[^<>"{}|^`\\\s]*>|[?$]\w+|[\w-]*:[\w.\-%\\]*[\w\-%]|[\w-]*:|\w+|\S/g;
const WORDS = /^(?:optional|minus|graph|service|filter|bind|values|union|where|exists|not|select|construct|ask|describe|prefix|base|from|named|distinct|group|order|by|having|limit|offset|lateral|silent)$/i;
const PATHS = new Set(["/", "|", "^", "*", "+", "?", "!"]);

/** The IRI of a term as it is written, "" if it is no IRI or its prefix is not declared. */
export function expanded(written: string, prefixes: Map<string, string>): string {
  if (written === "a") return TYPE;
  if (written.startsWith("<")) return written.slice(1, -1);
  const colon = written.indexOf(":");
  const space = colon < 0 ? undefined : prefixes.get(written.slice(0, colon));
  return space === undefined ? "" : space + written.slice(colon + 1);
}

export function prefixesOf(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, prefix, space] of text.matchAll(/\bprefix\s+([\w-]*):\s*<([^>]*)>/gi)) found.set(prefix!, space!);
  return found;
}

/** Reads triples in their order. No triple is written in round brackets, but there may be a group within them. */
class Reading {
  expected: Expected = "other";
  subject = "";
  property = "";
  through = "";
  private depth = 0;
  private isData = false;
  private readonly outer: [Expected, string, string][] = [];
  private readonly depths: number[] = [];

  constructor(private readonly note: (subject: string, property: string, value: string) => void) {}

  take(token: string): void {
    if (token.startsWith("#")) return;
    if (token === "{") this.open();
    else if (token === "}") this.close();
    else if (this.isData) return;
    else if (token === "(" || token === ")") this.depth = Math.max(0, this.depth + (token === "(" ? 1 : -1));
    else if (this.depth) return;
    else if (token === "[") this.begin("property", "[]");
    else if (token === "]") this.end();
    else this.step(token);
  }

  /** What is expected here, brackets and lists of values thought of. */
  get here(): Expected {
    if (this.isData) return "value";
    return this.depth ? "expression" : this.expected;
  }

  private open(): void {
    this.depths.push(this.depth);
    this.depth = 0;
    this.begin("subject", "");
    if (this.outer.at(-1)![0] === "value" && this.outer.at(-1)![1] === DATA) this.isData = true;
  }

  private close(): void {
    this.depth = this.depths.pop() ?? 0;
    this.isData = false;
    this.be(this.depths.length ? "subject" : "other", "", "");
  }

  private begin(expected: Expected, subject: string): void {
    this.outer.push([this.expected, this.subject, this.property]);
    this.be(expected, subject, "");
  }

  private end(): void {
    const [expected, subject, property] = this.outer.pop() ?? ["other" as const, "", ""];
    this.be(expected === "value" ? "other" : expected, subject, property);
  }

  private be(expected: Expected, subject: string, property: string, through = ""): void {
    Object.assign(this, { expected, subject, property, through });
  }

  private step(token: string): void {
    if (token === ".") this.be("subject", "", "");
    else if (token === ";") this.be("property", this.subject, "");
    else if (token === ",") this.be("value", this.subject, this.property);
    else if (/^values$/i.test(token)) this.be("value", DATA, "");
    else if (this.subject === DATA) return;
    else if (/^(?:graph|from|named)$/i.test(token)) this.be("graph", "", "");
    else if (WORDS.test(token)) this.be(/^(where|union|optional|minus)$/i.test(token) ? "subject" : "other", "", "");
    else if (this.expected === "graph") this.be("other", "", "");
    else if (this.expected === "subject") this.be("property", token, "");
    else if (this.expected === "property" && PATHS.has(token)) this.be("property", this.subject, "", this.through);
    else if (this.expected === "property") this.be("value", this.subject, token);
    else if (this.expected === "value" && /^[*+?]$/.test(token)) return;
    else if (this.expected === "value" && PATHS.has(token)) this.be("property", this.subject, "", token === "/" ? this.property : "");
    else if (this.expected === "value") this.value(token);
  }

  private value(token: string): void {
    this.note(this.subject, this.property, token);
    this.be("other", this.subject, this.property);
  }
}

/** Stands for the subject where values are listed. */
const DATA = "VALUES";

/** What stands at an offset of a text. The token that is being written there is not read. */
export function place(text: string, offset: number): Place {
  const prefixes = prefixesOf(text);
  const classes = new Map<string, Set<string>>();
  const valueOf = new Map<string, Set<string>>();
  const variables = new Set<string>();
  const add = (into: Map<string, Set<string>>, key: string, value: string) => void (into.get(key) ?? into.set(key, new Set()).get(key)!).add(value);
  const reading = new Reading((subject, property, value) => {
    const iri = expanded(property, prefixes);
    const object = expanded(value, prefixes);
    if (iri === TYPE && object) add(classes, subject, object);
    else if (iri && /^[?$]/.test(value)) add(valueOf, value, iri);
  });
  let here: Pick<Place, "expected" | "subject" | "property" | "through"> | null = null;
  const see = () => (here ??= { expected: reading.here, subject: reading.subject, property: reading.property, through: reading.through });
  for (const found of text.matchAll(TOKEN)) {
    const token = found[0];
    if (found.index + token.length >= offset) see();
    if (/^[?$]\w/.test(token) && !(found.index < offset && found.index + token.length >= offset)) variables.add(token);
    reading.take(token);
  }
  return { ...(here ?? see()), classes, valueOf, variables, prefixes };
}
