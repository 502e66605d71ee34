"""The servers that are compared with motorgraph, each with the same graph, and how their users would set them up."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from bench.servers import (
    LOOPBACK,
    SECONDS_TO_READY,
    Launch,
    Server,
    ServerError,
    durable_oxigraph,
    executable,
    free_port,
    memory_oxigraph,
    motorgraph,
    running,
    warm_motorgraph,
)

RDFLIB_SERVER = Path(__file__).with_name("rdflib_server.py")
READY = "/sparql?query=ASK%20%7B%7D"
GRAPH = "http://auto.example/graph/virtuoso"
SIGN_IN = ("dba", "dba")  # of a new database
# Virtuoso counts memory in buffers of 8 KiB; its own table has 85,000 of them, 0.7 GiB, for each GiB that it may take.
BUFFERS_A_GIB = 85_000
SHARE_OF_MEMORY = 0.25
THREADS = 64  # more than there are connections, which each take one
_SETTINGS = """
[Database]
DatabaseFile = {folder}/virtuoso.db
ErrorLogFile = {folder}/virtuoso.log
LockFile = {folder}/virtuoso.lck
TransactionFile = {folder}/virtuoso.trx
xa_persistent_file = {folder}/virtuoso.pxa
[TempDatabase]
DatabaseFile = {folder}/virtuoso-temp.db
TransactionFile = {folder}/virtuoso-temp.trx
[Parameters]
ServerPort = {loopback}:{sql}
DirsAllowed = {graphs}
DefaultIsolation = 4
NumberOfBuffers = {buffers}
MaxDirtyBuffers = {dirty}
MaxQueryMem = 2G
ServerThreads = {threads}
ThreadsPerQuery = {cores}
AsyncQueueMaxThreads = {cores}
CheckpointInterval = 0
[HTTPServer]
ServerPort = {loopback}:{port}
ServerRoot = {folder}
ServerThreads = {threads}
MaxKeepAlives = {threads}
KeepAliveTimeout = 60
MaxClientConnections = {threads}
[SPARQL]
"""
"""DefaultIsolation 4: what a query needs to see whole commits only, as all others give. No ResultSetMaxRows: no answer is cut."""


@contextmanager
def rdflib_endpoint(graph: Path, folder: Path) -> Iterator[Server]:
    """rdflib-endpoint on oxrdflib, in memory."""
    port = free_port()
    command = [sys.executable, str(RDFLIB_SERVER), str(graph), str(port)]
    with running(Launch("rdflib", command, port, "/sparql", READY, "/sparql"), folder) as server:
        yield server


@contextmanager
def virtuoso(graph: Path, folder: Path) -> Iterator[Server]:
    """Virtuoso on disk, the graph bulk-loaded."""
    sql, port, home = free_port(), free_port(), folder / "virtuoso"
    home.mkdir()
    settings = home / "virtuoso.ini"
    settings.write_text(_virtuoso_settings(home, graph.parent, sql, port))
    command = [executable("virtuoso-t"), "+foreground", "+configfile", str(settings)]
    with running(Launch("virtuoso", command, port, "/sparql", READY, "/sparql-auth"), folder) as server:
        _load(sql, graph)
        yield replace(server, sign_in=SIGN_IN, graph=GRAPH)


def _virtuoso_settings(home: Path, graphs: Path, sql: int, port: int) -> str:
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    buffers = int(gib * SHARE_OF_MEMORY * BUFFERS_A_GIB)
    places = {"folder": home, "graphs": graphs, "loopback": LOOPBACK, "sql": sql, "port": port}
    sizes = {"buffers": buffers, "dirty": buffers * 3 // 4, "threads": THREADS, "cores": os.cpu_count() or 1}
    return _SETTINGS.format(**places, **sizes)


def _load(sql: int, graph: Path) -> None:
    """Loads by the bulk loader. Raises ServerError with what it says if it does not load all."""
    steps = f"ld_dir('{graph.parent}', '{graph.name}', '{GRAPH}'); rdf_loader_run(); checkpoint;"
    check = "SELECT 'failed', ll_error FROM DB.DBA.load_list WHERE ll_state <> 2 OR ll_error IS NOT NULL;"
    signed = [executable("isql-vt"), f"{LOOPBACK}:{sql}", *SIGN_IN]
    asked = [*signed, f"exec={steps} {check}"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=SECONDS_TO_READY)
    if done.returncode or "Error" in done.stdout + done.stderr or "failed  " in done.stdout:
        raise ServerError(f"virtuoso does not load {graph.name}: {(done.stderr or done.stdout)[-2000:]}")


def lacking(name: str) -> str:
    """What a server needs that is not here, "" if nothing is."""
    if name == "rdflib":
        return next((f"the package {each}" for each in ("rdflib_endpoint", "oxrdflib") if not find_spec(each)), "")
    needed = {"virtuoso": ("virtuoso-t", "isql-vt")}.get(name, ())
    return next((f"the command {each}" for each in needed if not shutil.which(each)), "")


Starter = Callable[[Path, Path], AbstractContextManager[Server]]
STARTERS: Mapping[str, Starter] = {
    "motorgraph": motorgraph,
    "warm": warm_motorgraph,
    "durable": durable_oxigraph,
    "memory": memory_oxigraph,
    "rdflib": rdflib_endpoint,
    "virtuoso": virtuoso,
}
