"""The views of an answer: what they draw, what they ask for, what is picked in one is picked in all, what they save."""

from __future__ import annotations

from base64 import b64encode
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Page

from tests.browser.asking import Opened, example, write

pytestmark = pytest.mark.browser
SVG = "{http://www.w3.org/2000/svg}"
PLACES = """SELECT ?place ?kind ?built ?lat ?long { VALUES (?place ?kind ?built ?lat ?long) {
  ("Here" "car" "2001-05-01"^^<http://www.w3.org/2001/XMLSchema#date> 39.3 -0.4)
  ("There" "van" "2011"^^<http://www.w3.org/2001/XMLSchema#gYear> 48.2 16.4)
  ("Yonder" "car" "2021-02"^^<http://www.w3.org/2001/XMLSchema#gYearMonth> 52.5 13.4) } }"""
YEARS = " ".join(
    f'("{maker}" "{year}"^^<http://www.w3.org/2001/XMLSchema#gYear> {(year - 2000) * factor} {year % 7 * 1000})'
    for factor, maker in enumerate(("One", "Two", "Three"), 1)
    for year in range(2015, 2021)
)
FIGURES = f"SELECT ?maker ?year ?cars ?vans {{ VALUES (?maker ?year ?cars ?vans) {{ {YEARS} }} }}"
FIFTY = " ".join(map(str, range(50)))
MANY_PLACES = f"""SELECT ?n ?kind ?lat ?long {{ VALUES ?a {{ {FIFTY} }} VALUES ?b {{ {FIFTY} }} BIND(?a * 50 + ?b AS ?n)
  BIND(IF(?b > 25, "high", "low") AS ?kind) BIND(?a - 25.5 AS ?lat) BIND(?b * 2 - 50.5 AS ?long) }}"""
KINDS = r"""SELECT ?v { VALUES ?v { "Werk"@de "مصنع"@ar 1234567 -4.50 1.5e9 "2021"^^<http://www.w3.org/2001/XMLSchema#gYear>
  "2026-02-24"^^<http://www.w3.org/2001/XMLSchema#date> "x"^^<http://example.org/kind> "a\tb\n\"c\" \\"
  "POINT(2.35 48.85)"^^<http://www.opengis.net/ont/geosparql#wktLiteral> <javascript:alert(1)> UNDEF } }"""
PIXELS = """async (data) => {
  const image = new Image();
  image.src = 'data:image/png;base64,' + data;
  await image.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [image.width, image.height];
  const pen = canvas.getContext('2d');
  pen.drawImage(image, 0, 0);
  const all = new Set();
  const bytes = new Uint32Array(pen.getImageData(0, 0, image.width, image.height).data.buffer);
  for (const pixel of bytes) all.add(pixel);
  return { width: image.width, ground: [...pen.getImageData(2, 2, 1, 1).data], colours: all.size };
}"""


def shown(page: Page) -> list[str]:
    """The numbers of the rows that the table shows as picked."""
    return page.locator(".answer tr.picked button.pick").all_inner_texts()


def view(page: Page, name: str) -> None:
    """Goes to a view by its tab."""
    page.click(f".tabs a[data-view={name}]")
    page.wait_for_selector(f".tabs a[data-view={name}][aria-current]")


def saved(page: Page, name: str) -> bytes:
    """The file that a button saves."""
    with page.expect_download() as waiting:
        page.click(f".runline button:text-is('{name}')")
    return waiting.value.path().read_bytes()


