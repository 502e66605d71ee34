/** What can be written at a place: words of the graph, sensitive to the pattern before it, and things by their names. */
import { type Completion, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import type { EditorView } from "@codemirror/view";
import { ask } from "./ask";
import { searched } from "./search";
import { setup } from "./setup";
import { expanded, place, prefixesOf, type Place } from "./pattern";
import { TYPE, written, writtenText } from "./terms";
import { vocabulary, type Property, type Vocabulary, type Word } from "./vocabulary";

const KEYWORDS = ["SELECT", "SELECT DISTINCT", "WHERE", "OPTIONAL", "FILTER", "FILTER NOT EXISTS", "UNION", "MINUS", "GRAPH", "VALUES", "BIND", "GROUP BY", "HAVING", "ORDER BY", "LIMIT", "OFFSET", "CONSTRUCT", "ASK", "DESCRIBE", "PREFIX"];
const FUNCTIONS = ["ABS", "BOUND", "CEIL", "COALESCE", "CONCAT", "CONTAINS", "COUNT", "DATATYPE", "DAY", "FLOOR", "GROUP_CONCAT", "IF", "IN", "ISBLANK", "ISIRI", "ISLITERAL", "LANG", "LANGMATCHES", "LCASE", "MAX", "MIN", "MONTH", "NOT EXISTS", "NOT IN", "NOW", "REGEX", "REPLACE", "ROUND", "SAMPLE", "STR", "STRAFTER", "STRBEFORE", "STRDT", "STRENDS", "STRLEN", "STRSTARTS", "SUBSTR", "SUM", "AVG", "UCASE", "YEAR"];
const MOST = 60;
const MOST_THINGS = 8;
const PREFERRED = `PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
`;

export async function complete(context: CompletionContext): Promise<CompletionResult | null> {
  const word = context.matchBefore(/[?$]\w*|<[^<>\s]*|[\w-]*:[\w.-]*|[\p{L}][\p{L}\p{N}_-]*/u);
  if (!word && !context.explicit) return null;
  const [from, text] = [word?.from ?? context.pos, word?.text ?? ""];
  const whole = context.state.doc.toString();
  const here = place(whole, context.pos);
  const options = /^[?$]/.test(text) ? variables(here) : await known(here, text, context);
  if (context.aborted || !options.length) return null;
  return { from, options, filter: /^[?$]/.test(text), ...(/^[?$]/.test(text) ? { validFor: /^[?$]\w*$/ } : {}) };
}

const variables = (here: Place): Completion[] => [...here.variables].sort().map((label) => ({ label, type: "variable" }));

async function known(here: Place, text: string, context: CompletionContext): Promise<Completion[]> {
  if (/\bprefix\s+[\w-]*:?$/i.test(context.state.sliceDoc(Math.max(0, context.pos - 60), context.pos))) return prefixes(here, text);
  const isOfType = expanded(here.property, here.prefixes) === TYPE;
  if (here.expected === "graph") return graphs(text);
  if (here.expected === "expression") return text ? [...functions(text), ...(text.length > 2 ? await things(here, text, context) : [])] : variables(here);
  if (here.expected === "other") return text ? [...keywords(text), ...functions(text)] : variables(here);
  if (here.expected === "subject" || (here.expected === "value" && !isOfType)) return ordered(text, keywords(text), await things(here, text, context));
  const words = await vocabulary();
  if (!words) return keywords(text);
  return here.expected === "property" ? properties(words, here, text) : classes(words, here, text);
}

/** Who writes capitals wants a keyword; else things come first. */
const ordered = (text: string, words: Completion[], found: Completion[]) => (text === text.toUpperCase() ? [...words, ...found] : [...found, ...words]);

function functions(text: string): Completion[] {
  const upper = text.toUpperCase();
  if (upper.length < 2) return [];
  return FUNCTIONS.filter((name) => name.startsWith(upper)).map((label) => ({ label, type: "function", apply: / ?(?:IN|EXISTS)$/.test(label) ? label : called(label) }));
}

/** Puts a function in with its brackets, and the cursor between them. */
function called(name: string) {
  return (view: EditorView, _: Completion, from: number, to: number) => {
    const brackets = view.state.sliceDoc(to, to + 1) === "(" ? "" : "()";
    view.dispatch({ changes: { from, to, insert: name + brackets }, selection: { anchor: from + name.length + 1 }, userEvent: "input.complete" });
  };
}

let stored: Promise<string[]> | undefined;

/** The graphs of the store; asked for once. */
async function graphs(text: string): Promise<Completion[]> {
  stored ??= ask("SELECT ?graph { GRAPH ?graph {} } ORDER BY ?graph").then((answer) => [...answer.column(0)].map(({ value }) => value));
  const all = await stored.catch(() => ((stored = undefined), []));
  const wanted = text.replace(/^[<]|^[\w-]*:/, "").toLowerCase();
  const found = all.filter((iri) => iri.toLowerCase().includes(wanted)).sort((one, other) => one.length - other.length);
  return found.slice(0, MOST).map((iri, at) => ({ label: `<${iri}>`, apply: inserting(`<${iri}>`, null), boost: 50 - at }));
}

function keywords(text: string): Completion[] {
  const upper = text.toUpperCase();
  return upper.length < 2 ? [] : KEYWORDS.filter((word) => word.startsWith(upper)).map((label) => ({ label, type: "keyword" }));
}

function prefixes(here: Place, text: string): Completion[] {
  const begun = text.replace(/:$/, "").toLowerCase();
  return Object.entries(setup.prefixes)
    .filter(([prefix]) => !here.prefixes.has(prefix) && (begun === "" || begun === "prefix" || prefix.startsWith(begun)))
    .map(([prefix, space]) => ({ label: `${prefix}:`, apply: `${prefix}: <${space}>`, detail: space, type: "namespace" }));
}

/** How a term is written: with a prefix that the text declares, else with one of the service that is then declared too. */
function spelled(iri: string, here: Place): { label: string; declare: [string, string] | null } {
  const fits = (entries: Iterable<[string, string]>) =>
    [...entries].sort(([, a], [, b]) => b.length - a.length).find(([, space]) => iri.startsWith(space) && /^[A-Za-z_][\w-]*$/.test(iri.slice(space.length)));
  const declared = fits(here.prefixes);
  const ours = declared ?? fits(Object.entries(setup.prefixes).filter(([prefix]) => !here.prefixes.has(prefix)));
  return ours ? { label: `${ours[0]}:${iri.slice(ours[1].length)}`, declare: declared ? null : ours } : { label: `<${iri}>`, declare: null };
}

/** Puts a term in, and the declaration of its prefix at the top where there is none. A comment behind it ends its line. */
export function inserting(label: string, declare: [string, string] | null, behind = "") {
  return (view: EditorView, _: Completion, from: number, to: number) => {
    const line = declare && !prefixesOf(view.state.doc.toString()).has(declare[0]) ? `PREFIX ${declare[0]}: <${declare[1]}>\n` : "";
    const isLast = !view.state.doc.lineAt(to).text.slice(to - view.state.doc.lineAt(to).from).trim();
    const at = line ? top(view.state.doc.toString()) : 0;
    view.dispatch({
      changes: [...(line ? [{ from: at, insert: line }] : []), { from, to, insert: label + (behind && !isLast ? `${behind}\n` : behind) }],
      selection: { anchor: from + line.length + label.length },
      userEvent: "input.complete",
    });
  };
}

/** Where a declaration goes: before the first line that is neither empty nor a comment. */
function top(text: string): number {
  const found = /^(?:[ \t]*(?:#[^\n]*)?\n)*/.exec(text);
  return found ? found[0].length : 0;
}

/** How well a word fits what was written: by its name, its label, or not at all. */
function fit(word: Word, label: string, text: string): number {
  const wanted = text.toLowerCase();
  const [name, called] = [label.toLowerCase(), (word.label ?? "").toLowerCase()];
  const local = name.slice(name.indexOf(":") + 1);
  if (wanted === "" || name.startsWith(wanted) || local.startsWith(wanted)) return 3;
  if (called.startsWith(wanted)) return 2;
  const bare = wanted.slice(wanted.indexOf(":") + 1);
  return bare.length > 1 && (local.includes(bare) || called.includes(bare)) && (!wanted.includes(":") || name.startsWith(wanted.split(":")[0]! + ":")) ? 1 : 0;
}

function listed<W extends Word>(words: W[], here: Place, text: string, used: (word: W) => [number, string]): Completion[] {
  const found = words.flatMap((word) => {
    const { label, declare } = spelled(word.iri, here);
    const fits = fit(word, label, text);
    const [count, detail] = used(word);
    return fits && count ? [{ word, label, declare, fits, count, detail }] : [];
  });
  found.sort((one, other) => other.fits - one.fits || other.count - one.count);
  return found.slice(0, MOST).map(({ word, label, declare, detail }, at) => ({
    label,
    detail,
    info: [word.label, word.says].filter(Boolean).join(": ") || word.iri,
    apply: inserting(label, declare),
    boost: 99 - at,
  }));
}

function classes(words: Vocabulary, here: Place, text: string): Completion[] {
  return listed(words.classes, here, text, (word) => [word.count, word.count.toLocaleString("en")]);
}

/** The places in `classes` of what a subject is said to be; of a variable without a class what its property leads to. */
function classesOf(words: Vocabulary, here: Place): number[] {
  const led = (iri: string) => words.properties.find((word) => word.iri === iri)?.towards.slice(0, 1) ?? [];
  if (here.through) return led(expanded(here.through, here.prefixes));
  const said = [...(here.classes.get(here.subject) ?? [])];
  const places = said.map((iri) => words.classes.findIndex((word) => word.iri === iri)).filter((at) => at >= 0);
  if (places.length) return places;
  const through = [...(here.valueOf.get(here.subject) ?? [])];
  return through.flatMap(led);
}

function properties(words: Vocabulary, here: Place, text: string): Completion[] {
  const of = classesOf(words, here);
  const total = Math.max(...of.map((at) => words.classes[at]!.count));
  const used = (word: Property): [number, string] => {
    if (!of.length) return [word.count, word.count.toLocaleString("en")];
    const count = Math.max(...of.map((at) => word.of[at] ?? 0));
    return [count, `${count.toLocaleString("en")} of ${total.toLocaleString("en")}`];
  };
  const found = listed(words.properties, here, text, used);
  return "a".startsWith(text) ? [{ label: "a", detail: "is of the class", boost: 99 }, ...found] : found;
}

interface Thing {
  iri: string;
  label: string;
  detail: string;
}

/** Things by name: those that the property leads to, and what the search of the service finds. */
async function things(here: Place, text: string, context: CompletionContext): Promise<Completion[]> {
  const property = expanded(here.property, here.prefixes);
  if (text.startsWith("<") || (text === "" && !property)) return [];
  const abort = new AbortController();
  context.addEventListener("abort", () => abort.abort());
  const wanted = text.slice(text.indexOf(":") + 1);
  const [led, found] = await Promise.all([property ? valuesOf(property, wanted, abort.signal) : [], wanted.length > 1 ? named(wanted, abort.signal) : []]);
  const all = new Map([...led, ...found].map((thing) => [thing.iri, thing]));
  return [...all.values()].slice(0, 2 * MOST_THINGS).map(({ iri, label, detail }, at) => ({
    label,
    detail,
    info: iri,
    apply: inserting(written(iri), null, ` # ${label.replace(/\s+/g, " ")}`),
    boost: 50 - at,
  }));
}

async function valuesOf(property: string, text: string, signal: AbortSignal): Promise<Thing[]> {
  const holds = text ? `FILTER(CONTAINS(LCASE(STR(?name)), ${writtenText(text.toLowerCase())}))` : "";
  const query = `${PREFERRED}SELECT ?value (SAMPLE(?name) AS ?called) (COUNT(DISTINCT ?thing) AS ?times) {
    ?thing ${written(property)} ?value . ?value skos:prefLabel ?name ${holds} } GROUP BY ?value ORDER BY DESC(?times) LIMIT ${MOST_THINGS}`;
  const answer = await ask(query, signal).catch(() => null);
  return Array.from({ length: answer?.length ?? 0 }, (_, row) => {
    const [value, called, times] = answer!.row(row);
    return { iri: value!.value, label: called!.value, detail: `${Number(times!.value).toLocaleString("en")} times` };
  });
}

async function named(text: string, signal: AbortSignal): Promise<Thing[]> {
  const hits = await searched(text, MOST_THINGS, signal).catch(() => []);
  return hits.map(({ iri, label, kind }) => ({ iri, label, detail: kind }));
}
