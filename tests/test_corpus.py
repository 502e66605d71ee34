"""Which files a service starts from, which graph each goes to, and the hash that stands for them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from motorgraph import corpus
from motorgraph.corpus import given, shipped
from motorgraph.engine.loading import File, hash_files
from motorgraph.errors import Refusal
from motorgraph.vocab import CANONICAL_BASE, Names

NAMES = Names()


def _graphs(files: list[File]) -> dict[str, str | None]:
    return {"/".join(Path(file.path).parts[-2:]): file.graph for file in files}


def test_ontology_schemes_and_shapes_ship_each_for_its_graph_and_data_name_their_own() -> None:
    graphs = _graphs(shipped(NAMES))
    assert graphs["ontology/mg-deal.ttl"] == NAMES.graph("ontology")
    assert graphs["schemes/stance.ttl"] == NAMES.graph("reference")
    assert graphs["shapes/mg-deal.ttl"] == NAMES.graph("shapes")
    assert graphs["data/founding-article.trig"] is None


def test_alignments_are_not_loaded() -> None:
    assert not [file for file in shipped(NAMES) if "alignments" in file.path]


def test_another_base_moves_everything_that_ships() -> None:
    files = shipped(Names("https://cars.example"))
    assert {file.base for file in files} == {(CANONICAL_BASE, "https://cars.example")}
    assert "https://cars.example/graph/ontology" in {file.graph for file in files}


def test_the_canonical_base_replaces_nothing() -> None:
    assert {file.base for file in shipped(NAMES)} == {None}


@pytest.mark.parametrize(
    ("name", "media_type", "graph"),
    [
        ("deals.ttl", "text/turtle", "source/deals"),
        ("deals.nt.gz", "application/n-triples", "source/deals"),
        ("deals.jsonld", "application/ld+json", "source/deals"),
        ("Deals 2026.ttl", "text/turtle", "source/Deals%202026"),
        ("à/b.rdf".replace("/", "-"), "application/rdf+xml", "source/%C3%A0-b"),
        ("a.trig", "application/trig", "source/a"),
        ("report-2026.02.ttl", "text/turtle", "source/report-2026.02"),
        ("report-2026.03.nt.gz", "application/n-triples", "source/report-2026.03"),
    ],
)
def test_a_given_file_goes_to_the_graph_of_its_name(tmp_path: Path, name: str, media_type: str, graph: str) -> None:
    (tmp_path / name).touch()
    (file,) = given([tmp_path / name], NAMES, plain=False)
    assert (file.media_type, file.graph) == (media_type, NAMES.graph(graph))
    assert file.iri == (tmp_path / name).as_uri()


def test_a_given_file_goes_to_the_default_graph_of_a_plain_store(tmp_path: Path) -> None:
    (tmp_path / "a.ttl").touch()
    assert [file.graph for file in given([tmp_path / "a.ttl"], NAMES, plain=True)] == [None]


def test_files_keep_the_order_they_were_given_in(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("b.ttl", "a.nt", "c.rdf")]
    for path in paths:
        path.touch()
    assert [file.path for file in given(paths, NAMES, plain=True)] == [str(path) for path in paths]


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"no file .*missing\.ttl"):
        given([tmp_path / "missing.ttl"], NAMES, plain=False)


def test_a_folder_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "folder.ttl").mkdir()
    with pytest.raises(Refusal, match=r"folder\.ttl"):
        given([tmp_path / "folder.ttl"], NAMES, plain=False)


@pytest.mark.parametrize("name", ["a.csv", "a", "a.gz", "a.ttl.zip", "ttl"])
def test_a_file_whose_name_does_not_tell_its_format_is_refused_with_the_suffixes_there_are(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(Refusal, match=r"does not tell its format; .*\.ttl.*\.nq.*\.gz"):
        given([tmp_path / name], NAMES, plain=False)


@pytest.fixture
def file(tmp_path: Path) -> File:
    """A file with a triple in it."""
    path = tmp_path / "a.ttl"
    path.write_text("<http://s> <http://p> 1 .")
    return File(str(path), "text/turtle", "http://g/1")


def digest(files: list[File]) -> str:
    """The digest of what is judged at a start from these files, without rules."""
    whole = hashlib.sha256()
    hash_files(whole, files)
    return corpus.digest(whole.hexdigest(), ())


def test_the_same_files_have_the_same_digest(file: File) -> None:
    assert digest([file]) == digest([file])


def test_the_digest_is_the_same_wherever_the_package_is_installed(file: File, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere.ttl"
    copy.write_bytes(Path(file.path).read_bytes())
    assert digest([file]) == digest([replace(file, path=str(copy))])


def test_a_changed_content_changes_the_digest(file: File) -> None:
    before = digest([file])
    Path(file.path).write_text("<http://s> <http://p> 2 .")
    assert digest([file]) != before


@pytest.mark.parametrize(
    "change",
    [
        {"graph": "http://g/2"},
        {"graph": None},
        {"media_type": "text/n3"},
        {"iri": "http://x/"},
        {"base": ("http://s", "http://t")},
    ],
    ids=str,
)
def test_another_graph_format_or_base_changes_the_digest(file: File, change: dict[str, object]) -> None:
    assert digest([replace(file, **change)]) != digest([file])  # type: ignore[arg-type]  # one field each


def test_one_file_more_or_less_changes_the_digest(file: File) -> None:
    assert len({digest([]), digest([file]), digest([file, file])}) == 3


def test_content_does_not_move_between_files_unseen(tmp_path: Path) -> None:
    def two(first: str, second: str) -> str:
        for name, text in (("a.nt", first), ("b.nt", second)):
            (tmp_path / name).write_text(text)
        return digest([File(str(tmp_path / name), "application/n-triples") for name in ("a.nt", "b.nt")])

    assert two("ab", "c") != two("a", "bc")
