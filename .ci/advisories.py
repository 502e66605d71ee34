"""Asks the public databases of advisories about every pinned dependency, of Python and of the pages.

A vulnerability that they know of fails. What they could not be asked about is said and does not: there are networks without them,
and a database that is away says nothing of this change. So a green run means what its last lines say.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SECONDS = 300
PIP_AUDIT = [sys.executable, "-m", "pip_audit", "--requirement", "constraints.txt", "--no-deps", "--disable-pip"]
NPM_AUDIT = ["npm", "audit", "--package-lock-only", "--json"]
Json = dict[str, Any]  # Any: what the two tools write


@dataclass
class Answer:
    """What was said: `known` vulnerabilities, a line each; how many packages were `asked` about; why others were not."""

    known: list[str] = field(default_factory=list)
    asked: int = 0
    unasked: dict[str, int] = field(default_factory=dict)


def of_pip_audit(report: Json) -> Answer:
    """What `pip-audit --format json` found. It ends well, too, where it could ask about nothing."""
    answer = Answer()
    for package in report["dependencies"]:
        if "skip_reason" in package:
            why = package["skip_reason"].partition(":")[0]
            answer.unasked[why] = answer.unasked.get(why, 0) + 1
            continue
        answer.asked += 1
        for each in package["vulns"]:
            mended = ", ".join(each.get("fix_versions", ())) or "no version yet"
            answer.known.append(f"{package['name']} {package['version']}: {each['id']}, mended in {mended}")
    return answer


def of_npm_audit(report: Json) -> Answer:
    """What `npm audit --json` found; a `message` or `error` in place of a report says why it could not ask."""
    if "vulnerabilities" not in report:
        return Answer(unasked={str(report.get("message") or report.get("error") or "no report"): 1})
    known = [
        f"{name} {each['range']}: {each['severity']}, {_titles(each['via']) or 'by what it depends on'}"
        for name, each in report["vulnerabilities"].items()
    ]
    return Answer(known, report["metadata"]["dependencies"]["total"])


def _titles(via: list[Any]) -> str:  # Any: an advisory, or the name of another package
    return "; ".join(each["title"] for each in via if isinstance(each, dict))


def asked(command: list[str], folder: Path, read: Callable[[Json], Answer]) -> Answer:
    """What a tool says, which also ends badly where it found something; that it could not ask is an answer as well."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603
        return read(json.loads(done.stdout))
    except FileNotFoundError:
        return Answer(unasked={f"{command[0]} is not installed": 1})
    except subprocess.TimeoutExpired:
        return Answer(unasked={f"no answer within {SECONDS} seconds": 1})
    except json.JSONDecodeError:
        return Answer(unasked={(done.stderr.strip().splitlines() or ["nothing was said"])[-1][:200]: 1})


def told(name: str, answer: Answer) -> Iterator[str]:
    """An answer in words."""
    yield from (f"{name}: VULNERABLE: {line}" for line in answer.known)
    yield from (f"{name}: NOT ASKED about {count}: {why}" for why, count in answer.unasked.items())
    yield f"{name}: {len(answer.known)} known vulnerabilities in {answer.asked} packages that were asked about"


def main() -> int:
    """Asks about both. Returns 1 if anything is vulnerable."""
    answers = {
        "Python": asked([*PIP_AUDIT, "--progress-spinner", "off", "--format", "json"], ROOT, of_pip_audit),
        "npm": asked(NPM_AUDIT, ROOT / "service" / "pages", of_npm_audit),
    }
    for name, answer in answers.items():
        print("\n".join(told(name, answer)))  # noqa: T201
    return 1 if any(answer.known for answer in answers.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
