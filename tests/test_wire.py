"""Frames and jobs on their way between processes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from itertools import pairwise

from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from motorgraph.engine.wire import Frames, Job, Kind, decode_job, encode_job, frame, message

steady = examples(derandomize=True, max_examples=300, deadline=None)
_frames = st.lists(st.tuples(st.sampled_from(Kind), st.binary(max_size=40)), max_size=12)


def _cut(data: bytes, places: list[int]) -> Iterator[bytes]:
    """The data in pieces, some of them perhaps empty, that end at the places."""
    ends = sorted(place % (len(data) + 1) for place in places)
    yield from (data[start:end] for start, end in pairwise([0, *ends, len(data)]))


@steady
@given(_frames, st.lists(st.integers(min_value=0), max_size=12))
def test_frames_that_are_cut_anywhere_arrive_whole_and_in_order(frames: list[tuple[Kind, bytes]], places: list[int]) -> None:
    receiver = Frames()
    data = b"".join(frame(kind, payload) for kind, payload in frames)
    assert [found for piece in _cut(data, places) for found in receiver.feed(piece)] == frames


@steady
@given(_frames.filter(len))
def test_frames_that_come_byte_by_byte_are_given_out_with_their_last_byte(frames: list[tuple[Kind, bytes]]) -> None:
    receiver = Frames()
    for kind, payload in frames:
        *first, last = frame(kind, payload)
        assert [found for byte in first for found in receiver.feed(bytes([byte]))] == []
        assert list(receiver.feed(bytes([last]))) == [(kind, payload)]


def test_a_frame_of_no_bytes_is_a_frame() -> None:
    assert list(Frames().feed(frame(Kind.END, b""))) == [(Kind.END, b"")]


def test_a_frame_longer_than_a_read_arrives_whole() -> None:
    receiver, payload = Frames(), bytes(range(256)) * 4096
    data = frame(Kind.DATA, payload) + message(Kind.END, rows=1)
    found = [f for start in range(0, len(data), 65536) for f in receiver.feed(data[start : start + 65536])]
    assert found == [(Kind.DATA, payload), (Kind.END, b'{"rows": 1}')]


_texts = st.text(max_size=30)
_jobs = st.builds(
    Job,
    task=st.sampled_from(["query", "update", "graph"]),
    text=_texts,
    base=_texts,
    graph=st.none() | _texts,
    default_graphs=st.lists(_texts, max_size=3).map(tuple),
    named_graphs=st.lists(_texts, max_size=3).map(tuple),
    solutions=st.none() | _texts,
    head_only=st.booleans(),
    gzip=st.booleans(),
    max_bytes=st.integers(0, 1 << 62),
    hosts=st.lists(_texts, max_size=2).map(tuple),
)


@steady
@given(_jobs, st.floats(0, 1e6))
def test_a_job_arrives_as_it_was_sent_with_the_seconds_that_are_left(job: Job, seconds: float) -> None:
    ((kind, payload),) = Frames().feed(encode_job(job, seconds))
    assert kind is Kind.JOB
    assert decode_job(payload) == (job, seconds)


def test_the_end_of_a_stream_within_a_frame_is_no_frame() -> None:
    receiver = Frames()
    assert list(receiver.feed(frame(Kind.DATA, b"abc")[:-1])) == []


def test_a_job_survives_a_socket() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(encode_job(Job("query", "ASK {}"), 2.5))
        ((_, payload),) = Frames().feed(theirs.recv(1 << 16))
    assert decode_job(payload) == (Job("query", "ASK {}"), 2.5)
