"""The scripts of the pages: what ships is what the sources say, and how it is sent."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from motorgraph.bundle import Bundle, digest
from motorgraph.resources import PACKAGE, web
from tests.running import Service

SOURCES = PACKAGE.parent / "pages"
BUNDLE = Bundle(web("static") / "bundle")


@pytest.mark.skipif(not SOURCES.is_dir(), reason="the sources of the scripts are not here: what is tested is an installed wheel")
def test_the_bundle_was_built_from_the_sources_as_they_are() -> None:
    assert BUNDLE.sources == digest(SOURCES), "make bundle"


@pytest.mark.skipif(not SOURCES.is_dir(), reason="the sources of the scripts are not here: what is tested is an installed wheel")
def test_the_lock_file_names_no_registry() -> None:
    locked = json.loads((SOURCES / "package-lock.json").read_text())["packages"]
    assert not [name for name, package in locked.items() if "resolved" in package]
    assert all("integrity" in package for name, package in locked.items() if name)


def test_every_file_of_the_bundle_is_in_its_manifest_as_it_is() -> None:
    there = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in BUNDLE.folder.iterdir()}
    del there["manifest.json"]
    assert there == BUNDLE.files


def test_a_script_is_sent_packed_and_may_be_kept_for_ever(plain: Service) -> None:
    for address in BUNDLE.modules("query"):
        sent = plain.client.get(address)
        assert sent.headers["content-type"] == "text/javascript; charset=utf-8"
        assert sent.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert sent.headers["content-encoding"] == "gzip"
        assert sent.content == (BUNDLE.folder / Path(address).name).read_bytes()


def test_a_style_sheet_is_asked_after_and_sent_again_only_when_it_changed(plain: Service) -> None:
    first = plain.client.get("/static/style.css")
    assert first.headers["cache-control"] == "no-cache"
    assert plain.client.get("/static/style.css", headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    whole = plain.client.get("/static/style.css", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in whole.headers
    assert whole.headers["etag"] != first.headers["etag"]
    assert whole.content == first.content == (web("static") / "style.css").read_bytes()


def test_what_is_packed_is_what_a_client_unpacks(plain: Service) -> None:
    with plain.client.stream("GET", "/static/marks.svg", headers={"Accept-Encoding": "gzip"}) as sent:
        packed = b"".join(sent.iter_raw())
    assert gzip.decompress(packed) == (web("static") / "marks.svg").read_bytes()


@pytest.mark.parametrize(
    "path", ["/static/", "/static/none.css", "/static/bundle", "/static/..%2f..%2fpages.py", "/static/%00.css"]
)
def test_what_is_no_file_there_is_not_found(plain: Service, path: str) -> None:
    assert plain.client.get(path).status_code == 404


def test_nothing_but_reading_is_done_to_a_file(plain: Service) -> None:
    assert plain.client.put("/static/style.css", content="x").status_code == 405
