"""Our Markdown as HTML: links, anchors, tables and code, and nothing that a text could smuggle in."""

from __future__ import annotations

from motorgraph.manual import where
from motorgraph.markdown import Heading, rendered

TITLED = "# Title\n\n"


def html(text: str) -> str:
    return rendered(TITLED + text, where).html


def test_a_text_has_its_title_and_its_headings_with_anchors_of_their_own() -> None:
    found = rendered("# The *whole*\n\n## `/graphs`\n\n### A part\n\n## `/graphs`\n", where)
    assert found.title == "The whole"
    assert list(found.headings) == [
        Heading(2, "/graphs", "graphs"),
        Heading(3, "A part", "a-part"),
        Heading(2, "/graphs", "graphs-1"),
    ]
    assert '<h2 id="graphs-1">' in found.html


def test_raw_html_and_scripts_in_links_are_text() -> None:
    found = html("<script>alert(1)</script> <b onclick=x>b</b>\n\n[a](javascript:alert(1))\n\n```html\n<img src=x>\n```\n")
    assert "<script" not in found
    assert "<b " not in found
    assert "<img" not in found
    assert "javascript:alert(1)</a>" not in found


def test_links_lead_to_pages_of_the_service_and_those_to_files_that_it_does_not_serve_are_text() -> None:
    found = html("[one](http.md#things) [two](../data/README.md) [three](/sparql) [four](https://x.example/) [five](#here)")
    assert '<a href="/docs/http#things">one</a> two <a href="/sparql">three</a>' in found
    assert '<a href="https://x.example/">four</a> <a href="#here">five</a>' in found


def test_a_picture_of_ours_is_shown_and_any_other_is_the_words_for_it() -> None:
    assert '<img src="/docs/plots/growth.svg" alt="Seconds" loading="lazy" />' in html("![Seconds](plots/growth.svg)")
    assert html("![Far](https://x.example/a.svg) ![Gone](plots/gone.svg)") == "<p>Far Gone</p>\n"


def test_a_table_names_its_rows_and_cells_without_a_style_and_a_row_called_by_code_can_be_linked_to() -> None:
    found = html("| setting | count |\n|---|---:|\n| `port` | 1 |\n| `port` | 2 |\n")
    assert '<table class="data cards">' in found
    assert '<th class="number" scope="col">count</th>' in found
    assert '<tr id="port">\n<th scope="row"><code>port</code></th>\n<td class="number" data-label="count">1</td>' in found
    assert found.count('id="port"') == 1
    assert "style=" not in found


def test_code_is_told_by_classes_and_an_unknown_language_is_plain() -> None:
    assert '<span class="k">SELECT</span>' in html("```sparql\nSELECT * { ?s ?p ?o }\n```\n")
    assert "<code>a &lt; b\n</code>" in html("```nosuchlanguage\na < b\n```\n")
    assert '<pre class="output" tabindex="0">' in html("```text\n201\n```\n")
