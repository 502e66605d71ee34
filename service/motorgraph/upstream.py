"""The upstream of a read replica: another motorgraph, asked over HTTP for its commits."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO, Any

import httpx

from motorgraph import __version__, rdfpatch
from motorgraph.commits import Commit, as_json, from_json
from motorgraph.errors import Failed
from motorgraph.media import PROBLEM

CONNECT_SECONDS = 5.0
SILENT_SECONDS = 60.0
COMMITS_AT_ONCE = 500
SHOWN_CHARACTERS = 300
_LATER = (408, 425, 429)  # besides what begins with 5
_DENIED = (401, 403)


class Away(Exception):
    """Upstream does not answer, or not now: what it says, and the seconds after which it wants to be asked again (or 0)."""

    def __init__(self, detail: str, seconds: float = 0.0) -> None:
        super().__init__(detail)
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Told:
    """A commit of upstream, with the named graphs that it has changed."""

    commit: Commit
    graphs: tuple[str, ...]

    @property
    def as_json(self) -> str:
        """As a job has it."""
        return json.dumps(as_json(self.commit) | {"graphs": self.graphs})


@dataclass(frozen=True, slots=True)
class Outlook:
    """What upstream says of itself: whose history it has and how far, in which mode it serves it, and some commits in order."""

    lineage: str
    newest: int
    plain: bool
    base: str
    default_graph: str
    version: str
    commits: tuple[Told, ...]


class Upstream:
    """The motorgraph at an address; `token` is for one that protects its reads."""

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url
        headers = {"User-Agent": f"motorgraph/{__version__}"} | ({"Authorization": f"Bearer {token}"} if token else {})
        limits = httpx.Timeout(SILENT_SECONDS, connect=CONNECT_SECONDS)
        self._client = httpx.AsyncClient(headers=headers, timeout=limits, follow_redirects=True)
        self._tag: tuple[int, str] = (0, "")

    async def close(self) -> None:
        """Gives the connections back."""
        await self._client.aclose()

    async def look(self, after: int) -> Outlook | None:
        """What there is beyond a commit, a bounded number of commits; None if that is what was answered last time.

        Raises Away, or Failed for what is no motorgraph that can be followed.
        """
        known = {"If-None-Match": self._tag[1]} if self._tag[0] == after and self._tag[1] else {}
        address = f"{self.url}/changes?after={after}&limit={COMMITS_AT_ONCE}"
        async with self._asked(address, "application/json", **known) as answer:
            if answer.status_code == httpx.codes.NOT_MODIFIED:
                return None
            outlook = _outlook(await answer.aread(), address)
        self._tag = after, answer.headers.get("ETag", "")
        return outlook

    async def fetch(self, number: int, patch: IO[bytes]) -> int:
        """Writes what a commit did into a file, as an RDF patch; its size in bytes. Raises Away or Failed."""
        address = f"{self.url}/changes/{number}.rdfp"
        async with self._asked(address, rdfpatch.MEDIA_TYPE) as answer:
            async for piece in answer.aiter_bytes():
                patch.write(piece)
        if not rdfpatch.is_whole(patch):
            raise Away(f"{address} has been cut off on its way.")
        patch.flush()
        return patch.tell()

    @asynccontextmanager
    async def _asked(self, address: str, accept: str, **headers: str) -> AsyncIterator[httpx.Response]:
        """An answer whose body is to be read. Raises Away or Failed."""
        try:
            async with self._client.stream("GET", address, headers={"Accept": accept, **headers}) as answer:
                if answer.is_success or answer.status_code == httpx.codes.NOT_MODIFIED:
                    yield answer
                else:
                    await answer.aread()
                    raise _refusal(answer, address)
        except httpx.TransportError as error:
            raise Away(f"{self.url} cannot be asked: {str(error).strip() or type(error).__name__}.") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Failed(f"{address} cannot be asked: {error}.") from error


def _outlook(body: bytes, address: str) -> Outlook:
    """What the answer of /changes says. Raises Failed for one that says something else."""
    try:
        told = json.loads(body)
        commits = tuple(Told(from_json(one), tuple(map(str, one["graphs"]))) for one in told["commits"])
        words = str(told["base"]), str(told["default_graph"]), str(told["version"])
        outlook = Outlook(str(told["lineage"]), int(told["newest"]), bool(told["plain"]), *words, commits)
    except (ValueError, TypeError, KeyError) as error:
        raise Failed(f"{address} does not say what a motorgraph of this version says there: {error!r}. Is it one?") from error
    if any(not told.commit.digest for told in commits):
        raise Failed(
            f"{address} is a service that keeps no journal, since nobody may write to it: its graph stays as it started. A "
            "replica of it is the same command once more; or give it a token, so that it keeps a journal that can be followed."
        )
    return outlook


def _refusal(answer: httpx.Response, address: str) -> Exception:
    """What an answer that is none means."""
    said = _words(answer)
    if answer.status_code in _LATER or answer.is_server_error:
        return Away(f"{address} answered {answer.status_code}: {said}", _seconds(answer.headers.get("Retry-After", "")))
    hint = ""
    if answer.status_code in _DENIED:
        hint = " Give a token of it that may read (setting follow-token)."
    elif answer.status_code == httpx.codes.NOT_FOUND:
        hint = " Is it a motorgraph of this version?"
    return Failed(f"{address} answered {answer.status_code}: {said}{hint}")


def _words(answer: httpx.Response) -> str:
    """What an answer says: the detail of a problem (RFC 9457), else its text."""
    if answer.headers.get("Content-Type", "").startswith(PROBLEM):
        try:
            problem: dict[str, Any] = json.loads(answer.content)  # Any: plain JSON
            return str(problem["detail"])
        except (ValueError, KeyError, TypeError):
            pass
    return answer.text.strip()[:SHOWN_CHARACTERS] or answer.reason_phrase


def _seconds(header: str) -> float:
    """The seconds of a Retry-After; 0 for a date, which no motorgraph sends, and for none."""
    return float(header) if header.isdecimal() else 0.0
