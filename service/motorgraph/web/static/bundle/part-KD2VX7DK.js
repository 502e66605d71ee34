import{a as e}from"/static/bundle/part-HF5SNZUA.js";import"/static/bundle/part-QDLTWXJQ.js";var l=r=>`'${r.replaceAll("'","'\\''")}'`,o=r=>[["query",r],...e.at?[["at",e.at]]:[],...e.graphs[0].map(t=>["default-graph-uri",t]),...e.graphs[1].map(t=>["named-graph-uri",t])],a=r=>r.includes('"""')||r.includes("\\")?JSON.stringify(r):`"""${r}"""`.replace(/""""$/,'\\""""'),i=r=>o(r).slice(1);function n(r){let t=r.replace(/<[^<>\s]*>|"(?:[^"\\\n]|\\.)*"|#[^\n]*/g," ").replace(/\b(?:prefix\s+\S*|base)\s/gi," ");return/^\s*(?:construct|describe)\b/i.test(t)}var p=r=>`[("query", query)${i(r).map(([t,s])=>`, (${JSON.stringify(t)}, ${JSON.stringify(s)})`).join("")}]`;function d(r){let t=i(r).map(([s,c])=>`
endpoint.addParameter(${JSON.stringify(s)}, ${JSON.stringify(c)})`).join("");return`from SPARQLWrapper import JSON, POST, SPARQLWrapper

query = ${a(r)}
endpoint = SPARQLWrapper("${location.origin}/sparql", returnFormat=JSON)
endpoint.setMethod(POST)
endpoint.setQuery(query)${t}
answer = endpoint.queryAndConvert()
rows = answer["results"]["bindings"] if "results" in answer else [answer["boolean"]]`}var g=r=>`from urllib.parse import urlencode

from rdflib import Graph

query = ${a(r)}
asked = ${p(r)}
rows = Graph().parse("${location.origin}/sparql?" + urlencode(asked), format="turtle")`,u={curl:r=>[`curl ${location.origin}/sparql -H 'Accept: ${n(r)?"text/turtle":"text/csv"}'`,...o(r).map(([t,s])=>`  --data-urlencode ${l(`${t}=${s}`)}`)].join(` \\
`),Python:r=>n(r)?g(r):d(r),pandas:r=>`from urllib.parse import urlencode

import pandas

query = ${a(r)}
asked = ${p(r)} + [("format", "${n(r)?"nt":"csv"}")]
rows = pandas.read_csv("${location.origin}/sparql?" + urlencode(asked)${n(r)?', sep="\\t", header=None':""})`,R:r=>`library(httr2)

query <- ${JSON.stringify(r)}
answer <- request("${location.origin}/sparql") |>
  req_headers(Accept = "${n(r)?"text/turtle":"text/csv"}") |>
  req_body_form(query = query${i(r).map(([t,s])=>`, \`${t}\` = ${JSON.stringify(s)}`).join("")}) |>
  req_perform()
rows <- ${n(r)?"resp_body_string(answer)":"read.csv(text = resp_body_string(answer))"}`,JavaScript:r=>`const query = ${JSON.stringify(r)};
const body = new URLSearchParams(${JSON.stringify(i(r))});
body.append("query", query);
const answer = await fetch("${location.origin}/sparql", {
  method: "POST", body, headers: { Accept: "${n(r)?"application/n-triples":"application/sparql-results+json"}" },
});
const rows = ${n(r)?'(await answer.text()).trim().split("\\n")':"(await answer.json()).results.bindings"};`};export{u as LANGUAGES};
