"""What an analyst does in a morning: search, read who says so, compare duties, change the query behind, take it away."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Download, Page

from tests.browser.asking import Opened, write
from tests.running import Service

pytestmark = pytest.mark.browser
PLANTS = """# Plants of Ford and Geely in Spain and Sweden
PREFIX mg: <https://motorgraph.example/ontology/>
PREFIX wgs: <http://www.w3.org/2003/01/geo/wgs84_pos#>
SELECT ?plant ?country ?lat ?long {
  VALUES ?country { <https://motorgraph.example/id/country/es> <https://motorgraph.example/id/country/se> }
  ?plant a mg:Plant ; mg:country ?country ; wgs:lat ?lat ; wgs:long ?long }"""


def taken(page: Page, act: Callable[[], None]) -> Download:
    """What is saved by doing something."""
    with page.expect_download() as waiting:
        act()
    return waiting.value


def test_an_analyst_goes_from_a_name_to_a_table_a_map_and_a_picture(opened: Opened, shipped: Service) -> None:
    page = opened()
    page.goto("/")
    page.fill(".hero input[name=q]", "Valencia")
    page.locator(".suggestions li", has_text="Ford Valencia Body").first.click()
    page.wait_for_url("**/page/plant/ford-valencia-body-and-assembly")
    said = page.inner_text("main")
    assert "Geely" in said
    assert re.search(r"Reuters|Handelsblatt|Bloomberg|El País|Ford|Geely", said)
    page.click("a:text-is('See both routes')")
    page.wait_for_url("**/questions/duty?*")
    assert "%" in page.inner_text("main")
    page.click("a:text-is('Open in the query page')")
    page.wait_for_selector(".answer button.pick")
    rows = page.locator(".answer tbody tr").count()
    assert rows >= 2
    text = page.input_value("#query")
    assert "?total" in text
    write(page, text + "\nLIMIT 1")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".runline b:text-is('1 row')")
    file = taken(page, lambda: page.click(".runline a:text-is('CSV')")).path()
    lines = list(csv.DictReader(Path(file).read_text().splitlines()))
    assert len(lines) == 1
    assert float(lines[0]["total"]) > 0
    write(page, PLANTS)
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".map .mark")
    expected = {row["plant"] for row in shipped.rows(PLANTS)}
    places = json.loads(Path(taken(page, lambda: page.click("button:text-is('GeoJSON')")).path()).read_bytes())
    assert {place["properties"]["plant"] for place in places["features"]} == expected
    picture = Path(taken(page, lambda: page.click("button:text-is('PNG')")).path()).read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 20_000
