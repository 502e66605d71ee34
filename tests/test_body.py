"""Bodies that are traps, or not what they say: refused in words before the engine parses them, and no others."""

from __future__ import annotations

import gzip

import httpx
import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motorgraph.engine.nesting import MOST_LEVELS, refuse_traps
from motorgraph.errors import BadRequest, TooLarge
from motorgraph.media import JSONLD, N3, NQUADS, NTRIPLES, RDFXML, TRIG, TURTLE, Format
from tests.running import TOKEN, Service

AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
ONE = "<http://x/s> <http://x/p> 1 ."
XML = '<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://x/">{0}</r:RDF>'
STATEMENT = '<r:Description r:about="http://x/s"><p>v</p></r:Description>'
DOCTYPE = '<!DOCTYPE r:RDF [<!ENTITY e "xx">]>'


def nested(form: Format, levels: int) -> str:
    """A document so many levels deep."""
    if form is JSONLD:
        return '{"@id":"http://x/s","http://x/p":' * levels + "1" + "}" * levels
    if form is RDFXML:
        pairs = (levels - 1) // 2  # an element of a node, one of a property, within the root
        return XML.format("<D><p>" * pairs + "</p></D>" * pairs)
    if form in (NTRIPLES, NQUADS):
        return "<a:s> <a:p> " + "<<( <a:s> <a:p> " * levels + "<a:o>" + " )>>" * levels + " ."
    return "<a:s> <a:p> " + "[ <a:p> " * levels + "1" + "]" * levels + " ."


def put(running: Service, graph: str, body: str | bytes, media_type: str, **headers: str) -> httpx.Response:
    return running.client.put(
        "/graphs", params={"graph": graph}, content=body, headers=AUTHORIZED | {"Content-Type": media_type} | headers
    )


# How deep


@pytest.mark.parametrize("form", [TURTLE, TRIG, N3, NTRIPLES, NQUADS, JSONLD, RDFXML], ids=lambda form: form.name)
def test_what_is_nested_too_deeply_is_413_and_what_is_just_not_is_read(plain: Service, graph: str, form: Format) -> None:
    deep = nested(form, 100_000)
    response = put(plain, graph, deep, form.media_type)
    assert response.status_code == 413
    assert "500 levels" in response.json()["detail"]
    assert put(plain, graph, nested(form, MOST_LEVELS - 1), form.media_type).status_code == 201


@pytest.mark.parametrize(
    "body",
    ["<a:s> <a:p> " + mark * 501 for mark in ("(", "[", "[ <a:p> (", "<<( ", "<< ", "{")]
    + ["<a:s> <a:p> 1 " + "{| <a:p> 1 " * 501, "[" * 300 + '"]]]]]]"' + "(" * 201, "[ <a:]]]> " * 501, "[ #]]\n" * 501],
    ids=range(10),
)
def test_every_bracket_of_turtle_counts(body: str) -> None:
    with pytest.raises(TooLarge, match="Turtle is nested"):
        refuse_traps(TURTLE, body.encode())


@pytest.mark.parametrize(
    ("form", "body"),
    [
        (TURTLE, '<a:s> <a:p> "' + "[" * 9999 + '" .'),
        (TURTLE, "<a:s> <a:p> '''" + "'' [ (" * 9999 + "''' ."),
        (TURTLE, '<a:s> <a:p> """' + '\\"""" [ '.replace('""""', '"') * 9999 + '""" .'),
        (TURTLE, "# " + "[" * 9999 + "\n<a:s> <a:p> <a:((" + "(" * 9999 + "> ."),
        (TURTLE, "<a:s> a:p\\(" + "\\(" * 9999 + " 1 ."),
        (TURTLE, "<a:s> <a:p> " + "[ <a:p> ( 1 ) ] , " * 9999 + "1 ."),
        (NTRIPLES, '<a:s> <a:p> "[[((<<" .\n' * 9999),
        (JSONLD, '{"a": "' + "[{" * 9999 + '\\"[" }'),
        (JSONLD, "[" + '{"a":[]},' * 9999 + "{}]"),
        (RDFXML, XML.format("<p/>" * 9999)),
        (RDFXML, XML.format("<!--" + "<a>" * 9999 + "--><![CDATA[" + "<a>" * 9999 + "]]>")),
        (RDFXML, XML.format("<p x='/' y=\"" + ">" * 9999 + '"></p>')),
        (RDFXML, XML.format("<p>1</p>" * 9999)),
    ],
    ids=range(13),
)
def test_what_is_no_bracket_does_not_count(form: Format, body: str) -> None:
    refuse_traps(form, body.encode())


