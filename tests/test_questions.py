"""The example questions answer as written beside them, over the union of all graphs."""

from pathlib import Path

import pytest
from pyoxigraph import NamedNode, QueryResultsFormat, QuerySolutions, RdfFormat, Store

ROOT = Path(__file__).parents[1]
GRAPH = "https://motorgraph.example/graph/"
QUESTIONS = sorted((ROOT / "ontology" / "questions").glob("*.rq"))


@pytest.fixture(scope="module")
def founding() -> Store:
    """The schemes and the founding data, each in its graph."""
    store = Store()
    for path in sorted((ROOT / "ontology" / "schemes").glob("*.ttl")):
        store.load(path=path, format=RdfFormat.TURTLE, to_graph=NamedNode(f"{GRAPH}reference"))
    for name in ("reference", "founding-article"):
        store.load(path=ROOT / "data" / f"{name}.trig", format=RdfFormat.TRIG)
    return store


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda path: path.stem)
def test_the_question_has_the_answer_beside_it(founding: Store, question: Path) -> None:
    solutions = founding.query(question.read_text(), use_default_graph_as_union=True)
    assert isinstance(solutions, QuerySolutions)
    answer = solutions.serialize(format=QueryResultsFormat.CSV)
    assert answer is not None
    assert answer.decode().splitlines() == question.with_suffix(".expected.csv").read_text().splitlines()


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda path: path.stem)
def test_the_answer_has_at_least_one_row(question: Path) -> None:
    assert len(question.with_suffix(".expected.csv").read_text().splitlines()) > 1


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda path: path.stem)
def test_the_question_opens_with_its_own_words(question: Path) -> None:
    opening = question.read_text().split("\n#\n")[0]
    assert opening.startswith("# ")
    assert opening.endswith("?")


def test_no_answer_stands_without_its_question() -> None:
    answers = sorted((ROOT / "ontology" / "questions").glob("*.expected.csv"))
    assert len(answers) >= 5
    assert [answer.name.removesuffix(".expected.csv") for answer in answers] == [path.stem for path in QUESTIONS]
