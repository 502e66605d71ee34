"""SPARQL text cut into tokens: a keyword is seen where it is one, whatever stands around it, in linear time."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from motorgraph.tokens import tokens, unescape_unicode

steady = examples(derandomize=True, max_examples=400, deadline=None)


def _cut(text: str) -> list[str]:
    """The tokens as `kind text`."""
    return [f"{token.kind} {token.text}" for token in tokens(text)]


def _words(text: str) -> list[str]:
    return [token.text for token in tokens(text) if token.kind == "word"]


@pytest.mark.parametrize(
    "text",
    [
        '"FROM <x>"',
        "'FROM'",
        '"""FROM\n"FROM" ""FROM"""',
        "'''it's FROM'''",
        r'"\" FROM"',
        r"'\' FROM'",
        r'"\\" # FROM',
        '"FROM\\n"',
        r'"""\""" FROM"""',
        "<http://e/FROM>",
        "<FROM>",
        r"<http://e/\u0046ROM>",
        "<http://e/#FROM>",
        "# FROM <x>",
        "#FROM\r#FROM",
        "?FROM",
        "$FROM",
        "FROM:x",
        "e:FROM",
        "e:a.FROM",
        "e:a:FROM",
        "e:a-FROM",
        "e:%20FROM",
        r"e:\-FROM",
        "e-a.b:FROM",
        ":FROM",
        "_:FROM",
        "_:a.FROM",
        "@FROM",
        '"a"@FROM',
        '"a"@en-FROM',
        "?x\u0300FROM",
        "e:x\u0300FROM",
        "e:\u2103FROM",
        "e:x\u00b7FROM",
        "e\u0300:x",
    ],
)
def test_a_word_inside_of_something_else_is_no_word(text: str) -> None:
    assert _words(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "FROM",
        "from",
        "SELECT*FROM<g>",
        '"a"FROM<g>',
        '""FROM',
        "''FROM",
        '""""""FROM',
        "''''a'''FROM",
        '"a"^^<t>FROM<g>',
        "<a>FROM<b>",
        "1FROM",
        "1.5FROM",
        "1.FROM",
        "1e5FROM",
        ".5FROM",
        "?a.FROM",
        "?a-FROM",
        "e:.FROM",
        "e:-FROM",
        "e:\nFROM",
        "}FROM{",
        ")FROM(",
        "#\nFROM",
        "# '\nFROM",
        '# """\rFROM',
        "<a b>FROM<b>",
        "?a<?b && ?c>?d FROM",
        '@en"a"FROM',
        "\ufeffFROM",
        "\u00a0FROM",
        r'"\\"FROM',
        "FROM#",
        "FROM'",
    ],
)
def test_a_word_glued_to_something_else_is_a_word(text: str) -> None:
    assert "FROM" in [word.upper() for word in _words(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ASK{?s a:b.c. }", ["word ASK", "mark {", "variable ?s", "name a:b.c.", "mark }"]),
        ("'a' 'b'", ["string 'a'", "string 'b'"]),
        ("'''a''''b'", ["string '''a'''", "string 'b'"]),
        ('"""a""b"""', ['string """a""b"""']),
        ("<<<a><b><c>>>", ["mark <", "mark <", "iri <a>", "iri <b>", "iri <c>", "mark >", "mark >"]),
        ("?a<5", ["variable ?a", "mark <", "number 5"]),
        ("-1.5e-3", ["mark -", "number 1.5e-3"]),
        ('"x"@en-GB;', ['string "x"', "language @en-GB", "mark ;"]),
        ("_:b-1", ["name _:b-1"]),
        (r"e:a\,b,", [r"name e:a\,b", "mark ,"]),
        ("a/e:b|^e:c", ["word a", "mark /", "name e:b", "mark |", "mark ^", "name e:c"]),
        ("<a#b> #c", ["iri <a#b>"]),
        (" \t\r\n", []),
    ],
)
def test_text_is_cut_where_the_grammar_cuts_it(text: str, expected: list[str]) -> None:
    assert _cut(text) == expected