TERMS = st.recursive(
    st.one_of(
        st.sampled_from(["<a:((>", "a:b\\(", "1", "true", "_:b", "''", '"""[ " [ """', "'\\'('"]),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=6).map(lambda text: ox.Literal(text)).map(str),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda members: f"( {' '.join(members)} )"),
        inner.map(lambda value: f"[ <a:p> {value} ]"),
        inner.map(lambda value: f"# ((\n {value}"),
    ),
    max_leaves=12,
)


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.lists(TERMS, min_size=1, max_size=5))
def test_a_document_that_the_engine_reads_comes_out_at_depth_nothing(terms: list[str]) -> None:
    """So many documents one after the other would pass the limit if the brackets of one were not all closed."""
    text = "".join(f"<a:s> <a:p> {term} .\n" for term in terms)
    assert list(ox.parse("PREFIX a: <a:> " + text, ox.RdfFormat.TURTLE))
    refuse_traps(TURTLE, (text * 600).encode())
    with pytest.raises(TooLarge):
        refuse_traps(TURTLE, (text * 3 + "(" * (MOST_LEVELS + 1)).encode())


# Document types, charsets


@pytest.mark.parametrize(
    "head",
    [
        DOCTYPE,
        '<?xml version="1.0"?>' + DOCTYPE,
        "\n \t" + DOCTYPE.lower(),
        "<!-- a > comment -->" + DOCTYPE,
        "<?pi a > b?><!-- -->\n" + DOCTYPE,
        "<!DOCTYPE r:RDF SYSTEM 'file:///etc/passwd'>",
        "\ufeff" + DOCTYPE,
    ],
    ids=range(7),
)
def test_rdf_xml_with_a_document_type_is_refused(plain: Service, graph: str, head: str) -> None:
    response = put(plain, graph, (head + XML.format(STATEMENT)).encode(), "application/rdf+xml")
    assert response.status_code == 400
    assert "DOCTYPE" in response.json()["detail"]
    assert plain.client.get("/graphs", params={"graph": graph}).status_code == 404


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_rdf_xml_in_another_unicode_is_refused_document_type_or_not(plain: Service, graph: str, charset: str) -> None:
    for head in ("", DOCTYPE):
        response = put(plain, graph, (head + XML.format(STATEMENT)).encode(charset), "application/rdf+xml")
        assert response.status_code == 400
        assert "UTF-8" in response.json()["detail"]


def test_rdf_xml_that_says_another_charset_is_refused(plain: Service, graph: str) -> None:
    body = '<?xml version="1.0" encoding="iso-8859-1"?>' + XML.format(STATEMENT)
    response = put(plain, graph, body.encode("latin-1"), "application/rdf+xml")
    assert response.status_code == 400
    assert "UTF-8" in response.json()["detail"]


def test_rdf_xml_that_only_speaks_of_document_types_is_read(plain: Service, graph: str) -> None:
    body = XML.format(STATEMENT.replace("v", "<![CDATA[<!DOCTYPE x>]]>") + "<!-- <!DOCTYPE y> -->")
    assert put(plain, graph, body, "application/rdf+xml").status_code == 201
    assert plain.rows(f"SELECT ?o {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}") == [{"o": "<!DOCTYPE x>"}]


def test_a_bomb_of_entities_is_refused_at_once(plain: Service, graph: str) -> None:
    entities = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(12))
    bomb = f'<!DOCTYPE r [<!ENTITY e0 "xxxxxxxxxx">{entities}]>' + XML.format(STATEMENT.replace("v", "&e12;"))
    response = put(plain, graph, bomb, "application/rdf+xml")
    assert response.status_code == 400
    assert "grow without bound" in response.json()["detail"]


@pytest.mark.parametrize("media_type", ["text/turtle", "application/ld+json", "application/rdf+xml"])
def test_a_byte_order_mark_of_utf_8_is_passed_over(plain: Service, graph: str, media_type: str) -> None:
    body = {
        "text/turtle": ONE,
        "application/ld+json": '{"@id": "http://x/s", "http://x/p": 1}',
        "application/rdf+xml": XML.format(STATEMENT),
    }
    assert put(plain, graph, ("\ufeff" + body[media_type]).encode(), media_type).status_code == 201


@pytest.mark.parametrize("charset", ["iso-8859-1", '"UTF-16"', "windows-1252"], ids=["latin", "quoted", "windows"])
@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH"])
def test_a_charset_that_is_not_utf_8_is_415(plain: Service, graph: str, method: str, charset: str) -> None:
    media_type = "application/sparql-update" if method == "PATCH" else "text/turtle"
    headers = AUTHORIZED | {"Content-Type": f"{media_type};charset={charset}"}
    response = plain.client.request(method, "/graphs", params={"graph": graph}, content="", headers=headers)
    assert response.status_code == 415
    assert "UTF-8" in response.json()["detail"]


@pytest.mark.parametrize("charset", ["utf-8", '"UTF-8"', "US-ASCII"], ids=["plain", "quoted", "ascii"])
def test_utf_8_and_its_part_are_read_by_any_of_their_names(plain: Service, graph: str, charset: str) -> None:
    assert put(plain, graph, ONE, f"text/turtle; charset={charset}").status_code == 201


