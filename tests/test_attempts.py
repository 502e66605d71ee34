"""Wrong tokens are limited by address for a minute, in bounded memory, and do not shut out who was there with a right one."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from motorgraph.attempts import MOST_WRONG, WINDOW_SECONDS, Attempts
from motorgraph.clients import MOST_KNOWN

HERE, THERE = "192.0.2.1", "192.0.2.2"


@dataclass
class Clock:
    """A time that the test sets."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attempts(clock: Clock) -> Attempts:
    return Attempts(clock)


def wrong(attempts: Attempts, address: str, times: int = MOST_WRONG) -> list[bool]:
    return [attempts.was_wrong(address) for _ in range(times)]


def test_nobody_waits_before_there_were_too_many(attempts: Attempts) -> None:
    assert wrong(attempts, HERE, MOST_WRONG - 1) == [False] * (MOST_WRONG - 1)
    assert attempts.seconds_to_wait(HERE, None) == 0
    assert attempts.was_wrong(HERE)
    assert attempts.seconds_to_wait(HERE, None) == WINDOW_SECONDS


def test_one_too_many_is_told_once(attempts: Attempts) -> None:
    assert sum(wrong(attempts, HERE, 3 * MOST_WRONG)) == 1


def test_a_right_token_waits_too_else_a_guess_that_hits_would_show(attempts: Attempts) -> None:
    wrong(attempts, HERE)
    assert attempts.seconds_to_wait(HERE, "anna") == WINDOW_SECONDS


def test_who_was_there_with_a_right_token_before_goes_on(attempts: Attempts) -> None:
    attempts.was_right(HERE, "anna")
    wrong(attempts, HERE)
    assert attempts.seconds_to_wait(HERE, "anna") == 0
    assert attempts.seconds_to_wait(HERE, "bob") > 0
    assert attempts.seconds_to_wait(HERE, None) > 0


def test_having_been_right_elsewhere_does_not_help(attempts: Attempts) -> None:
    attempts.was_right(THERE, "anna")
    wrong(attempts, HERE)
    assert attempts.seconds_to_wait(HERE, "anna") > 0


def test_other_addresses_do_not_wait(attempts: Attempts) -> None:
    wrong(attempts, HERE)
    assert attempts.seconds_to_wait(THERE, None) == 0


def test_the_wait_is_over_with_the_minute_whatever_was_tried_meanwhile(attempts: Attempts, clock: Clock) -> None:
    wrong(attempts, HERE)
    clock.now += WINDOW_SECONDS - 0.5
    assert attempts.seconds_to_wait(HERE, None) == 1
    clock.now += 0.5
    assert attempts.seconds_to_wait(HERE, None) == 0
    assert not attempts.was_wrong(HERE)
    assert attempts.seconds_to_wait(HERE, None) == 0


def test_wrong_tokens_now_and_then_never_add_up(attempts: Attempts, clock: Clock) -> None:
    for _ in range(5 * MOST_WRONG):
        clock.now += WINDOW_SECONDS / (MOST_WRONG - 1)
        assert not attempts.was_wrong(HERE)


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1:2:3", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:192.0.2.1", HERE, True),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("", "", True),
        ("no:address", "no:address", True),
    ],
)
def test_an_ipv6_network_counts_as_one_address(attempts: Attempts, one: str, other: str, are_same: bool) -> None:
    wrong(attempts, one)
    assert (attempts.seconds_to_wait(other, None) > 0) is are_same


def test_memory_is_bounded_and_the_oldest_are_forgotten(attempts: Attempts) -> None:
    wrong(attempts, HERE)
    for n in range(MOST_KNOWN - 1):
        attempts.was_wrong(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}")
        attempts.was_right(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", "anna")
    assert attempts.seconds_to_wait(HERE, None) > 0
    for n in range(100):
        attempts.was_wrong(f"11.0.0.{n}")
        attempts.was_right(f"11.0.0.{n}", "anna")
    assert attempts.seconds_to_wait(HERE, None) == 0
    assert len(attempts) == MOST_KNOWN
