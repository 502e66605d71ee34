"""Time to find things by name among 100,000 of them: `python -m bench.search [--things N]`.

Names are made of the words of the shipped things, so that words are as often shared as there. Prints for each kind of text the
median, the 99th percentile and the longest of the milliseconds of processor time that one search takes in the process that holds
the index, and of a hundred searches how many have what was meant for the first that they find, and among the first ten; what the
index takes to make, its memory, and what carrying it on costs.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pyoxigraph as ox

from bench.machine import description
from motorgraph import corpus
from motorgraph.engine import loading
from motorgraph.engine.process import proportional_bytes
from motorgraph.search.entry import Entry, Gatherer, Look, Role
from motorgraph.search.index import Index
from motorgraph.vocab import Names

SEED = 7
ROUNDS = 500
SHOWN = 10
MISTAKES = "abcdefghijklmnopqrstuvwxyz"


def shipped() -> list[Entry]:
    """The things that ship."""
    store = ox.Store()
    for file in corpus.shipped(Names()):
        loading.load_file(store, file)
    loading.merge(store)
    return list(Gatherer(Look(store, Names(), union=True)).all())


def made(entries: list[Entry], count: int, chance: random.Random) -> Iterator[Entry]:
    """As many things as are wanted, with names made of the words of others."""
    names = [entry.label.split() for entry in entries if entry.names[0][0] is Role.LABEL and len(entry.label) < 60]
    for number in range(count):
        first, second = chance.choice(names), chance.choice(names)
        label = " ".join([*first[: chance.randint(1, 3)], *second[-chance.randint(1, 2) :], *([str(number)] * (number % 3 == 0))])
        kind, weight = chance.choice(entries).kind, chance.random() ** 3
        yield Entry(f"urn:thing:{number}", kind, weight, ((Role.LABEL, label), (Role.IDENTIFIER, f"t-{number}")))


def mistyped(text: str, chance: random.Random) -> str:
    """A text with one letter wrong."""
    place = chance.randrange(len(text))
    return text[:place] + chance.choice(MISTAKES) + text[place + 1 :]


@dataclass(frozen=True)
class Typed:
    """What is typed, and whether a name is what is meant by it."""

    text: str
    is_meant: Callable[[str], bool]


def texts(entries: list[Entry], chance: random.Random) -> dict[str, Callable[[], Typed]]:
    """What is typed, by kind."""

    def name(change: Callable[[str], str]) -> Typed:
        label = chance.choice(entries).label
        return Typed(change(label), label.__eq__)

    def word(change: Callable[[str], str]) -> Typed:
        longest = max(chance.choice(entries).label.split(), key=len)
        return Typed(change(longest), lambda label: longest in label.split())

    def beginning(size: int) -> Typed:
        begun = chance.choice(entries).label[:size]
        return Typed(begun, lambda label: label.lower().startswith(begun.lower()))

    return {
        "a whole name": lambda: name(str),
        "one word of it": lambda: word(str),
        "its first 2 letters": lambda: beginning(2),
        "its first 4 letters": lambda: beginning(4),
        "its words in another order": lambda: name(lambda label: " ".join(sorted(label.split(), reverse=True))),
        "a mistyped word": lambda: word(lambda text: mistyped(text, chance)),
        "a mistyped name": lambda: name(lambda label: mistyped(label, chance)),
        "nothing that there is": lambda: Typed("".join(chance.choices(MISTAKES, k=9)), lambda _: False),
    }


@dataclass(frozen=True)
class Asked:
    """A search: the milliseconds that it took, and the place of the first that was meant, if it was found."""

    took: float
    place: int | None

    @classmethod
    def of(cls, index: Index, typed: Typed) -> Asked:
        """The search for what is typed."""
        began = time.process_time()
        matches = index.find(typed.text, most=SHOWN).matches
        took = 1000 * (time.process_time() - began)
        return cls(took, next((place for place, match in enumerate(matches) if typed.is_meant(match.entry.label)), None))


def line(name: str, searches: Sequence[Asked]) -> str:
    """What is printed of some searches."""
    took = sorted(each.took for each in searches)
    first, shown = (100 * sum(each.place in places for each in searches) / len(searches) for places in (range(1), range(SHOWN)))
    return f"{name:28}{took[len(took) // 2]:8.2f}{took[len(took) * 99 // 100]:8.2f}{took[-1]:8.2f}{first:10.1f}{shown:8.1f}"


def main() -> None:
    """Prints it all."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--things", type=int, default=100_000)
    count = options.parse_args().things
    chance = random.Random(SEED)
    entries = list(made(shipped(), count, chance))
    before, began = proportional_bytes(os.getpid()), time.process_time()
    index = Index()
    index.fill(entries)
    seconds = time.process_time() - began
    print(*description().items(), sep="\n")
    print(f"{count:,} things: made in {seconds:.2f} s, {(proportional_bytes(os.getpid()) - before) >> 20} MiB")
    print(f"{'milliseconds':28}{'median':>8}{'99 %':>8}{'most':>8}{'first, %':>10}{'ten, %':>8}")
    every: list[Asked] = []
    for name, typed in texts(entries, chance).items():
        searches = [Asked.of(index, typed()) for _ in range(ROUNDS)]
        every += searches
        print(line(name, searches))
    print(line("all of these", every))
    began = time.process_time()
    for entry in entries[:1000]:
        index.replace(entry.iri, None)
        index.replace(entry.iri, entry)
    print(f"a thing taken out and put in again: {1000 * (time.process_time() - began) / 1000:.3f} ms")


if __name__ == "__main__":
    main()
