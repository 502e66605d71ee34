"""Alignments are loaded on demand, beside the shipped graph, and then its data answer in the terms of others."""

from pathlib import Path

import pytest
from pyoxigraph import QueryBoolean, Store

from motorgraph import corpus, inference
from motorgraph.engine import loading
from motorgraph.errors import BadRequest
from motorgraph.settings import Settings
from motorgraph.vocab import Names

ROOT = Path(__file__).parents[1]
ALIGNMENTS = ROOT / "ontology" / "alignments"

FOREIGN = {  # what can only be asked of the shipped data once the alignment is there
    "org": "?office a/rdfs:subClassOf* ?class . ?class skos:closeMatch <http://www.w3.org/ns/org#Post>",
    "prov": "?link rdfs:subPropertyOf* <http://www.w3.org/ns/prov#wasAssociatedWith> . ?event ?link organization:ford",
    "schema": "?outlet a/rdfs:subClassOf* <https://schema.org/NewsMediaOrganization>",
    "sem": "?event a/rdfs:subClassOf* <http://semanticweb.cs.vu.nl/2009/11/sem/Event>",
}
PREFIXES = """
PREFIX organization: <https://motorgraph.example/id/organization/>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
"""


@pytest.fixture(scope="module")
def aligned() -> Store:
    """The shipped graph with every alignment loaded as `--align` does, and what follows."""
    store = Store()
    for file in corpus.starting(Settings(align=tuple(path.stem for path in ALIGNMENTS.glob("*.ttl"))), Names()):
        loading.load_file(store, file)
    store.extend(inference.rebuild(store, inference.shipped_rules(Names())))
    loading.merge(store)
    return store


def holds(store: Store, pattern: str) -> bool:
    answer = store.query(f"{PREFIXES} ASK {{ {pattern} }}")
    assert isinstance(answer, QueryBoolean)
    return bool(answer)


@pytest.mark.parametrize("name", FOREIGN)
def test_with_an_alignment_the_data_answer_in_its_terms(aligned: Store, name: str) -> None:
    assert holds(aligned, FOREIGN[name])


@pytest.mark.parametrize("name", FOREIGN)
def test_without_alignments_they_do_not(shipped_store: Store, name: str) -> None:
    assert not holds(shipped_store, FOREIGN[name])


def test_an_alignment_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(BadRequest, match="no alignment 'none'; there are auto, eli, "):
        corpus.starting(Settings(align=("none",)), Names())
