"""Starts the engine of Apache Jena for tests, as the engine behind a remote store, and tells what it is known to do otherwise."""

from __future__ import annotations

import shutil
import socket
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from motorgraph.engine.place import Place
from tests.elsewhere import Elsewhere
from tests.running import until

JARS = Path("/usr/share/java")
SERVER = Path(__file__).with_name("Jena.java")
START_SECONDS = 120
TEXTS = "org/apache/jena/ext/xerces/"
CLASSES = (  # all that lie there together would contradict each other
    *("jena-[a-z]*[a-z0-9]", "commons-codec", "commons-compress", "commons-csv", "commons-io", "commons-lang3", "gson", "guava"),
    *("httpclient", "httpcore", "jackson-*", "jsonld-java", "protobuf", "slf4j-api", "slf4j-nop", "thrift", "titanium-json-ld"),
    "dexx.collection",
)
DEVIATIONS: dict[str, str] = {}
"""By the name of a test as it is asked of Jena: what it does otherwise. There the test has to fail."""


@dataclass
class Jena(Elsewhere):
    """A running engine: its process, where it is, and its folder."""

    folder: Path

    @property
    def place(self) -> Place:
        """Where it takes queries and updates."""
        return Place(f"http://127.0.0.1:{self.port}/ds/query", dialect="fuseki")

    def again(self) -> None:
        """Starts it anew where it was."""
        self.process = _started(self.folder, self.port)


@contextmanager
def jena(folder: Path) -> Iterator[Jena]:
    """One on a free port with a new database, ended at the end. Skips where there is none."""
    if shutil.which("java") is None or not (JARS / "jena-tdb2.jar").is_file():
        pytest.skip("there is no Jena (Debian's packages libapache-jena-java and default-jdk-headless)")
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    _resources(folder)
    running = Jena(_started(folder, port), port, folder)
    try:
        yield running
    finally:
        running.kill()


def _resources(folder: Path) -> None:
    """Lays the texts of messages where the classes of Debian's jar look for them; in the jar they are elsewhere."""
    with zipfile.ZipFile(JARS / "jena-core.jar") as jar:
        for name in jar.namelist():
            if name.startswith(TEXTS) and name.endswith(".properties"):
                file = folder / "texts" / name.removeprefix(TEXTS.removesuffix("xerces/"))
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(jar.read(name))


def _started(folder: Path, port: int) -> subprocess.Popen[bytes]:
    jars = [jar for pattern in CLASSES for jar in sorted(JARS.glob(f"{pattern}.jar"))]
    (folder / "tdb").mkdir(exist_ok=True)
    path = ":".join(map(str, [folder / "texts", *jars]))
    command = ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp", path, str(SERVER), str(port), str(folder / "tdb")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers() -> bool:
        with socket.socket() as trial:
            return trial.connect_ex(("127.0.0.1", port)) == 0 or process.poll() is not None

    if not until(answers, START_SECONDS):
        process.kill()
        process.wait()
        pytest.fail("Jena did not start in time")
    assert process.poll() is None, "Jena did not start"
    return process
