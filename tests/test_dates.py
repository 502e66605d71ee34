"""Dates as people read them."""

from __future__ import annotations

import pytest

from motorgraph.dates import clock, spoken


@pytest.mark.parametrize(
    ("date", "words"),
    [
        ("2026-02-24", "24 Feb 2026"),
        ("2026-02", "Feb 2026"),
        ("2026", "2026"),
        ("2026-02-24T10:11:12Z", "24 Feb 2026"),
        ("2026-02-04Z", "4 Feb 2026"),
        ("", "undated"),
        (None, "undated"),
        ("early 2026", "early 2026"),
        ("2026-13", "2026-13"),
    ],
)
def test_a_date_is_as_exact_in_words_as_it_is_and_what_is_none_is_left(date: str | None, words: str) -> None:
    assert spoken(date) == words


def test_a_time_is_told_to_the_minute() -> None:
    assert clock("2026-02-24T10:11:12Z") == "24 Feb 2026, 10:11 UTC"
