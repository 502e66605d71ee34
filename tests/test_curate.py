"""The form of a new source document: made from the shapes, tried, committed, and then found in the graph."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import httpx
import pyoxigraph as ox
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


CLAIM = "denial-reuters"


def sent(running: Service, action: str = "try", token: str = TOKEN, **changes: str | list[str]) -> httpx.Response:
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
    assert re.search(r'name="document.mg:accessedOn"[^>]* type="date"', page)
    assert 'name="proposition1.mg:aspect"' in page
    assert re.search(r'>Stance <span class="need">needed</span>', page)
    assert '<option value="Reuters">' in page
    assert re.search(rf'name="claim1.mg:assertedBy"[^>]* data-classes="{BASE}/ontology/Organization [^>]* list="list-', page)


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


def test_a_name_with_its_iri_behind_it_stands_for_the_thing_with_that_iri(shipped: Service) -> None:
    page = sent(shipped, **{"claim1.mg:assertedBy": f"Ford <{BASE}/id/organization/reuters>"})
    assert "Would be accepted." in page.text
    assert re.search(r"mg:assertedBy &lt;[^&]*organization/reuters&gt;|mg:assertedBy organization:reuters", page.text)
    page = sent(shipped, **{"claim1.mg:assertedBy": "Reuters <http://nothing here>"})
    assert re.search(r'id="claim1-mg-assertedBy-error">[^<]*is no IRI', page.text)


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


def said(page: httpx.Response) -> set[str]:
    """The terms of the statements that a form would make, as the page shows them."""
    text = html.unescape(
        re.sub(r"<[^>]+>", "", page.text.partition('id="says"')[2].partition("<code>")[2].partition("</code>")[0])
    )
    return {str(term) for quad in ox.parse(text, ox.RdfFormat.TURTLE) for term in quad.triple}


# Several values, languages, coarser days, what is denied


def test_a_field_takes_several_values_each_with_its_language(shipped: Service) -> None:
    titles = {"document.dcterms:title": ["A title", "", "Ein Titel"], "document.dcterms:title@": ["en", "en", "de"]}
    page = sent(shipped, slug="titled", **titles)
    assert page.status_code == 200, page.text
    assert {'"A title"@en', '"Ein Titel"@de'} <= said(page)
    wrong = sent(shipped, **{**titles, "document.dcterms:title@": ["en", "en", "no language"]})
    assert wrong.status_code == 422
    assert "is no language: give its tag" in wrong.text
    assert sent(shipped, **{"document.dcterms:title": ["x"] * 21}).status_code == 400
    assert sent(shipped, slug=["one", "two"]).status_code == 400


def test_another_value_has_a_row_without_a_script_and_what_was_filled_in_stays(shipped: Service) -> None:
    page = sent(shipped, "more claim1.mg:assertedBy", token="")
    assert page.status_code == 200
    rows = re.findall(r'<input [^>]*name="claim1.mg:assertedBy"[^>]*value="([^"]*)"', page.text)
    assert rows == ["reuters", ""]


def test_a_month_is_told_as_one_and_a_day_that_is_none_is_told_at_its_field(shipped: Service) -> None:
    page = sent(shipped, slug="in-a-month", **{"claim1.mg:reportedOn": "2026-02"})
    assert page.status_code == 200
    day = "^^<http://www.w3.org/2001/XMLSchema#date>"
    assert {'"2026-02"', f'"2026-02-01"{day}', f'"2026-03-01"{day}', f"<{BASE}/ontology/dateEDTF>"} <= said(page)
    assert f"<{BASE}/ontology/reportedOn>" not in said(page)
    page = sent(shipped, **{"claim1.mg:reportedOn": "last week"})
    assert page.status_code == 422
    assert re.search(r'id="claim1-mg-reportedOn-error">Write the day as 2026-02-04', page.text)


def test_a_denial_in_one_document_is_about_the_proposition_of_the_claim_before_it(shipped: Service) -> None:
    denial = {
        "claims": "2",
        "slug": "",
        "about2": "the same as claim 1",
        "claim2.mg:assertedBy": "Ford Motor Company",
        "claim2.mg:modality": f"{BASE}/concept/modality/under-study",
        "claim2.mg:stance": f"{BASE}/concept/stance/denied",
        "claim2.mg:reportedOn": "2026-11-20",
    }
    page = sent(shipped, **denial)
    assert page.status_code == 200, page.text
    assert f"<{BASE}/source/geely-looks-at-valencia>" in said(page)
    assert f"<{BASE}/id/proposition/geely-looks-at-valencia-1>" in said(page)
    assert f"<{BASE}/id/proposition/geely-looks-at-valencia-2>" not in said(page)
    assert f"<{BASE}/id/claim/geely-looks-at-valencia-2>" in said(page)
    assert "about2-error" in sent(shipped, **{**denial, "about2": "claim 7"}).text


# A claim that is there


@pytest.fixture
def entered(shipped: Service) -> Iterator[str]:
    """The address of the form to correct a claim, which is in the graph for the time of a test."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert sent(shipped, "commit", slug=CLAIM, key="").status_code == 303
    yield f"/validate/correct?claim={CLAIM}-1"
    where = {"graph": f"{BASE}/graph/source/{CLAIM}"}
    assert shipped.client.delete("/graphs", params=where, headers=headers).is_success


