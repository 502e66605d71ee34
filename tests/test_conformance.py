"""The service does what /openapi.json says, for requests that schemathesis makes of it: valid ones, and such as are not quite."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import TOKEN, Service, service

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
MOST_SECONDS = 120
PATIENCE = 60
"""What is counted or made when it is first asked for takes longer than ten seconds on a busy machine."""
LIKE_OTHERS = "^/questions/.*[^}]$"
"""Every question has a path of its own; `/questions/{slug}` stands for them."""
WRITES = "^/(sparql|graphs|validate|changes)"


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A plain service that nobody else writes to."""
    with service(tmp_path_factory.mktemp("conformance"), "--plain", "--query-seconds", "5") as running:
        yield running


def require_conformance(running: Service, folder: Path, *arguments: str) -> None:
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{running.url}/openapi.json", "--checks", CHECKS]
    bounded = ["--phases", "examples,coverage", "--seed", "8", "--no-shrink", "--max-time", str(MOST_SECONDS)]
    bounded += ["--request-timeout", str(PATIENCE)]
    done = subprocess.run([*command, *bounded, *arguments], capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " 0 generated" not in done.stdout
    assert "a fault of the service" not in running.log.read_text()


def test_whatever_can_be_read_is_answered_as_it_is_described(shipped: Service, tmp_path: Path) -> None:
    require_conformance(shipped, tmp_path, "--exclude-path-regex", LIKE_OTHERS)


def test_whatever_can_be_written_is_answered_as_it_is_described(alone: Service, tmp_path: Path) -> None:
    require_conformance(alone, tmp_path, "--include-path-regex", WRITES, "--header", f"Authorization: Bearer {TOKEN}")
