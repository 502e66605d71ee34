"""What the keeper hears, and what it does where nothing is to be heard."""

from __future__ import annotations

import socket
import time
from contextlib import closing

from motorgraph.engine.inbox import REST_SECONDS, Inbox

STEPS = 20


def test_at_rest_one_step_follows_the_other_without_a_pause_until_a_command_comes() -> None:
    front, ours = socket.socketpair()
    steps: list[float] = []

    def at_rest() -> bool:
        steps.append(time.monotonic())
        if len(steps) == STEPS:
            front.sendall(b'{"do":"nothing"}\n')
        return True

    with front, closing(Inbox(ours)) as inbox:
        commands = inbox.commands(lambda: None, at_rest)
        front.sendall(b'{"do":"begin"}\n')
        assert next(commands) == {"do": "begin"}
        began = time.monotonic()
        assert next(commands) == {"do": "nothing"}
    assert len(steps) == STEPS
    assert steps[0] - began >= REST_SECONDS
    assert steps[-1] - steps[0] < REST_SECONDS * (STEPS - 1) / 2
