"""The programs that the query page writes: each is run as it stands, where there is what runs it."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.asking import Opened

pytestmark = pytest.mark.browser
TABLE = """# It's "quoted" \\ and
SELECT ?x ?text { VALUES (?x ?text) { (1 "it's") (2 '''two
lines''') (3 "back\\\\slash") } }"""
TRIPLES = "CONSTRUCT { ?s a ?class } WHERE { ?s a ?class FILTER(STRSTARTS(STR(?s), 'https://motorgraph.example/id/country/e')) }"
Run = Callable[[Path], list[str]]
SPEAKING: dict[str, tuple[str, str, str, Run]] = {
    "curl": ("curl", "sh", "", lambda file: ["sh", str(file)]),
    "Python": ("SPARQLWrapper", "py", "\nprint(len(rows))", lambda file: [sys.executable, str(file)]),
    "pandas": ("pandas", "py", "\nprint(len(rows))", lambda file: [sys.executable, str(file)]),
    "JavaScript": ("node", "mjs", "\nconsole.log(rows.length);", lambda file: ["node", str(file)]),
}


@pytest.mark.parametrize("query", [TABLE, TRIPLES], ids=["table", "triples"])
@pytest.mark.parametrize("language", SPEAKING)
def test_a_program_gives_the_rows_of_the_page(opened: Opened, tmp_path: Path, language: str, query: str) -> None:
    needs, suffix, more, command = SPEAKING[language]
    if not (shutil.which(needs) or (suffix == "py" and importlib.util.find_spec(needs))):
        pytest.skip(f"there is no {needs} here")
    page = opened(query, at="1", view="Table")
    page.wait_for_selector(".answer button.pick")
    rows = page.locator(".answer tbody tr").count()
    page.click("#code")
    page.click(f".choices button:text-is('{language}')")
    file = tmp_path / f"program.{suffix}"
    file.write_text(page.locator(".sheet code").text_content() + more)
    ran = subprocess.run(command(file), capture_output=True, text=True, timeout=60, check=True)
    if language == "curl":
        assert "it's" in ran.stdout or "country" in ran.stdout
        assert ("two\nlines" in ran.stdout) == (query is TABLE)
    else:
        assert int(ran.stdout) == rows
