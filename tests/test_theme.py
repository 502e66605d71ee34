"""Light and dark as a reader chooses, without a script."""

from __future__ import annotations

import httpx
import pytest

from tests.running import Service

BROWSER = {"Accept": "text/html"}


def choose(running: Service, theme: str, referer: str = "") -> httpx.Response:
    with httpx.Client(base_url=running.url, trust_env=False) as client:
        return client.post("/theme", data={"set": theme}, headers={"Referer": referer} if referer else {})


def test_a_choice_is_kept_and_leads_back_to_the_page_that_it_was_made_on(plain: Service) -> None:
    response = choose(plain, "dark", f"{plain.url}/changes?page=1")
    assert (response.status_code, response.headers["Location"]) == (303, "/changes?page=1")
    assert "theme=dark; Path=/; Max-Age=31536000" in response.headers["Set-Cookie"]
    assert "Max-Age=0" in choose(plain, "system").headers["Set-Cookie"]


@pytest.mark.parametrize(
    "referer",
    ["", "https://elsewhere.example/x", "{url}//elsewhere.example/", "{url}/\\elsewhere.example", "http://[", "javascript:1"],
)
def test_nobody_is_led_elsewhere(plain: Service, referer: str) -> None:
    assert choose(plain, "light", referer.format(url=plain.url)).headers["Location"] == "/"


@pytest.mark.parametrize("theme", ["blue", "", "dark\r\nX: y"])
def test_what_is_no_theme_is_refused(plain: Service, theme: str) -> None:
    response = choose(plain, theme)
    assert response.status_code == 400
    assert "set-cookie" not in response.headers


def test_a_page_is_dressed_as_chosen_and_says_which_choice_holds(plain: Service) -> None:
    for theme in ("light", "dark"):
        response = plain.client.get("/changes", headers=BROWSER | {"Cookie": f"other=1; theme={theme}"})
        assert f'<html lang="en" data-theme="{theme}">' in response.text
        assert response.text.count('aria-pressed="true"') == 1
        assert f'value="{theme}" aria-pressed="true"' in response.text
        assert "Cookie" in response.headers["Vary"]
    for cookie in ("theme=system", "theme=<script>", "theme"):
        response = plain.client.get("/changes", headers=BROWSER | {"Cookie": cookie})
        assert '<html lang="en">' in response.text
        assert 'value="system" aria-pressed="true"' in response.text


def test_a_page_in_a_theme_is_never_taken_for_the_same_page_in_another(plain: Service) -> None:
    first = plain.client.get("/changes", headers=BROWSER)
    known = BROWSER | {"If-None-Match": first.headers["ETag"]}
    assert plain.client.get("/changes", headers=known).status_code == 304
    dark = plain.client.get("/changes", headers=known | {"Cookie": "theme=dark"})
    assert dark.status_code == 200
    assert "ETag" not in dark.headers
    data = plain.client.get("/changes", headers={"Accept": "application/json"})
    again = {"Accept": "application/json", "If-None-Match": data.headers["ETag"], "Cookie": "theme=dark"}
    assert plain.client.get("/changes", headers=again).status_code == 304


def test_a_page_is_sent_packed_to_who_can_unpack_it(plain: Service) -> None:
    packed = plain.client.get("/", headers=BROWSER | {"Accept-Encoding": "gzip"})
    plainly = plain.client.get("/", headers=BROWSER | {"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plainly.headers
    assert packed.text == plainly.text
    assert int(packed.headers["Content-Length"]) < int(plainly.headers["Content-Length"]) / 2
