"""The form of a new source document: made from the shapes, tried, committed, and then found in the graph."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.running import TOKEN, Service

BASE = "https://motorgraph.example"
GRAPH = f"{BASE}/graph/source/curated-2026"
FILLED = {
    "slug": "curated-2026",
    "document.dcterms:title": "Geely looks at Valencia",
    "document.dcterms:publisher": "Reuters",
    "document.mg:accessedOn": "2026-11-26",
    "document.schema:url": "https://www.example.org/geely-looks-at-valencia",
    "proposition1.mg:aboutNode": "Ford Valencia Body & Assembly",
    "proposition1.mg:aspect": "who may build there",
    "proposition1.mg:statementText": "Geely may build cars at Valencia.",
    "claim1.mg:assertedBy": "reuters",
    "claim1.mg:modality": f"{BASE}/concept/modality/under-study",
    "claim1.mg:stance": f"{BASE}/concept/stance/asserted",
    "claim1.mg:reportedOn": "2026-11-20",
    "source1.mg:anonymity": f"{BASE}/concept/anonymity/unnamed",
    "source1.mg:sourceCount": "2",
    "key": "a-key-of-the-tests",
    "message": "Add what was said of Valencia",
}


def sent(running: Service, action: str = "try", token: str = TOKEN, **changes: str) -> httpx.Response:
    form = {**FILLED, "action": action, "token": token, **changes}
    return running.client.post("/validate/new", data=form, headers={"Accept": "text/html"})


@pytest.fixture(scope="module")
def committed(shipped: Service) -> Iterator[httpx.Response]:
    """The answer to the form, committed; the graph is taken away again at the end."""
    yield sent(shipped, "commit")
    assert shipped.client.delete("/graphs", params={"graph": GRAPH}, headers={"Authorization": f"Bearer {TOKEN}"}).is_success


def test_the_form_has_a_field_for_what_the_shapes_ask_with_the_words_of_the_ontology(shipped: Service) -> None:
    page = shipped.client.get("/validate/new", headers={"Accept": "text/html"}).text
    stance = re.search(r'<select id="claim1-mg-stance".*?</select>', page, re.DOTALL)
    assert stance is not None
    assert "declined to confirm</option>" in stance[0]
    assert 'name="document.mg:accessedOn" type="date"' in page
    assert 'name="proposition1.mg:aspect"' in page
    assert re.search(r'>Stance <span class="need">needed</span>', page)
    assert ">Reuters</option>" in page


def test_a_dry_run_tells_what_would_come_and_stores_nothing(shipped: Service) -> None:
    before = shipped.metric("motorgraph_commit")
    page = sent(shipped)
    assert page.status_code == 200
    assert "Would be accepted." in page.text
    assert "20 statements would come" in page.text
    assert 'value="commit"' in page.text
    assert shipped.metric("motorgraph_commit") == before


def test_the_token_is_not_shown_again_and_a_wrong_one_is_401(shipped: Service) -> None:
    assert TOKEN not in sent(shipped).text
    assert sent(shipped, token="wrong").status_code == 401
    nobody = sent(shipped, token="")
    assert nobody.status_code == 401
    assert "Geely looks at Valencia" in nobody.text
    assert TOKEN not in shipped.log.read_text()


def test_a_mistake_is_told_at_its_field_and_what_was_filled_in_stays(shipped: Service) -> None:
    page = sent(shipped, **{"document.dcterms:publisher": "Reutters"})
    assert page.status_code == 422
    assert re.search(r'id="document-dcterms-publisher-error">[^<]*did you mean Reuters', page.text)
    assert 'value="Reutters"' in page.text
    page = sent(shipped, **{"document.schema:url": "www.example.org"})
    assert re.search(r'id="document-schema-url-error">[^<]*Write <a[^>]*>schema:url</a> as an address', page.text)
    assert 'value="commit"' not in page.text
    assert sent(shipped, slug="Not a slug").status_code == 422
    assert sent(shipped, **{"claim1.mg:stance": ""}).status_code == 422


def test_one_more_claim_needs_no_token(shipped: Service) -> None:
    page = sent(shipped, "add", token="")
    assert page.status_code == 200
    assert "<legend>Claim 2</legend>" in page.text
    assert "Geely looks at Valencia" in page.text
    assert sent(shipped, "add", claims="99").status_code == 400
    assert sent(shipped, "burn").status_code == 400


def test_a_form_that_another_site_sends_is_403(shipped: Service) -> None:
    for headers in ({"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert shipped.client.post("/validate/new", data={**FILLED, "token": TOKEN}, headers=headers).status_code == 403


def test_a_bare_store_has_no_such_form(plain: Service) -> None:
    assert plain.client.get("/validate/new").status_code == 404


def test_what_is_committed_is_found_with_its_source(shipped: Service, committed: httpx.Response) -> None:
    assert (committed.status_code, committed.headers["Location"]) == (303, "/page/source/curated-2026")
    found = shipped.rows(
        f"""PREFIX mg: <{BASE}/ontology/> SELECT ?by ?count ?about {{ GRAPH <{GRAPH}> {{
          ?claim mg:foundIn <{BASE}/source/curated-2026> ; mg:assertedBy ?by ; mg:attributedTo/mg:sourceCount ?count ;
            mg:proposition/mg:aboutNode ?about }} }}"""
    )
    assert found == [
        {"by": f"{BASE}/id/organization/reuters", "count": "2", "about": f"{BASE}/id/plant/ford-valencia-body-and-assembly"}
    ]
    change = shipped.client.get(f"/changes/{int(shipped.metric('motorgraph_commit'))}").json()
    assert change["message"] == "Add what was said of Valencia"
    assert "Geely looks at Valencia" in shipped.client.get(committed.headers["Location"], headers={"Accept": "text/html"}).text


def test_a_form_that_is_sent_twice_is_committed_once(shipped: Service, committed: httpx.Response) -> None:
    before = shipped.metric("motorgraph_commit")
    assert sent(shipped, "commit").status_code == committed.status_code
    assert sent(shipped, "commit", key="another-key").status_code == 412
    assert shipped.metric("motorgraph_commit") == before
