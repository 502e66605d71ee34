/** What a text of SPARQL has said up to a place: what is expected there, and of what classes its variables are. */
import { TYPE } from "./terms";

export type Expected = "subject" | "property" | "value" | "other";

export interface Place {
  expected: Expected;
  subject: string;
  property: string;
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

/** Reads triples in their order; whatever is in brackets is passed over, since no triple is written there. */
class Reading {
  expected: Expected = "other";
  subject = "";
  property = "";
  private depth = 0;
  private readonly outer: [Expected, string, string][] = [];

  constructor(private readonly note: (subject: string, property: string, value: string) => void) {}

  take(token: string): void {
    if (token.startsWith("#")) return;
    if (token === "(" || token === ")") this.depth = Math.max(0, this.depth + (token === "(" ? 1 : -1));
    else if (this.depth) return;
    else if (token === "{") this.begin("subject", "");
    else if (token === "}") this.be("subject", "", "");
    else if (token === "[") this.begin("property", "[]");
    else if (token === "]") this.end();
    else this.step(token);
  }

  private begin(expected: Expected, subject: string): void {
    this.outer.push([this.expected, this.subject, this.property]);
    this.be(expected, subject, "");
  }

  private end(): void {
    const [expected, subject, property] = this.outer.pop() ?? ["other" as const, "", ""];
    this.be(expected === "value" ? "other" : expected, subject, property);
  }

  private be(expected: Expected, subject: string, property: string): void {
    Object.assign(this, { expected, subject, property });
  }

  private step(token: string): void {
    if (token === ".") this.be("subject", "", "");
    else if (token === ";") this.be("property", this.subject, "");
    else if (token === ",") this.be("value", this.subject, this.property);
    else if (WORDS.test(token)) this.be(/^(where|union|optional|minus)$/i.test(token) ? "subject" : "other", "", "");
    else if (this.expected === "subject") this.be("property", token, "");
    else if (this.expected === "property" && PATHS.has(token)) this.be("property", this.subject, "");
    else if (this.expected === "property") this.be("value", this.subject, token);
    else if (this.expected === "value" && PATHS.has(token)) this.be(/[*+?]/.test(token) ? "value" : "property", this.subject, "");
    else if (this.expected === "value") this.value(token);
  }

  private value(token: string): void {
    this.note(this.subject, this.property, token);
    this.be("other", this.subject, this.property);
  }
}

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
  let here: Pick<Place, "expected" | "subject" | "property"> | null = null;
  const see = () => (here ??= { expected: reading.expected, subject: reading.subject, property: reading.property });
  for (const found of text.matchAll(TOKEN)) {
    const token = found[0];
    if (found.index + token.length >= offset) see();
    if (/^[?$]\w/.test(token) && !(found.index < offset && found.index + token.length >= offset)) variables.add(token);
    reading.take(token);
  }
  return { ...(here ?? see()), classes, valueOf, variables, prefixes };
}
