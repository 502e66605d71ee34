"""Runs the service: the web server over the store, from the first process to the last."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import uvicorn
import uvloop
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from motorgraph import logs
from motorgraph.app import create_app
from motorgraph.connection import Connection
from motorgraph.doors import room_for
from motorgraph.engine.process import share_memory, take_turns_of
from motorgraph.errors import Refusal
from motorgraph.settings import Settings
from motorgraph.stores.embedded import Embedded
from motorgraph.terminal import lines

GRACE_SECONDS = 2
COLLECTING = 700, 10, 300
"""As `gc.set_threshold` has it: a collection of all that has come since the start takes 40 ms, in which nobody is answered."""
TURN_SECONDS = 0.001
"""After which a thread that makes a page or a map lets the loop go on; small queries would wait for Python's 5 ms."""
SLICE_SECONDS = 0.0001
"""For which the front has a processor at a time if others want it: it does little for each request, and all wait for it."""
REFUSED = 1
LOST = 70
log = logging.getLogger("motorgraph.server")


def run(settings: Settings) -> int:
    """Serves until it is told to stop. Returns the exit status: 1 if it could not start, 70 if the keeper was lost."""
    logs.configure(settings.log_level)
    sys.setswitchinterval(TURN_SECONDS)
    share_memory()
    with suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(settings))
    return 0


async def _serve(settings: Settings) -> int:
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        if settings.follow:
            from motorgraph.adoption import adopted  # see stores/embedded.py

            settings = await adopted(settings)
    except Refusal as refusal:
        return _refused(console, refusal)
    try:
        listening = _listen(settings)
    except OSError as error:
        why = error.strerror or str(error)
        where = f"{settings.host}:{settings.port}"
        console.print(f"Failed: {where} cannot be listened on: {why}. Choose another --host or --port.", markup=False)
        return REFUSED
    settings = _with_room(settings)
    store = Embedded(settings)
    store.address = _address(listening, settings)
    try:
        server = _Server(_config(settings, store))
    except Refusal as refusal:
        return _refused(console, refusal)
    status = 0

    def lost() -> None:
        nonlocal status
        status = LOST
        log.error("the process that holds the graph has ended; the service stops")
        server.should_exit = True
        store.pool.close()

    store.control.on_lost = lost
    server.on_stop = store.pool.close
    serving = asyncio.create_task(server.serve([listening]))
    starting = asyncio.create_task(_start(store, server, console))
    await asyncio.wait({serving, starting}, return_when=asyncio.FIRST_COMPLETED)
    if starting.done() and not starting.result():
        status, server.should_exit = REFUSED, True
    await serving
    starting.cancel()
    await store.close()
    return status if server.started else REFUSED


def _refused(console: Console, refusal: Refusal) -> int:
    """Says why there is no start; the exit status."""
    console.print("\n".join(lines(refusal)), markup=False, emoji=False)
    return REFUSED


def _listen(settings: Settings) -> socket.socket:
    """The socket of the service. Raises OSError if the address cannot be had."""
    family, kind, protocol, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
    listening = socket.socket(family, kind, protocol)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
    except OSError:
        listening.close()
        raise
    return listening


def _with_room(settings: Settings) -> Settings:
    """The settings with as many connections as there may be files."""
    room = room_for(settings.connections)
    if room < settings.connections:
        log.warning("the limit of open files leaves room for fewer connections", extra={"connections": room})
    return settings.model_copy(update={"connections": room})


def _config(settings: Settings, store: Embedded) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(settings, store),
        http=Connection,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=GRACE_SECONDS + 1,
    )


class _Server(uvicorn.Server):
    """Uvicorn, stopped by SIGINT and SIGTERM without raising them again: Ctrl-C is how one stops it, so it is quiet."""

    on_stop: Callable[[], None]

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Gives what runs a moment to end, then tells the rest that the service stops."""
        stopping = asyncio.get_running_loop().call_later(GRACE_SECONDS, self.on_stop)
        await super().shutdown(sockets)
        stopping.cancel()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Has the loop itself hear the signals while the server runs."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


async def _start(store: Embedded, server: uvicorn.Server, console: Console) -> bool:
    """Starts the store while the server answers /health already; false, with a message, if it refuses."""
    try:
        with _progress(store, console):
            await store.start()
    except Refusal as refusal:
        _refused(console, refusal)
        return False
    while not server.started:
        if server.should_exit:
            return False
        await asyncio.sleep(0.01)
    gc.collect()
    gc.freeze()  # what is here stays: the collector need not look at it again and again
    gc.set_threshold(*COLLECTING)
    take_turns_of(SLICE_SECONDS)
    console.print(f"motorgraph is at {store.address} (Ctrl-C stops it)", markup=False)
    return True


def _address(listening: socket.socket, settings: Settings) -> str:
    port = listening.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{port}/"


@contextmanager
def _progress(store: Embedded, console: Console) -> Iterator[None]:
    """A bar for each file that takes long to load, on a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        known: dict[str, TaskID] = {}

        def advance(path: str, done: int, total: int) -> None:
            name = path.rpartition("/")[2]
            if name not in known:
                known[name] = bars.add_task(name, total=total)
            bars.update(known[name], completed=done)

        def tell(stage: str) -> None:
            if stage == "validating":
                bars.add_task("validating against the shapes", total=None)

        store.control.on_progress = advance
        store.on_stage = tell
        yield
