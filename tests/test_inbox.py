"""What the keeper hears, and what it does where nothing is to be heard."""

from __future__ import annotations

import socket
import time
from contextlib import closing

from motorgraph.engine.inbox import REST_SECONDS, Inbox

STEPS, PAUSE = 20, 0.05


def test_at_rest_one_step_follows_the_other_after_the_pause_that_it_says_until_a_command_comes() -> None:
    front, ours = socket.socketpair()
    steps: list[float] = []

    def at_rest() -> float:
        steps.append(time.monotonic())
        if len(steps) == STEPS:
            front.sendall(b'{"do":"nothing"}\n')
        return PAUSE if len(steps) == STEPS - 1 else 0.0

    with front, closing(Inbox(ours)) as inbox:
        commands = inbox.commands(lambda: None, at_rest)
        front.sendall(b'{"do":"begin"}\n')
        assert next(commands) == {"do": "begin"}
        began = time.monotonic()
        assert next(commands) == {"do": "nothing"}
    assert len(steps) == STEPS
    assert steps[0] - began >= REST_SECONDS
    assert steps[-2] - steps[0] < REST_SECONDS * (STEPS - 2) / 2
    assert steps[-1] - steps[-2] >= PAUSE
