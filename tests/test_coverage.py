"""The list of questions, and the report on which terms of the ontology they use, are those in ontology/questions/README.md.

`python -m tests.test_coverage` writes that file anew.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from rdflib import OWL, RDF, RDFS, Graph, URIRef

ROOT = Path(__file__).parents[1]
QUESTIONS = ROOT / "ontology" / "questions"
MG = "https://motorgraph.example/ontology/"
KINDS = (OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty)
LEAST_SHARE = 0.4

HEAD = """# Questions

Each file is one question in plain SPARQL 1.1, with its answer beside it. It opens with the question, then its parameters, which
stand in lines of `VALUES` near the top, the reason why the answer is right, and the statements that a row rests on, which lead to
its sources. A variable `?thePlant` holds what the column `?plant` names. `parameters.ttl` says as node shapes what each parameter
takes. Numbers to 40 are the competency questions that the ontology was designed for; those from 41 are what an analyst may ask
besides. The service answers each at `/questions/` and its name without the number.

```sh
curl http://127.0.0.1:8800/sparql -H 'Accept: text/csv' --data-urlencode query@ontology/questions/{example}
```

| | Question |
|---|---|
{rows}

## Which terms they use

{used} of {all} terms of the ontology stand in a question. The others hold what a shape checks, a rule
needs or a reader of a single node wants to see:

{unused}
"""


def words(question: Path) -> str:
    """The question as its file words it."""
    opening = question.read_text().split("\n#\n")[0]
    return " ".join(line.removeprefix("# ").strip() for line in opening.splitlines())


def questions() -> list[Path]:
    return sorted(QUESTIONS.glob("*.rq"))


def terms() -> dict[str, str]:
    """The terms in force, by local name, each with its module."""
    ontology = Graph()
    for path in sorted((ROOT / "ontology").glob("mg-*.ttl")):
        ontology.parse(path)
    found = {
        term for kind in KINDS for term in ontology.subjects(RDF.type, kind) if isinstance(term, URIRef) and term.startswith(MG)
    }
    living = {term for term in found if (term, OWL.deprecated, None) not in ontology}
    return {term.removeprefix(MG): str(ontology.value(term, RDFS.isDefinedBy)).rpartition("/")[2] for term in sorted(living)}


def asked() -> set[str]:
    """The terms that a question names, comments left out."""
    text = "\n".join(line.partition("# ")[0] for path in questions() for line in path.read_text().splitlines())
    return set(re.findall(r"(?<![\w-])mg:([A-Za-z]\w*)", text))


def by_module(names: set[str]) -> Iterator[str]:
    modules = defaultdict(list)
    for name, module in terms().items():
        if name in names:
            modules[module].append(name)
    for module, members in sorted(modules.items()):
        yield f"* {module}: {', '.join(members)}"


def report() -> str:
    every = set(terms())
    used = every & asked()
    rows = "\n".join(f"| {path.stem.partition('-')[0]} | [{words(path)}]({path.name}) |" for path in questions())
    return HEAD.format(
        example=questions()[0].name, rows=rows, used=len(used), all=len(every), unused="\n".join(by_module(every - used))
    )


def test_the_list_of_questions_and_terms_is_up_to_date() -> None:
    assert (QUESTIONS / "README.md").read_text() == report(), "run `python -m tests.test_coverage`"


def test_the_questions_use_a_good_part_of_the_ontology() -> None:
    every = set(terms())
    assert len(every & asked()) / len(every) >= LEAST_SHARE


def test_every_module_but_the_editorial_one_is_asked_for() -> None:
    used = {module for name, module in terms().items() if name in asked()}
    assert {path.stem.removeprefix("mg-") for path in (ROOT / "ontology").glob("mg-*.ttl")} - used <= {"meta"}


def test_no_question_names_a_term_that_is_not_there() -> None:
    assert asked() <= set(terms())


if __name__ == "__main__":
    (QUESTIONS / "README.md").write_text(report())
