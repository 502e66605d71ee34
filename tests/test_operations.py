"""An update's text is cut where its operations end, and nowhere else."""

from __future__ import annotations

import pytest

from motorgraph.operations import Data, Manage, Modify, Operation, Part, cut


def operations(text: str) -> list[Operation]:
    """What is cut out of a text that can be cut."""
    steps = cut(text)
    assert steps is not None
    return [step.operation for step in steps]


def only(text: str) -> Operation:
    (operation,) = operations(text)
    return operation


def test_semicolons_and_braces_in_strings_comments_and_patterns_cut_nothing() -> None:
    first = "INSERT DATA { <a:s> <a:p> '} ; {' ; <a:q> 1 }"
    second = 'DELETE { ?s <a:p> ?o } # ; {\n WHERE { ?s <a:p> ?o ; <a:q> """} \' ;""" }'
    assert [operation.text for operation in operations(f"{first} ; {second} ;")] == [first, second]


def test_an_operation_has_all_that_is_declared_before_it() -> None:
    text = "BASE <http://e/> # PREFIX\nPREFIX a: <a:>\nCLEAR ALL ; PREFIX b: <b:> DROP ALL"
    steps = cut(text)
    assert steps is not None
    assert [step.prologue for step in steps] == [
        "BASE <http://e/> # PREFIX\nPREFIX a: <a:>",
        "BASE <http://e/> # PREFIX\nPREFIX a: <a:>\nPREFIX b: <b:>",
    ]
    assert steps[1].alone(text) == text.replace("CLEAR ALL ;", " " * 11)


def test_a_template_is_taken_apart_by_graphs() -> None:
    text = "INSERT { ?s ?p 1 . GRAPH a:g { ?s ?p 2 } . ?s ?p 3 GRAPH ?g { ?s ?p 4 . } GRAPH <a:none> { } } WHERE { ?s ?p ?o }"
    operation = only(f"PREFIX a: <a:> {text}")
    assert isinstance(operation, Modify)
    assert operation.added == (Part("", "?s ?p 1 ."), Part("a:g", "?s ?p 2"), Part("", "?s ?p 3"), Part("?g", "?s ?p 4 ."))
    assert [part.is_variable for part in operation.added] == [False, False, False, True]


def test_an_operation_by_pattern_has_its_graphs() -> None:
    text = "with <a:g> delete { ?s ?p 1 } insert { ?s ?p 2 } using <a:h> using named <a:k> where { ?s ?p ?o }"
    removed, added = Part("", "?s ?p 1"), Part("", "?s ?p 2")
    using = "USING <a:h> USING NAMED <a:k>"
    assert only(text) == Modify(text, "<a:g>", (removed,), (added,), using, "{ ?s ?p ?o }")


def test_data_and_graphs_are_told_apart() -> None:
    assert only("DELETE DATA{<a:s> <a:p> 1}") == Data("DELETE DATA{<a:s> <a:p> 1}", "{<a:s> <a:p> 1}", deletes=True)
    assert only("MOVE SILENT GRAPH <a:g> TO default") == Manage(
        "MOVE SILENT GRAPH <a:g> TO default", "MOVE", ("<a:g>", "DEFAULT")
    )
    assert only("clear silent named") == Manage("clear silent named", "CLEAR", ("NAMED",))


@pytest.mark.parametrize(
    "text",
    [
        "CLEARALL",
        "LOAD <a:g>",
        "INSERT DATA { <a:s> <a:p> 1",
        "INSERT DATA { <a:s> <a:p> 1 } }",
        "INSERT DATA { <a:s> <a:p> 1 } CLEAR ALL",
        "INSERT { ?s ?p 1 {| <a:q> 2 |} } WHERE { ?s ?p ?o }",
        "; CLEAR ALL",
    ],
)
def test_what_is_not_sure_is_not_cut(text: str) -> None:
    assert cut(text) is None