def test_what_is_picked_in_one_view_is_picked_in_every_other(opened: Opened) -> None:
    page = opened(PLACES)
    page.wait_for_selector(".map .mark")
    page.locator(".map .mark").nth(1).click()
    page.wait_for_selector(".picked-rows:has-text('Picked: There')")
    assert page.locator(".map .mark.faded").count() == 2
    view(page, "Timeline")
    page.wait_for_selector(".drawn .mark.picked")
    assert page.locator(".drawn .mark.faded").count() == 2
    view(page, "Table")
    assert shown(page) == ["2"]
    page.locator(".answer tbody tr").nth(2).locator("td").nth(1).click(modifiers=["Control"])
    assert shown(page) == ["2", "3"]
    view(page, "Map")
    page.wait_for_selector(".map .mark.picked")
    assert page.locator(".map .mark.picked").count() == 2
    page.click("button:text-is('Pick nothing')")
    assert page.locator(".map :is(.picked, .faded)").count() == 0


def test_rows_and_marks_are_picked_by_keys_alone(opened: Opened) -> None:
    page = opened(PLACES, view="Table")
    page.focus(".answer button.pick[tabindex='0']")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert shown(page) == ["2", "3"]
    page.keyboard.press("Escape")
    assert shown(page) == []
    view(page, "Map")
    page.wait_for_selector(".map .mark")
    page.focus(".map[role=application]")
    page.keyboard.press("ArrowDown")
    page.wait_for_selector(".card:has-text('There'), .card:has-text('Here'), .card:has-text('Yonder')")
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    assert "Here" in page.inner_text(".card")
    assert page.locator(".map .mark.picked").count() == 1


@pytest.mark.parametrize(
    ("query", "name", "marks", "count"),
    [
        (FIGURES, "LineChart", ".plotted [aria-label=dot] path", 18),
        (FIGURES, "ScatterChart", ".plotted [aria-label=dot] path", 18),
        (FIGURES, "BarChart", ".plotted rect", 18),
        (example("who-holds-whom"), "Graph", ".drawn .dot", 100),
        ("CONSTRUCT { ?s ?p ?o } { ?s ?p ?o FILTER(ISIRI(?o)) } LIMIT 50", "Graph", ".drawn .dot", 10),
    ],
)
def test_a_click_on_any_mark_picks_its_row(opened: Opened, query: str, name: str, marks: str, count: int) -> None:
    page = opened(query, view=name)
    page.wait_for_selector(marks)
    assert page.locator(marks).count() >= count
    page.locator(marks).nth(3).click(force=True)
    page.wait_for_selector(".drawn .picked")
    view(page, "Table")
    assert len(shown(page)) >= 1


def test_many_places_are_painted_in_the_colours_of_the_key_and_are_in_the_files(opened: Opened) -> None:
    page = opened(MANY_PLACES, view="Map")
    page.wait_for_selector(".map canvas")
    page.wait_for_selector(".runline button:text-is('PNG')")
    colours = page.evaluate("""() => {
      const canvas = document.querySelector('.map canvas');
      const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
      const all = new Set();
      for (let at = 0; at < data.length; at += 4) if (data[at + 3] === 255) all.add(data.slice(at, at + 3).join());
      return [...all];
    }""")
    assert "18,72,141" in colours
    assert "135,63,0" in colours
    tree = ElementTree.fromstring(saved(page, "SVG"))
    filled = [path.get("fill") for path in tree.iter(f"{SVG}path")]
    assert filled.count("rgb(18, 72, 141)") + filled.count("rgb(135, 63, 0)") >= 2500


@pytest.mark.parametrize(("theme", "ground"), [("light", [255, 255, 255, 255]), ("dark", [20, 23, 26, 255])])
def test_a_picture_opens_has_a_ground_and_says_where_it_is_from(opened: Opened, theme: str, ground: list[int]) -> None:
    page = opened(f"# Cars of three makers\n#defaultView:LineChart\n{FIGURES}", theme=theme)
    page.wait_for_selector(".plotted [aria-label=dot] path")
    page.wait_for_selector(".as-table")
    told = page.evaluate(PIXELS, b64encode(saved(page, "PNG")).decode())
    assert told["ground"] == ground
    assert told["width"] > 2000
    assert told["colours"] > 20
    tree = ElementTree.fromstring(saved(page, "SVG"))
    words = [text.text or "" for text in tree.iter(f"{SVG}text")]
    assert any(word.startswith("Cars of three makers – motorgraph, commit ") for word in words)
    assert {"One", "Two", "Three"} <= set(words)
    assert not [part for part in tree.iter(f"{SVG}text") if "var(" in "".join(part.attrib.values())]


