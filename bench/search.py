"""Time to find things by name among 100,000 of them: `python -m bench.search [--things N]`.

Names are made of the words of the shipped things, so that words are as often shared as there. Prints for each kind of text the
median, the 99th percentile and the longest of the milliseconds of processor time that one search takes in the process that holds
the index; what the index takes to make, its memory, and what carrying it on costs.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Callable, Iterator

import pyoxigraph as ox

from bench.machine import description
from motorgraph import corpus
from motorgraph.engine import loading
from motorgraph.engine.process import proportional_bytes
from motorgraph.search.entry import Entry, Gatherer, Look, Role
from motorgraph.search.index import Index
from motorgraph.vocab import Names

SEED = 7
ROUNDS = 200
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


def texts(entries: list[Entry], chance: random.Random) -> dict[str, Callable[[], str]]:
    """What is typed, by kind."""

    def label() -> str:
        return chance.choice(entries).label

    def word() -> str:
        return max(label().split(), key=len)

    return {
        "a whole name": label,
        "one word of it": word,
        "its first 2 letters": lambda: label()[:2],
        "its first 4 letters": lambda: label()[:4],
        "its words in another order": lambda: " ".join(sorted(label().split(), reverse=True)),
        "a mistyped word": lambda: mistyped(word(), chance),
        "a mistyped name": lambda: mistyped(label(), chance),
        "nothing that there is": lambda: "".join(chance.choices(MISTAKES, k=9)),
    }


def timed(index: Index, text: Callable[[], str]) -> list[float]:
    """The milliseconds that each of some searches takes, in order of length."""
    found = []
    for _ in range(ROUNDS):
        asked = text()
        began = time.process_time()
        index.find(asked, most=8)
        found.append(1000 * (time.process_time() - began))
    return sorted(found)


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
    print(f"{'milliseconds':28}{'median':>8}{'99 %':>8}{'most':>8}")
    every: list[float] = []
    for name, text in texts(entries, chance).items():
        took = timed(index, text)
        every += took
        print(f"{name:28}{took[len(took) // 2]:8.2f}{took[len(took) * 99 // 100]:8.2f}{took[-1]:8.2f}")
    every.sort()
    print(f"{'all of these':28}{every[len(every) // 2]:8.2f}{every[len(every) * 99 // 100]:8.2f}{every[-1]:8.2f}")
    began = time.process_time()
    for entry in entries[:1000]:
        index.replace(entry.iri, None)
        index.replace(entry.iri, entry)
    print(f"a thing taken out and put in again: {1000 * (time.process_time() - began) / 1000:.3f} ms")


if __name__ == "__main__":
    main()
