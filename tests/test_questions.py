"""The questions answer as written beside them, over the shipped graph and what follows from it."""

import re
from pathlib import Path

import pytest
from pyoxigraph import QueryResultsFormat, QuerySolutions, Store

ROOT = Path(__file__).parents[1]
QUESTIONS = sorted((ROOT / "ontology" / "questions").glob("*.rq"))
DESIGN = "1 2 3 4 6 7 8 9 11 12 15 16 18 19 20 22 23 24 25 26 27 29 30 32 33 34 35 37 38 40"
ASKED = re.compile(r"VALUES\s*\(?((?:\s*\?\w+)+)\s*\)?\s*\{")


def stem(path: Path) -> str:
    return path.stem


def rows(store: Store, query: str) -> list[str]:
    solutions = store.query(query)
    assert isinstance(solutions, QuerySolutions)
    answer = solutions.serialize(format=QueryResultsFormat.CSV)
    assert answer is not None
    return answer.decode().splitlines()


def header(question: Path) -> str:
    """The comment that a question opens with."""
    lines = question.read_text().splitlines()
    return "\n".join(lines[: next(number for number, line in enumerate(lines) if not line.startswith("#"))])


def parameters(question: Path) -> set[str]:
    """The variables that the header says one may set."""
    told = re.search(r"# Parameters?: (.*?)(?:\.\s|\.$|\Z)", header(question).replace("\n# ", " "), re.DOTALL)
    return set(re.findall(r"\?\w+", told[1])) if told else set()


def asked_of(day: str, name: str) -> str:
    """The text of a question with a day in place of those in its VALUES line."""
    (question,) = (path for path in QUESTIONS if path.stem == name)
    return re.sub(r"VALUES \?day \{[^}]*\}", f'VALUES ?day {{ "{day}"^^xsd:date }}', question.read_text())


@pytest.mark.parametrize("question", QUESTIONS, ids=stem)
def test_the_question_has_the_answer_beside_it(shipped_store: Store, question: Path) -> None:
    expected = question.with_suffix(".expected.csv").read_text().splitlines()
    assert rows(shipped_store, question.read_text()) == expected


@pytest.mark.parametrize("question", QUESTIONS, ids=stem)
def test_the_answer_has_at_least_one_row(question: Path) -> None:
    assert len(question.with_suffix(".expected.csv").read_text().splitlines()) > 1


@pytest.mark.parametrize("question", QUESTIONS, ids=stem)
def test_the_question_opens_with_its_own_words_and_then_says_why_its_answer_is_right(question: Path) -> None:
    words, _, reason = header(question).partition("\n#\n")
    assert words.startswith("# ")
    assert words.endswith("?")
    assert len(reason.split()) > 8


@pytest.mark.parametrize("question", QUESTIONS, ids=stem)
def test_what_the_header_calls_a_parameter_is_set_in_a_line_of_values(question: Path) -> None:
    settable = {variable for names in ASKED.findall(question.read_text()) for variable in names.split()}
    assert parameters(question) <= settable


def test_no_answer_stands_without_its_question() -> None:
    answers = sorted((ROOT / "ontology" / "questions").glob("*.expected.csv"))
    assert [answer.name.removesuffix(".expected.csv") for answer in answers] == [path.stem for path in QUESTIONS]


def test_every_competency_question_of_the_design_is_asked_once() -> None:
    numbers = [int(path.stem.partition("-")[0]) for path in QUESTIONS]
    assert len(numbers) == len(set(numbers))
    assert {int(number) for number in DESIGN.split()} <= set(numbers)
    assert len([number for number in numbers if number > 40]) >= 10


# As believed on a day


def test_before_the_first_report_nothing_was_known_of_ford_and_geely(shipped_store: Store) -> None:
    assert len(rows(shipped_store, asked_of("2026-02-03", "60-ford-and-geely-as-known-on-a-day"))) == 1


def test_the_day_after_the_report_there_are_talks_and_no_venture(shipped_store: Store) -> None:
    text = "\n".join(rows(shipped_store, asked_of("2026-02-05", "60-ford-and-geely-as-known-on-a-day")))
    assert "in talks,Reuters" in text
    assert "leading candidate for the manufacturing part.,Reuters,asserted,1," in text
    assert "joint venture" not in text


def test_at_the_end_of_september_there_is_a_venture_and_the_talks_are_over(shipped_store: Store) -> None:
    text = "\n".join(rows(shipped_store, asked_of("2026-09-30", "60-ford-and-geely-as-known-on-a-day")))
    assert "agreed,Ford Motor Company" in text
    assert "agreed,Geely Auto" in text
    assert "in talks" not in text
    assert "leading candidate" not in text


@pytest.mark.parametrize(
    ("day", "percent"), [("2025-08-19", []), ("2025-08-20", ["10"]), ("2025-12-28", ["10"]), ("2025-12-29", ["5"])]
)
def test_a_stake_is_known_from_the_day_of_its_report_until_a_later_one_replaces_it(
    shipped_store: Store, day: str, percent: list[str]
) -> None:
    found = rows(shipped_store, asked_of(day, "64-stake-as-believed-on-a-day"))
    assert [row.split(",")[1] for row in found[1:]] == percent


def test_a_report_of_a_month_is_known_when_the_month_is_over(shipped_store: Store) -> None:
    name = "38-capacity-of-valencia-as-believed-on-a-day"
    assert len(rows(shipped_store, asked_of("2026-02-28", name))) == 1
    assert len(rows(shipped_store, asked_of("2026-03-01", name))) == 2