def test_every_kind_of_value_is_shown_as_what_it_is(opened: Opened) -> None:
    page = opened(KINDS)
    page.wait_for_selector(".answer button.pick")
    cells = [" ".join(text.split()) for text in page.locator(".answer td").all_inner_texts()]
    expected = ["Werk de", "مصنع ar", "1,234,567", "-4.5", "2021", "24 Feb 2026", "x http://example.org/kind", "not known"]
    assert [text for text in expected if text not in cells] == []
    assert 'a b "c" \\' in cells
    assert page.locator(".answer a[href^='javascript']").count() == 0


def test_a_triple_term_is_shown_by_its_parts_and_a_truth_value_can_be_saved(opened: Opened) -> None:
    plant, owner = "https://motorgraph.example/id/country/es", "https://motorgraph.example/ontology/country"
    page = opened(f"SELECT ?t {{ BIND(TRIPLE(<{plant}>, <{owner}>, TRIPLE(<http://x/a>, <http://x/p>, 'b'@de)) AS ?t) }}")
    page.wait_for_selector(".answer .triple .triple")
    assert "<<( Spain" in page.inner_text(".answer td")
    write(page, "ASK {}")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".truth:has-text('Yes')")
    with page.expect_download() as waiting:
        page.click(".runline a:text-is('JSON')")
    assert b'"boolean":true' in waiting.value.path().read_bytes()


@pytest.mark.parametrize(
    ("comment", "opens", "says"),
    [
        ("#defaultView:Timeline", "Timeline", ""),
        ("# defaultview: timeline", "Timeline", ""),
        ('#defaultView:Map{"hide": ["?lat", "?long"]}', "Map", ""),
        ("#defaultView:Raw", "Raw", ""),
        ("#defaultView:Graph", "Map", "A Graph needs two columns of things"),
        ("#defaultView:TreeMap", "Map", "There is no view TreeMap; there are Table, Map"),
    ],
)
def test_a_comment_says_how_an_answer_opens(opened: Opened, comment: str, opens: str, says: str) -> None:
    page = opened(f"{comment}\n{PLACES}")
    page.wait_for_selector(f".tabs a[data-view={opens}][aria-current]")
    assert says in page.inner_text("#results")
    assert says or page.locator("#results .notice-box").count() == 0


def test_options_of_the_comment_hide_columns_and_choose_what_tells_marks_apart(opened: Opened) -> None:
    page = opened('#defaultView:Map{"hide": ["?lat", "?long"], "layer": "?place"}\n' + PLACES)
    page.wait_for_selector(".legend li:has-text('Yonder')")
    page.locator(".map .mark").first.hover()
    page.wait_for_selector(".card:has-text('Here')")
    assert "lat" not in page.inner_text(".card")
    view(page, "Table")
    assert [name.split()[0] for name in page.locator(".answer thead .sort").all_inner_texts()] == ["place", "kind", "built"]


@pytest.mark.parametrize("query", ["", example("deals-in-time"), "SELECT * { ?s ?p ?o } LIMIT 20", PLACES])
def test_nothing_moves_while_the_page_loads(opened: Opened, query: str) -> None:
    page = opened(query)
    page.wait_for_selector(".tabs a[aria-current]" if query else ".cm-line")
    page.wait_for_selector("#results:not([aria-busy])", state="attached")
    moved = page.evaluate("""() => new Promise((done) => {
      let sum = 0;
      const add = (list) => list.getEntries().forEach(({ value }) => (sum += value));
      new PerformanceObserver(add).observe({ type: 'layout-shift', buffered: true });
      requestAnimationFrame(() => requestAnimationFrame(() => done(sum)));
    })""")
    assert moved < 0.02
