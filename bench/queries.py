"""The seventeen queries that are timed, over the graphs of gen.py, and one that never ends.

`python -m bench.queries q03_star` prints one, to be tried by hand.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from bench.servers import N_TRIPLES, RESULTS_JSON

PREFIXES = """PREFIX ao: <http://auto.example/ontology#>
PREFIX id: <http://auto.example/id/>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
"""
ID = "http://auto.example/id"
PLANT = f"<{ID}/plant/77>"
MAKER = f"<{ID}/automaker/20>"

# The line breaks and spaces inside the texts are those of the queries first measured: they stay, to the byte.
BODIES = {
    "q01_point": f"SELECT ?p ?o WHERE {{ {PLANT} ?p ?o }}",
    "q02_describe": f"DESCRIBE {PLANT}",
    "q03_star": f"SELECT ?p ?l ?op ?cap ?lat ?long WHERE {{ ?p a ao:Plant ; ao:country <{ID}/country/HU> ;\n"
    "        rdfs:label ?l ; ao:operatedBy ?op ; ao:capacity ?cap ; ao:lat ?lat ; ao:long ?long } LIMIT 100",
    "q04_partners": f"SELECT DISTINCT ?b ?l WHERE {{ ?c ao:participant {MAKER} , ?b . ?b rdfs:label ?l FILTER(?b != {MAKER}) }}",
    "q05_partners2": f"SELECT DISTINCT ?d WHERE {{ ?c ao:participant <{ID}/automaker/90> , ?b . ?c2 ao:participant ?b , ?d }}",
    "q06_subclass": "SELECT ?cls (COUNT(?t) AS ?n) WHERE { ?cls rdfs:subClassOf* ao:Technology . ?t a ?cls } GROUP BY ?cls",
    "q07_ownedby": f"SELECT ?x ?l WHERE {{ ?x ao:ownedBy+ <{ID}/automaker/5> . ?x rdfs:label ?l }}",
    "q08_plants_country": "SELECT ?c (COUNT(?p) AS ?n) (SUM(?cap) AS ?t) WHERE { "
    "?p a ao:Plant ; ao:country ?c ; ao:capacity ?cap } GROUP BY ?c ORDER BY DESC(?n)",
    "q09_duty_maker": "SELECT ?m (AVG(?r) AS ?avg) (COUNT(?d) AS ?n) WHERE { "
    "?d a ao:DutyRate ; ao:appliesTo ?m ; ao:rate ?r ;\n        ao:underRegulation/ao:jurisdiction ?j } "
    "GROUP BY ?m HAVING(COUNT(?d) > 2) ORDER BY DESC(?avg) LIMIT 50",
    "q10_notexists": f"SELECT ?p ?opened WHERE {{ ?p ao:country <{ID}/country/AT> OPTIONAL {{ ?p ao:opened ?opened }}\n"
    "        FILTER NOT EXISTS { ?c ao:plant ?p } }",
    "q11_text": 'SELECT ?m ?l WHERE { ?m a ao:Model ; rdfs:label ?l FILTER(CONTAINS(LCASE(STR(?l)), "falcon zephyr")) } LIMIT 50',
    "q12_topk": "SELECT ?p ?cap WHERE { ?p a ao:Plant ; ao:capacity ?cap } ORDER BY DESC(?cap) LIMIT 20",
    "q13_construct10k": "CONSTRUCT { ?c a ao:Claim ; ao:about ?a ; ao:stance ?s ; ao:claimDate ?d } WHERE {\n"
    "        { SELECT ?c ?a ?s ?d WHERE { ?c ao:about ?a ; ao:stance ?s ; ao:claimDate ?d } LIMIT 2500 } }",
    "q14_select100k": "SELECT ?s ?p ?o WHERE { ?s ?p ?o } LIMIT 100000",
    "q15_ask": f"ASK {{ {PLANT} ao:operatedBy ?o }}",
    "q16_timeline": f"SELECT ?c ?stance ?date ?src ?title WHERE {{ ?c ao:about <{ID}/collaboration/5> ; "
    "ao:stance ?stance ;\n        ao:claimDate ?date ; ao:source ?src . ?src rdfs:label ?title } "
    "ORDER BY ?date LIMIT 50",
    "q17_count": "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }",
}

QUERIES = {name: PREFIXES + body for name, body in BODIES.items()}
HEAVY = {"q13_construct10k", "q14_select100k", "q17_count"}
GRAPH_FORM = {"q02_describe", "q13_construct10k"}


@dataclass(frozen=True)
class Query:
    """A query by its name, which is asked for triples or for rows."""

    name: str
    text: str
    is_graph: bool = False

    @property
    def accept(self) -> str:
        """The media type that it is asked for in."""
        return N_TRIPLES if self.is_graph else RESULTS_JSON

    @property
    def is_cut(self) -> bool:
        """Whether a LIMIT leaves it to the server which rows come."""
        return "LIMIT" in self.text


TIMED = {name: Query(name, text, name in GRAPH_FORM) for name, text in QUERIES.items()}

QUESTIONS = Path(__file__).parent.parent / "ontology" / "questions"


def shipped_queries() -> list[Query]:
    """The questions that ship, over the shipped graph."""
    return [Query(path.stem, path.read_text("utf-8")) for path in sorted(QUESTIONS.glob("*.rq"))]


WHOLE = "SELECT ?s ?p ?o WHERE { ?s ?p ?o }"
EXPLOSIVE = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"

if __name__ == "__main__":
    print(QUERIES[sys.argv[1]])
