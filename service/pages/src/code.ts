/** The same query from programs. */
import { setup } from "./setup";

const quotedForShell = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
const parameters = (query: string): [string, string][] => [
  ["query", query],
  ...(setup.at ? ([["at", setup.at]] as [string, string][]) : []),
  ...setup.graphs[0].map((iri): [string, string] => ["default-graph-uri", iri]),
  ...setup.graphs[1].map((iri): [string, string] => ["named-graph-uri", iri]),
];
const python = (text: string) => (text.includes('"""') || text.includes("\\") ? JSON.stringify(text) : `"""${text}"""`.replace(/""""$/, '\\""""'));
const others = (query: string) => parameters(query).slice(1);

/** Whether triples come of it: they have formats of their own. */
function isGraph(query: string): boolean {
  const bare = query.replace(/<[^<>\s]*>|"(?:[^"\\\n]|\\.)*"|#[^\n]*/g, " ").replace(/\b(?:prefix\s+\S*|base)\s/gi, " ");
  return /^\s*(?:construct|describe)\b/i.test(bare);
}

const PAIRS = (query: string) => `[("query", query)${others(query).map(([name, value]) => `, (${JSON.stringify(name)}, ${JSON.stringify(value)})`).join("")}]`;

function wrapped(query: string): string {
  const more = others(query).map(([name, value]) => `\nendpoint.addParameter(${JSON.stringify(name)}, ${JSON.stringify(value)})`).join("");
  return `from SPARQLWrapper import JSON, POST, SPARQLWrapper

query = ${python(query)}
endpoint = SPARQLWrapper("${location.origin}/sparql", returnFormat=JSON)
endpoint.setMethod(POST)
endpoint.setQuery(query)${more}
answer = endpoint.queryAndConvert()
rows = answer["results"]["bindings"] if "results" in answer else [answer["boolean"]]`;
}

const parsed = (query: string) => `from urllib.parse import urlencode

from rdflib import Graph

query = ${python(query)}
asked = ${PAIRS(query)}
rows = Graph().parse("${location.origin}/sparql?" + urlencode(asked), format="turtle")`;

export const LANGUAGES: Record<string, (query: string) => string> = {
  curl: (query) =>
    [`curl ${location.origin}/sparql -H 'Accept: ${isGraph(query) ? "text/turtle" : "text/csv"}'`, ...parameters(query).map(([name, value]) => `  --data-urlencode ${quotedForShell(`${name}=${value}`)}`)].join(" \\\n"),
  Python: (query) => (isGraph(query) ? parsed(query) : wrapped(query)),
  pandas: (query) => `from urllib.parse import urlencode

import pandas

query = ${python(query)}
asked = ${PAIRS(query)} + [("format", "${isGraph(query) ? "nt" : "csv"}")]
rows = pandas.read_csv("${location.origin}/sparql?" + urlencode(asked)${isGraph(query) ? `, sep="\\t", header=None` : ""})`,
  R: (query) => `library(httr2)

query <- ${JSON.stringify(query)}
answer <- request("${location.origin}/sparql") |>
  req_headers(Accept = "${isGraph(query) ? "text/turtle" : "text/csv"}") |>
  req_body_form(query = query${others(query).map(([name, value]) => `, \`${name}\` = ${JSON.stringify(value)}`).join("")}) |>
  req_perform()
rows <- ${isGraph(query) ? "resp_body_string(answer)" : "read.csv(text = resp_body_string(answer))"}`,
  JavaScript: (query) => `const query = ${JSON.stringify(query)};
const body = new URLSearchParams(${JSON.stringify(others(query))});
body.append("query", query);
const answer = await fetch("${location.origin}/sparql", {
  method: "POST", body, headers: { Accept: "${isGraph(query) ? "application/n-triples" : "application/sparql-results+json"}" },
});
const rows = ${isGraph(query) ? `(await answer.text()).trim().split("\\n")` : `(await answer.json()).results.bindings`};`,
};
