"""What fuzzing begins with: an input of each kind that a target tells apart, and the words that inputs are made of."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
_BEGIN, _TURTLE = b"--b\r\nContent-Disposition: form-data; name=data", b'<a:s> <a:p> [ <a:q> ( 1 \'2\' """3""" ) ] .'
_REQUESTS = [
    b"\x00\x00sparql\n--\nquery=ASK%20%7B%7D&default-graph-uri=a:g&named-graph-uri=a:h&format=csv&at=3\n--\nAccept:*/*",
    b"\x02\x01sparql\n--\nusing-graph-uri=a:g\n--\n\n--\nupdate=CLEAR+ALL&using-named-graph-uri=a:g&dry-run=true",
    b'\x02\x03sparql\n--\ndry_run=1\n--\nIf-Match:"x", W/"y"\n--\nINSERT DATA { <a:s> <a:p> \'x\' }',
    b'\x03\x04graphs\n--\ngraph=http%3A%2F%2Fe%2Fg\n--\nIdempotency-Key:"a\\"b"\nContent-Encoding:gzip\nPrefer:return=representation',
    b"\x05\x03graphs/a/b\n--\ndefault\n--\nIf-None-Match:*\nIf-Match:*\n--\nDELETE WHERE { ?s ?p ?o }",
    (
        b'\x00\x00dumps/x\n--\n\n--\nRange:bytes=-5\nIf-Range:"1-x"\nIf-Modified-Since:Thu, 01 Jan 2026 00:00:00 GMT'
        b"\nCookie:theme=dark; x=y"
    ),
    (
        b"\x00\x00\n--\n\n--\nHost:[::1]:80\nTransfer-Encoding:chunked\nRange:bytes = 5 - 9"
        b"\nIf-Unmodified-Since:Sunday, 06-Nov-94 08:49:37 GMT"
    ),
]
_HEADERS = [
    b"text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
    b'text/turtle;q=.5;x="a,b\\"c", application/*;q=0.25, */*;q=0',
    b"application/sparql-results+json, text/csv;q=1.0;level=1",
    b"de-AT;q=0.8, fr;q=1, *;q=0.1, en-GB-oxendict",
    b"gzip;q=0, x-gzip ; q=0.5, br",
    b'text/turtle; charset = "utf-8"; x=y',
    b"data.nt.gz",
]
_BODIES = [
    b"\n" + _TURTLE,
    b'\n{"@context": {"a": "a:"}, "@id": "a:s", "a:p": [{"@list": [1, "\\"["]}]}',
    b'\n<?xml version="1.0"?><!-- x --><r:RDF xmlns:r="x"><D a="/"><p>v</p><![CDATA[<a>]]></D></r:RDF>',
    b"\nid,label,country\n1,x,y",
    b"text/turtle\n"
    + _BEGIN
    + b"; filename=x.ttl\r\nContent-Type: text/turtle; charset=utf-8\r\n\r\n"
    + _TURTLE
    + b"\r\n--b--\r\n",
    b"x\n" + _BEGIN + b"\r\nContent-Transfer-Encoding: base64\r\n\r\nPGE6cz4=\r\n--b--\r\n",
    (
        b"x\ndata=%3Ca%3As%3E+a+1&type=ttl&format=txt"
        b"&mend=[{%22line%22:1,%22column%22:1,%22length%22:1,%22was%22:%22%3C%22,%22text%22:%22x%22}]"
    ),
    b"x\n\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03KL\xb2*VHL\xb2*P0T\xd0\x03\x00\xf6\xb0\xb9\x9a\x0c\x00\x00\x00",
]
_BATCHES = [
    (
        b'{"q0": {"query": "Ford", "type": ["Organization"], "type_strict": "all", "limit": 3, '
        b'"properties": [{"pid": "p", "v": {"id": "x"}}]}}'
    ),
    (
        b'{"queries": [{"type": "Plant", "conditions": [{"matchType": "name", "propertyValue": ["a"], '
        b'"matchQuantifier": "any", "required": true}]}]}'
    ),
    b'{"ids": ["a", "b"], "properties": [{"id": "p", "settings": {"limit": 1}}]}',
    b"2026-02-24T10:00:00Z",
    b"2026-21~/..",
]
_TEXTS = [
    (
        b"PREFIX a: <a:> SELECT (COUNT(DISTINCT *) AS ?n) { { ?s a:p+/^a:q|!(a:r|^a:t) ?o } "
        b"UNION { GRAPH ?g { [] a:p (1 2.0e3 'x'@en) } } } GROUP BY ?s"
    ),
    (
        b'BASE <a:> INSERT DATA { GRAPH <g> { <s> <p> """x""" } } ; '
        b"DELETE { ?s ?p ?o } INSERT { } USING NAMED <g> WHERE { ?s ?p ?o }"
    ),
    b"WITH <a:g> DELETE { ?s ?p ?o } WHERE { FILTER(?o IN (1, true) || NOT EXISTS { ?s ?p '\\u0041' }) } ; CLEAR SILENT DEFAULT",
    b"COPY <a:g> TO DEFAULT ; DELETE WHERE { GRAPH ?g { ?s ?p ?o } . ?a ?b ?c }",
    b"CONSTRUCT WHERE { ?s ?p ?o } # x\nVALUES (?s ?p) { (UNDEF <a:b>) }",
]
SEEDS: dict[str, list[bytes]] = {
    "protocol": _REQUESTS,
    "media": _HEADERS,
    "sparql": _TEXTS + [path.read_bytes() for path in sorted((ROOT / "ontology" / "questions").glob("*.rq"))],
    "body": _BODIES,
    "reconciliation": _BATCHES,
}
_OF_SPARQL = "SELECT ASK CONSTRUCT DESCRIBE INSERT DELETE DATA WHERE WITH USING NAMED GRAPH UNION OPTIONAL MINUS FILTER BIND AS"
WORDS: dict[str, list[str]] = {
    "protocol": [
        "query=",
        "update=",
        "graph=",
        "default",
        "default-graph-uri=",
        "using-graph-uri=",
        "dry-run=",
        "at=",
        "format=",
        "%00",
        "W/",
    ],
    "media": ["text/", "application/", ";q=", "*/*", "turtle", "ld+json", "charset=", "gzip", "html", ",", ";", "en-"],
    "sparql": [
        *_OF_SPARQL.split(),
        "CLEAR",
        "DROP",
        "PREFIX",
        "BASE",
        "VALUES",
        "SILENT",
        "DEFAULT",
        "'''",
        '"""',
        "{",
        "}",
        ";",
        "_:",
    ],
    "body": [
        "<!DOCTYPE",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "<?",
        "?>",
        "{|",
        "|}",
        "<<(",
        ")>>",
        "'''",
        '"""',
        "--b",
        "name=",
        "mend=",
    ],
    "reconciliation": [
        '"query"',
        '"type"',
        '"properties"',
        '"pid"',
        '"v"',
        '"conditions"',
        '"queries"',
        '"ids"',
        '"limit"',
        "null",
    ],
}


def as_dictionary(words: list[str]) -> str:
    """Words as libFuzzer reads them."""
    quoted = (word.replace("\\", "\\\\").replace('"', '\\"') for word in words)
    return "".join(f'"{word}"\n' for word in quoted)
