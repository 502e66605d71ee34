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

export const LANGUAGES: Record<string, (query: string) => string> = {
  curl: (query) =>
    [`curl ${location.origin}/sparql -H 'Accept: text/csv'`, ...parameters(query).map(([name, value]) => `  --data-urlencode ${quotedForShell(`${name}=${value}`)}`)].join(" \\\n"),
  Python: (query) => `import io

import pandas
import requests

query = ${python(query)}
asked = {"query": query${others(query).map(([name, value]) => `, ${JSON.stringify(name)}: ${JSON.stringify(value)}`).join("")}}
answer = requests.post("${location.origin}/sparql", data=asked, headers={"Accept": "text/csv"})
answer.raise_for_status()
table = pandas.read_csv(io.StringIO(answer.text))`,
  R: (query) => `library(httr2)

query <- ${JSON.stringify(query)}
answer <- request("${location.origin}/sparql") |>
  req_headers(Accept = "text/csv") |>
  req_body_form(query = query${others(query).map(([name, value]) => `, \`${name}\` = ${JSON.stringify(value)}`).join("")}) |>
  req_perform()
table <- read.csv(text = resp_body_string(answer))`,
  JavaScript: (query) => `const query = ${JSON.stringify(query)};
const body = new URLSearchParams(${JSON.stringify(others(query))});
body.append("query", query);
const answer = await fetch("${location.origin}/sparql", {
  method: "POST", body, headers: { Accept: "application/sparql-results+json" },
});
const rows = (await answer.json()).results.bindings;`,
};
