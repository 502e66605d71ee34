"""What a service must hold after each commit, by those who made it: so that an answer is right or wrong."""

from __future__ import annotations

import json
import threading
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException
from typing import Any

from bench.ledger import State
from bench.servers import ask

PAGE = 200


@dataclass(frozen=True)
class Write:
    """A change that was sent under a name of its own: what its graph holds when it is made."""

    graph: str
    then: State


@dataclass
class Chronicle:
    """All writes by their names, and which commit each became. Everybody writes to it; one thread reads up and judges.

    A commit whose writer does not know of it (the answer was lost) is told by its message, which is the name of the write.
    """

    port: int
    base: int
    fault: Callable[[str], None]
    looked: Counter[str] = field(default_factory=Counter)
    found_out: int = 0
    _sent: dict[str, Write] = field(default_factory=dict)
    _made: dict[int, str] = field(default_factory=dict)
    _refused: set[str] = field(default_factory=set)
    _versions: dict[str, list[tuple[int, State]]] = field(default_factory=dict)
    _seen: list[tuple[int, str, dict[str, set[State]]]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _known: int = 0
    _acknowledged: list[tuple[float, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begins at the commit that there is."""
        self._known = self.base
        self._acknowledged.append((0.0, self.base))

    @property
    def acknowledged(self) -> int:
        """The newest commit that some writer has been told of."""
        return self._acknowledged[-1][1]

    def acknowledged_at(self, moment: float) -> int:
        """The same at a moment of the monotonic clock: whoever asks later must be answered from that commit or a later one."""
        at = bisect_right(self._acknowledged, moment, key=lambda told: told[0])
        return self._acknowledged[at - 1][1]

    @property
    def writes(self) -> int:
        """How many writes have been acknowledged."""
        return len(self._made)

    @property
    def graphs(self) -> list[str]:
        """All graphs that anybody has ever wanted to write."""
        with self._lock:
            return sorted({write.graph for write in self._sent.values()})

    def begin(self, name: str, write: Write) -> None:
        """A write is sent."""
        with self._lock:
            self._sent[name] = write

    def made(self, name: str, commit: int) -> None:
        """It was acknowledged as this commit."""
        with self._lock:
            other = self._made.setdefault(commit, name)
            self._acknowledged.append((time.monotonic(), max(self.acknowledged, commit)))
        if other != name:
            self.fault(f"commit {commit} was told to be both {other} and {name}")

    def refused(self, name: str) -> None:
        """It was told not to be made."""
        with self._lock:
            self._refused.add(name)

    def saw(self, commit: int, how: str, graphs: dict[str, set[State]]) -> None:
        """An answer from that commit says what the graphs hold; judged as soon as it is known who made the commits before it."""
        with self._lock:
            self._seen.append((commit, how, graphs))

    def state(self, graph: str, commit: int) -> State:
        """What a graph held after a commit that is known."""
        versions = self._versions.get(graph, [])
        at = bisect_right(versions, commit, key=lambda version: version[0])
        return versions[at - 1][1] if at else None

    def judge(self, *, is_last: bool = False) -> None:
        """Reads up on commits, and judges what was seen of them. The last time every commit has to be known."""
        newest = self._newest() if is_last else self.acknowledged
        while self._known < newest and self._read_up(self._known + 1, must=is_last):
            self._known += 1
        with self._lock:
            due = [seen for seen in self._seen if seen[0] <= self._known]
            self._seen = [seen for seen in self._seen if seen[0] > self._known]
        for commit, how, graphs in due:
            self._compare(commit, how, graphs)

    def lost(self) -> list[str]:
        """What the journal says otherwise than writers were told, of all commits since the base."""
        wrong, after = [], self.base
        while commits := self._listed(after):
            for commit in commits:
                told = self._made.get(commit["id"])
                if commit["message"] not in self._sent or (told and told != commit["message"]):
                    wrong.append(f"commit {commit['id']} is {commit['message']!r}, and was told to be {told!r}")
            after = commits[-1]["id"]
        wrong += [f"commit {commit} ({name}) is not there" for commit, name in self._made.items() if commit > after]
        return wrong

    def _read_up(self, commit: int, *, must: bool) -> bool:
        """Takes in the next commit; false if nobody can say yet what it is."""
        name = self._made.get(commit)
        if name is None:
            told = self._listed(commit - 1)
            if not told:
                if must:
                    self.fault(f"commit {commit} is not told of by /changes")
                return False
            name = told[0]["message"]
            self.found_out += 1
        write = self._sent.get(name)
        if write is None or name in self._refused:
            self.fault(f"commit {commit} is {name!r}, which was {'refused' if write else 'never sent'}")
        else:
            self._versions.setdefault(write.graph, []).append((commit, write.then))
        return True

    def _compare(self, commit: int, how: str, graphs: dict[str, set[State]]) -> None:
        self.looked[how] += 1
        if wrong := self._wrong(commit, graphs):
            self.fault(f"{how}, commit {commit}: {wrong}")

    def _wrong(self, commit: int, graphs: dict[str, set[State]]) -> str:
        """What is not as it was after a commit, in words; "" if all is."""
        for graph, states in graphs.items():
            found = states or {None}
            if found != {(wanted := self.state(graph, commit))}:
                return f"{graph} holds {sorted(map(str, found))}, and should hold {wanted}"
        return ""

    def _newest(self) -> int:
        status, body = ask(self.port, "/ready")
        return int(json.loads(body)["commit"]) if status == HTTPStatus.OK else self.acknowledged

    def _listed(self, after: int) -> list[dict[str, Any]]:  # Any: plain JSON
        """Some commits beyond one, as /changes has them; none if it does not answer now."""
        try:
            status, body = ask(self.port, f"/changes?after={after}&limit={PAGE}", "application/json")
        except (OSError, HTTPException):
            return []
        found: list[dict[str, Any]] = json.loads(body)["commits"] if status == HTTPStatus.OK else []
        return found
