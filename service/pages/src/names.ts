/** What things are called, and where they lead. Names are asked for together, never one by one. */
import { ask } from "./ask";
import { setup } from "./setup";
import { written } from "./terms";

const NAMING = ["http://www.w3.org/2004/02/skos/core#prefLabel", "http://www.w3.org/2000/01/rdf-schema#label", "http://purl.org/dc/terms/title"];
const AT_ONCE = 2000;
const known = new Map<string, string>(Object.entries(setup.labels));
const asked = new Set<string>(known.keys());
const spaces = Object.entries(setup.prefixes).sort(([, one], [, other]) => other.length - one.length);

/** An IRI as a prefixed name; "" if no prefix fits. */
export function shortened(iri: string): string {
  const found = spaces.find(([, space]) => iri.startsWith(space));
  const rest = found ? iri.slice(found[1].length) : "";
  return found && /^[A-Za-z_](?:[\w.-]*[\w-])?$/.test(rest) ? `${found[0]}:${rest}` : "";
}

/** The name of a thing, else its IRI in short. */
export const name = (iri: string): string => known.get(iri) ?? (shortened(iri) || local(iri));

/** What is below the base without it, another IRI as it is. */
function local(iri: string): string {
  return iri.startsWith(`${setup.base}/`) ? iri.slice(setup.base.length + 1).replace(/^(id|concept)\//, "") : iri;
}

/** The things whose names hold a text, of those that have been named so far. */
export const called = (text: string): string[] => [...known].flatMap(([iri, name]) => (name.toLowerCase().includes(text) ? [iri] : []));
export const isNamed = (iri: string): boolean => known.has(iri);

const ROOTS = new Set(["concept", "scheme", "source", "dataset"]);

/** Where a browser is sent for an IRI; "" for what is no web address. */
export function link(iri: string): string {
  if (!iri.startsWith(`${setup.base}/`)) return /^https?:\/\//.test(iri) ? iri : "";
  const path = iri.slice(setup.base.length + 1);
  const [root = "", kind = ""] = path.split("/");
  if (root === "graph") return `/graphs?graph=${encodeURIComponent(iri)}`;
  if (root === "id" && !ROOTS.has(kind)) return `/page/${path.slice(3)}`;
  return root === "id" || ROOTS.has(root) ? `/page/${path}` : `/${path}`;
}

/** Finds the names of some things, and says whether any was new. */
export async function find(iris: Iterable<string>): Promise<boolean> {
  const wanted = [...new Set(iris)].filter((iri) => !asked.has(iri)).slice(0, AT_ONCE);
  if (!wanted.length) return false;
  for (const iri of wanted) asked.add(iri);
  const values = wanted.map(written).join(" ");
  const naming = NAMING.map((property, place) => `(${written(property)} ${place})`).join(" ");
  const query = `SELECT ?iri ?name { VALUES ?iri { ${values} } VALUES (?property ?place) { ${naming} } ?iri ?property ?name }
    ORDER BY DESC(IF(LANG(?name) IN ("", "en"), 0, 10) + ?place)`;
  const answer = await ask(query).catch(() => null);
  for (let row = 0; row < (answer?.length ?? 0); row++) {
    const [iri, text] = answer!.row(row);
    if (iri && text) known.set(iri.value, text.value);
  }
  return Boolean(answer?.length);
}