_PIECES = st.sampled_from(
    [
        ("word", "SELECT"),
        ("word", "from"),
        ("word", "Service"),
        ("word", "a"),
        ("variable", "?from"),
        ("variable", "$x1"),
        ("iri", "<http://e/FROM#x>"),
        ("iri", "<>"),
        ("name", "e:FROM"),
        ("name", ":"),
        ("name", r"e.x:a\'b"),
        ("name", "e:a\u0301\\'"),
        ("name", "_:load"),
        ("string", "'FROM \" # <'"),
        ("string", '"SERVICE \' # \\" <x>"'),
        ("string", '"""LOAD "\n\'\'\' \\""""'),
        ("string", "'''SERVICE\n'' \"\"\" \\''''"),
        ("number", "12"),
        ("number", "1.5e+3"),
        ("language", "@en-FROM"),
        ("mark", "{"),
        ("mark", "}"),
        ("mark", "^"),
        ("mark", "*"),
    ]
)
_GAPS = st.sampled_from([" ", "\n", "\r\n", "\t", " # FROM <x> '\n", '#"""\r', "\n#<\n#'''\n "])


@steady
@given(st.lists(st.tuples(_GAPS, _PIECES), max_size=12), _GAPS)
def test_text_that_was_built_from_tokens_is_cut_into_them_again(built: list[tuple[str, tuple[str, str]]], end: str) -> None:
    text = "".join(gap + piece for gap, (_, piece) in built) + end
    assert [(token.kind, token.text) for token in tokens(text)] == [piece for _, piece in built]


@steady
@given(st.text(st.sampled_from("\"'<>\\#:@?_.-aFu0 \n\r{}\u0301"), max_size=40))
def test_whatever_the_text_the_tokens_stand_in_it_in_order_and_only_blanks_and_comments_between(text: str) -> None:
    found = list(tokens(text))
    assert all(text[token.start : token.end] == token.text for token in found)
    ends = [0, *(token.end for token in found)]
    starts = [*(token.start for token in found), len(text)]
    assert all(before <= after for before, after in pairwise(starts[:-1]))
    for end, start in zip(ends, starts, strict=True):
        assert all(not line.split("#")[0].strip() for line in text[end:start].replace("\r", "\n").split("\n"))


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "piece",
    [
        '"',
        "'",
        "<",
        "\\",
        "#",
        ":",
        "_",
        "@",
        "%",
        "a",
        "a.",
        "a-",
        "ab.",
        "a:",
        "_:",
        "1.",
        "1e",
        "@a-",
        "<a",
        "e:\\",
        "\\'",
        '\\"',
        "\\'''",
        "'''\\",
        "\"\\'",
        "'\n",
        '"""\\"',
        "<\\u0041",
        "e:%4",
        "\u0301",
        "{",
    ],
)
def test_a_long_text_of_anything_is_scanned_in_linear_time(piece: str) -> None:
    # Quadratic time would be more than a minute here; the limit is the mark above.
    text = piece * (150_000 // len(piece))
    assert sum(len(token.text) for token in tokens(text)) <= len(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\u0046ROM", "FROM"),
        (r"\U00000046ROM", "FROM"),
        (r"\U0001F697", "\U0001f697"),
        (r"\uD83D", r"\uD83D"),
        (r"\U00110000", r"\U00110000"),
        (r"\u004", r"\u004"),
        (r"\x46", r"\x46"),
        ("plain", "plain"),
    ],
)
def test_unicode_escapes_become_characters_where_there_is_one(text: str, expected: str) -> None:
    assert unescape_unicode(text) == expected


def test_a_word_is_compared_without_regard_to_case() -> None:
    (token,) = tokens("fRoM")
    assert token.is_word("LOAD", "FROM")
    assert not token.is_word("LOAD")


def test_a_variable_with_the_name_of_a_keyword_is_not_the_keyword() -> None:
    (token,) = tokens("?from")
    assert not token.is_word("FROM", "?FROM")