# What a body may not ask for, or not hold


@pytest.mark.parametrize(
    "context",
    [
        '"http://127.0.0.1:1/context"',
        '["http://127.0.0.1:1/context"]',
        '{"@import": "http://127.0.0.1:1/context"}',
        '{"t": {"@id": "http://x/t", "@context": "http://127.0.0.1:1/context"}}',
        '"context.jsonld"',
    ],
    ids=["iri", "list", "import", "scoped", "relative"],
)
def test_a_remote_context_is_refused_in_words(plain: Service, graph: str, context: str) -> None:
    body = f'{{"@context": {context}, "@id": "http://x/s", "t": {{"http://x/p": 1}}}}'
    response = put(plain, graph, body, "application/ld+json")
    assert response.status_code == 400
    assert "never fetched" in response.json()["detail"]


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("application/n-quads", "<a:s> <a:p> <a:o> <a:g> ."),
        ("application/trig", "<a:g> { <a:s> <a:p> <a:o> }"),
        ("application/ld+json", '{"@id": "http://x/g", "@graph": [{"@id": "http://x/s", "http://x/p": 1}]}'),
    ],
    ids=["quads", "trig", "json-ld"],
)
def test_graphs_of_a_body_are_refused_with_what_would_be_right(plain: Service, graph: str, media_type: str, body: str) -> None:
    response = put(plain, graph, body, media_type)
    assert response.status_code == 400
    assert "Send each graph by itself" in response.json()["detail"]


# Packed and in parts


def test_all_members_of_a_gzip_are_read(plain: Service, graph: str) -> None:
    body = gzip.compress(ONE.encode()) + gzip.compress(b" <http://x/s> <http://x/p> 2 .")
    assert put(plain, graph, body, "text/turtle", **{"Content-Encoding": "gzip"}).status_code == 201
    assert plain.rows(f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}") == [{"n": "2"}]


def test_what_stands_behind_a_gzip_is_refused(plain: Service, graph: str) -> None:
    body = gzip.compress(ONE.encode()) + b"and more"
    assert put(plain, graph, body, "text/turtle", **{"Content-Encoding": "gzip"}).status_code == 400


def form(*parts: str, end: str = "--b--\r\n") -> str:
    return "".join(f"--b\r\nContent-Disposition: form-data; name=x{part}\r\n" for part in parts) + end


def post_form(running: Service, graph: str, body: str) -> httpx.Response:
    headers = AUTHORIZED | {"Content-Type": "multipart/form-data; boundary=b"}
    return running.client.post("/graphs", params={"graph": graph}, content=body.encode(), headers=headers)


def test_a_part_is_read_by_its_type_or_else_by_the_name_of_its_file(plain: Service, graph: str) -> None:
    typed = f"\r\nContent-Type: text/turtle\r\n\r\n{ONE}"
    named = "; filename=x.jsonld\r\n\r\n" + '{"@id": "http://x/s", "http://x/p": 2}'
    turtle = "; filename=x.ttl\r\n\r\n@prefix x: <http://x/> . x:s x:p 3 ."
    assert post_form(plain, graph, form(typed, named, turtle)).status_code == 201
    assert len(plain.rows(f"SELECT * {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}")) == 3


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (form(f"\r\nContent-Type: text/turtle\r\n\r\n{ONE}", end=""), 400, "not whole"),
        (form(f"\r\nContent-Type: text/turtle\r\n\r\n{ONE}", end="--b"), 400, "not whole"),
        (form(f"\r\n\r\n{ONE}"), 400, "neither a Content-Type nor a file name"),
        (form(f"; filename=x.png\r\n\r\n{ONE}"), 400, "neither a Content-Type nor a file name"),
        (form(f"\r\nContent-Type: text/turtle; charset=latin-1\r\n\r\n{ONE}"), 415, "UTF-8"),
        (form("\r\nContent-Type: text/turtle\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%a"), 400, "not what it says"),
    ],
    ids=["cut", "cut in the boundary", "no type", "unknown name", "charset", "base64"],
)
def test_a_form_that_is_cut_or_does_not_say_what_it_holds_is_refused(
    plain: Service, graph: str, body: str, status: int, words: str
) -> None:
    response = post_form(plain, graph, body)
    assert response.status_code == status, response.text
    assert words in response.json()["detail"]
    assert plain.client.get("/graphs", params={"graph": graph}).status_code == 404


def test_no_document_type_is_found_in_other_formats() -> None:
    refuse_traps(TURTLE, b'<a:s> <a:p> "<!DOCTYPE x>" .')
    with pytest.raises(BadRequest):
        refuse_traps(RDFXML, b"<!DOCTYPE x>")
