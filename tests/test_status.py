"""What the service says of itself at /about is what it is, and nothing that helps whoever means ill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from motorgraph import __version__
from motorgraph.judged import conforming
from motorgraph.notes import Notes
from motorgraph.settings import Settings
from motorgraph.status import judgement, limits, modes
from tests.running import TOKEN, Service

BROWSER = {"Accept": "text/html"}
MG = "https://motorgraph.example/ontology/"


def told(running: Service) -> dict[str, Any]:
    found = running.client.get("/about")
    assert found.status_code == 200
    assert found.headers["Content-Type"] == "application/json"
    return dict(found.json())


def test_it_tells_version_commit_and_mode(shipped: Service) -> None:
    about = told(shipped)
    commit = shipped.client.get("/changes").json()
    assert about["software"]["version"] == __version__
    assert about["commit"]["lineage"] == commit["lineage"]
    assert about["commit"]["number"] == commit["newest"]
    assert about["mode"] == ["takes changes from bearers of a token", "reads are open", "every commit is kept"]
    assert about["engines"]["pyoxigraph"].startswith("0.5.")


def test_its_figures_are_those_of_queries(shipped: Service) -> None:
    graph = told(shipped)["graph"]
    plants = next(each["count"] for each in graph["things"] if each["class"] == MG + "Plant")
    (counted,) = shipped.rows(f"SELECT (COUNT(DISTINCT ?p) AS ?plants) {{ ?p a <{MG}Plant> }}")
    (triples,) = shipped.rows("SELECT (COUNT(*) AS ?count) { GRAPH <https://motorgraph.example/graph/accepted> { ?s ?p ?o } }")
    assert plants == int(counted["plants"])
    assert graph["graphs"]["https://motorgraph.example/graph/accepted"] == int(triples["count"])


def test_it_tells_the_limits_in_force_and_what_the_shapes_found(shipped: Service) -> None:
    about = told(shipped)
    in_force = {limit["setting"]: limit["value"] for limit in about["limits"]}
    assert in_force["query-seconds"] == 30
    assert in_force["readers"] > 0
    assert "port" not in in_force
    found = about["judgement"]
    assert found["conforms"] is True
    assert sum(each["count"] for each in found["findings"]) == found["total"] > 0


def test_the_page_says_the_same_in_words(shipped: Service) -> None:
    page = shipped.client.get("/about", headers=BROWSER).text
    assert "What runs here" in page
    assert '<a href="/docs/settings#query-seconds">' in page
    assert shipped.client.get("/about", headers={"Accept": "image/png"}).status_code == 406
    assert shipped.client.post("/about").status_code == 405


def test_nothing_of_it_tells_a_path_a_token_or_a_process(shipped: Service) -> None:
    shown = shipped.client.get("/about").text + shipped.client.get("/about", headers=BROWSER).text
    for secret in (TOKEN, str(shipped.log.parent), str(Path.home()), str(shipped.process.pid)):
        assert secret not in shown


def test_a_plain_store_tells_what_is_in_it(plain: Service, graph: str) -> None:
    plain.put(graph, "\n".join(f"<http://x/{number}> a <{graph}#Thing> ." for number in range(200)))
    about = told(plain)
    assert about["mode"][1].startswith("plain store")
    assert about["judgement"] is None
    assert {"class": f"{graph}#Thing", "label": f"{graph}#Thing", "count": 200} in about["graph"]["things"]


def test_the_mode_is_told_in_words(tmp_path: Path) -> None:
    replica = Settings(follow="https://secret.example.org", data_dir=tmp_path)
    assert modes(replica, keeps_history=True)[0] == "read replica"
    assert modes(Settings(data_dir=tmp_path), keeps_history=None) == ["read-only", "reads are open"]
    assert "secret" not in str(limits(replica, replica.limits()))


def test_a_verdict_is_told_by_shape_and_one_without_findings_as_not_known(tmp_path: Path) -> None:
    verdicts = Notes(tmp_path / "verdicts")
    assert verdicts.on("one") is None
    results = [
        {"severity": "Info", "shape": "s:a"},
        {"severity": "Warning", "shape": "s:b"},
        {"severity": "Info", "shape": "s:a"},
    ]
    verdicts.remember("one", conforming(results))
    found = judgement(Settings(data_dir=tmp_path), verdicts.on("one"))
    assert found == {
        "conforms": True,
        "total": 3,
        "findings": [{"severity": "Info", "shape": "s:a", "count": 2}, {"severity": "Warning", "shape": "s:b", "count": 1}],
    }
    assert judgement(Settings(data_dir=tmp_path), {"conforms": True, "warnings_and_infos": 3}) == {**found, "findings": None}