def filled(running: Service, address: str) -> dict[str, str | list[str]]:
    """What the form holds when it is opened, as a browser would send it."""
    page = running.client.get(address, headers={"Accept": "text/html"})
    assert page.status_code == 200
    form = page.text.partition('<form class="try"')[2].partition("</form>")[0]
    found = {name: html.unescape(text) for name, text in re.findall(r'<input [^>]*name="([^"]+)"[^>]* value="([^"]*)"', form)}
    found |= {n: html.unescape(t) for n, t in re.findall(r'<textarea [^>]*name="([^"]+)"[^>]*>([^<]*)', form)}
    for name, options in re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        found[name] = next(iter(re.findall(r'value="([^"]*)" selected', options)), "")
    return {**found, "token": TOKEN}


def corrected(running: Service, address: str, form: dict[str, str | list[str]], action: str = "try") -> httpx.Response:
    return running.client.post(address, data={**form, "action": action}, headers={"Accept": "text/html"})


def test_the_form_of_a_claim_holds_what_it_says_and_changes_nothing_by_itself(shipped: Service, entered: str) -> None:
    form = filled(shipped, entered)
    assert form["claim1.mg:assertedBy"] == "Reuters"
    assert form["claim1.mg:reportedOn"] == "2026-11-20"
    assert form["proposition1.mg:statementText"] == "Geely may build cars at Valencia."
    assert "Nothing would change" in corrected(shipped, entered, form).text
    page = shipped.client.get(f"/page/claim/{CLAIM}-1", headers={"Accept": "text/html"}).text
    assert f'<a href="{entered}">Correct this claim</a>' in page


def test_a_correction_is_shown_as_what_goes_and_comes_and_then_committed(shipped: Service, entered: str) -> None:
    form = {**filled(shipped, entered), "claim1.mg:reportedOn": "2026-11", "claim1.mg:stance": f"{BASE}/concept/stance/denied"}
    before = shipped.metric("motorgraph_commit")
    tried = corrected(shipped, entered, form)
    assert tried.status_code == 200, tried.text
    assert "<del>2026-11-20</del>" in tried.text
    assert "<del>asserted</del></td><td><ins>denied</ins>" in tried.text
    assert shipped.metric("motorgraph_commit") == before
    assert corrected(shipped, entered, form, "commit").status_code == 303
    told = shipped.rows(
        f"""PREFIX mg: <{BASE}/ontology/> SELECT ?stance ?edtf ?end ?day {{ <{BASE}/id/claim/{CLAIM}-1> mg:stance ?stance ;
          mg:dateEDTF ?edtf ; mg:resolvedEnd ?end . OPTIONAL {{ <{BASE}/id/claim/{CLAIM}-1> mg:reportedOn ?day }} }}"""
    )
    assert told == [{"stance": f"{BASE}/concept/stance/denied", "edtf": "2026-11", "end": "2026-12-01"}]
    assert filled(shipped, entered)["claim1.mg:reportedOn"] == "2026-11"
    change = shipped.client.get(f"/changes/{int(before) + 1}").json()
    assert change["message"] == f"Correct the claim {CLAIM}-1"


def test_who_was_slower_is_told_412_and_loses_nothing(shipped: Service, entered: str) -> None:
    slow = {**filled(shipped, entered), "claim1.mg:reportedOn": "2026-11-18"}
    quick = {**filled(shipped, entered), "claim1.mg:reportedOn": "2026-11-19"}
    assert corrected(shipped, entered, quick, "commit").status_code == 303
    late = corrected(shipped, entered, slow, "commit")
    assert late.status_code == 412
    assert "Somebody has changed this claim" in late.text
    assert 'value="2026-11-18"' in late.text
    assert "<del>2026-11-19</del></td><td><ins>2026-11-18</ins>" in late.text
    was = re.search(r'name="was" value="(\w+)"', late.text)
    assert was is not None
    assert corrected(shipped, entered, {**slow, "was": was[1]}, "commit").status_code == 303


def test_a_correction_that_breaks_the_shapes_or_has_no_token_is_refused(shipped: Service, entered: str) -> None:
    form = filled(shipped, entered)
    broken = corrected(shipped, entered, {**form, "claim1.mg:stance": ""}, "commit")
    assert broken.status_code == 422
    assert "claim1-mg-stance-error" in broken.text
    assert corrected(shipped, entered, {**form, "claim1.mg:reportedOn": "2026-11-01", "token": "wrong"}).status_code == 401
    assert shipped.client.get("/validate/correct?claim=no-such-claim").status_code == 404
    assert shipped.client.get("/validate/correct").status_code == 400


def test_a_claim_that_corrects_another_begins_with_its_words(shipped: Service, entered: str) -> None:
    form = filled(shipped, f"/validate/new?corrects={CLAIM}-1")
    assert form["proposition1.mg:statementText"] == "Geely may build cars at Valencia."
    assert form["relation1.mg:toClaim"] == f"{BASE}/id/claim/{CLAIM}-1"
    assert form["relation1.mg:relationKind"] == f"{BASE}/concept/claim-relation-kind/corrects"
    relation = {name: form[name] for name in ("relation1.mg:toClaim", "relation1.mg:relationKind")}
    page = sent(shipped, slug="correcting", **relation)
    assert page.status_code == 200, page.text
    assert {f"<{BASE}/id/claim/{CLAIM}-1>", f"<{BASE}/id/claim/correcting-1>"} <= said(page)
