"""What the package depends on is pinned, fits together, and is free to pass on; and what advisories say is read rightly."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PERMISSIVE = re.compile(
    r"(0BSD|Apache(-2\.0|[ -]License.*| Software License)?|BSD(-[23]-Clause| License)|ISC( License.*)?|MIT(-0| License)?|PSF-2\.0"
    r"|W3C(-\d+)?|Mozilla Public License 2\.0 \(MPL 2\.0\)|MPL-2\.0)"
)
"""Licences that ask no more than to be passed on too; MPL-2.0 concerns the files of the library alone."""


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def needed(name: str, extras: frozenset[str], known: set[tuple[str, frozenset[str]]]) -> Iterator[Distribution]:
    """A distribution and all that it depends on here, with these extras."""
    key = canonical(name), extras
    if key in known:
        return
    known.add(key)
    try:
        found = distribution(name)
    except PackageNotFoundError:  # not for this machine
        return
    yield found
    for text in found.requires or ():
        wanted = Requirement(text)
        if wanted.marker is None or any(wanted.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield from needed(wanted.name, frozenset(wanted.extras), known)


def distributions(*extras: str) -> dict[str, Distribution]:
    return {canonical(found.name): found for found in needed("motorgraph", frozenset(extras), set())}


def pinned() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().split()
    return {canonical(name): version for name, _, version in (line.partition("==") for line in lines)}


def licences(found: Distribution) -> list[str]:
    """What a distribution says of its licence: the expression, else the classifiers, else the field if it is short."""
    told = found.metadata
    if expression := told.get("License-Expression"):
        return re.split(r" AND | OR |[()]", expression)
    field = told.get("License") or ""
    classifiers = [each.rpartition(" :: ")[2] for each in told.get_all("Classifier") or () if each.startswith("License")]
    return [each for each in classifiers if each != "OSI Approved"] or field.splitlines()[:1]


def test_whatever_is_needed_is_pinned_to_the_version_that_is_tested() -> None:
    pins = pinned()
    found = {name: each.version for name, each in distributions("dev").items() if name != "motorgraph"}
    assert len(found) > 50
    assert {name: pins.get(name) for name in found} == found


def test_what_is_pinned_fits_together() -> None:
    done = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_what_is_needed_to_run_it_may_be_passed_on_freely() -> None:
    found = {name: [each for each in map(str.strip, licences(each)) if each] for name, each in distributions().items()}
    assert not [name for name, told in found.items() if not told]
    assert not {name: told for name, told in found.items() if not all(map(PERMISSIVE.fullmatch, told))}


@pytest.fixture(scope="module")
def advisories() -> ModuleType:
    path = ROOT / ".ci" / "advisories.py"
    if not path.exists():
        pytest.skip("what CI runs is not here: what is tested is an installed wheel")
    spec = importlib.util.spec_from_file_location("advisories", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_a_vulnerability_that_is_known_is_found(advisories: ModuleType) -> None:
    vulns = [{"id": "PYSEC-2024-1", "fix_versions": ["2.0"], "aliases": ["CVE-2024-1"], "description": "…"}]
    packages: list[dict[str, Any]] = [
        {"name": "a", "version": "1.0", "vulns": vulns},
        {"name": "b", "version": "1.0", "vulns": []},
    ]
    answer = advisories.of_pip_audit({"dependencies": packages, "fixes": []})
    assert (answer.known, answer.asked, answer.unasked) == (["a 1.0: PYSEC-2024-1, mended in 2.0"], 2, {})


def test_what_could_not_be_asked_about_is_not_taken_for_sound(advisories: ModuleType) -> None:
    """As pip-audit writes it, and ends well, where it reaches no database."""
    reasons = [f"Dependency not found on PyPI and could not be audited: {name} (1.0)" for name in "ab"]
    packages = [{"name": name, "skip_reason": reason} for name, reason in zip("ab", reasons, strict=True)]
    answer = advisories.of_pip_audit({"dependencies": packages, "fixes": []})
    assert (answer.known, answer.asked) == ([], 0)
    assert answer.unasked == {"Dependency not found on PyPI and could not be audited": 2}
    assert "NOT ASKED about 2" in "\n".join(advisories.told("Python", answer))


def test_what_npm_says_is_read(advisories: ModuleType) -> None:
    via = [{"title": "Prototype pollution", "severity": "high"}, "other"]
    found = {"a": {"name": "a", "severity": "high", "range": "<2", "via": via}}
    report = {"vulnerabilities": found, "metadata": {"dependencies": {"total": 40}}}
    assert advisories.of_npm_audit(report).known == ["a <2: high, Prototype pollution"]
    away = advisories.of_npm_audit({"message": "405 Method Not Allowed", "method": "POST"})
    assert (away.known, away.asked, away.unasked) == ([], 0, {"405 Method Not Allowed": 1})


def test_a_tool_that_is_not_there_or_says_nothing_is_told(advisories: ModuleType, tmp_path: Path) -> None:
    assert advisories.asked(["no-such-tool"], tmp_path, json.loads).unasked == {"no-such-tool is not installed": 1}
    away = advisories.asked([sys.executable, "-c", "raise SystemExit('no network')"], tmp_path, json.loads)
    assert away.unasked == {"no network": 1}
