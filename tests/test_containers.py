"""The image and its composition name files, stages, commands and settings that there are, and give no more rights than needed."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from motorgraph.cli import app
from motorgraph.engine.process import group_bytes
from motorgraph.settings import PREFIX, Settings

ROOT = Path(__file__).parents[1]
PORT = str(Settings.model_fields["port"].default)
Json = dict[str, Any]
INSTRUCTIONS = {"FROM", "RUN", "ENV", "WORKDIR", "VOLUME", "COPY", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"}


def stages() -> dict[str, list[tuple[str, str]]]:
    """The instructions of each stage by its name; the last, which is the service, has none."""
    lines = re.sub(r"\\\n\s*", "", (ROOT / "Containerfile").read_text()).splitlines()
    found: dict[str, list[tuple[str, str]]] = {}
    for line in lines:
        word, _, rest = line.partition(" ")
        if not line or word == "#":
            continue
        assert word in INSTRUCTIONS, line
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            found[name] = list(found.get(base, [("FROM", base)]))
        else:
            found[next(reversed(found))].append((word, rest.strip()))
    return found


def composed() -> Json:
    """The composition as YAML says it, variables not yet filled in."""
    found: Json = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return found


SERVED = ("oxigraph", "")
SERVICES = sorted(composed()["services"])


def last(stage: str, word: str) -> str:
    """What the last instruction of a kind says."""
    return [rest for instruction, rest in stages()[stage] if instruction == word][-1]


def variables(stage: str) -> dict[str, str]:
    """The environment of a stage."""
    told = " ".join(rest for word, rest in stages()[stage] if word == "ENV")
    return dict(pair.split("=", 1) for pair in shlex.split(told))


def test_every_file_that_the_image_takes_is_in_the_project() -> None:
    taken = [rest.split()[:-1] for steps in stages().values() for word, rest in steps if word == "COPY" and "--from" not in rest]
    named = {name for names in taken for name in names}
    assert named > {"constraints.txt", "pyproject.toml", "service/motorgraph", "ontology", "shapes", "data", "docs"}
    assert not [name for name in named if not (ROOT / name).exists()]


def test_what_the_wheel_is_built_of_is_taken() -> None:
    taken = " ".join(rest for word, rest in stages()["wheel"] if word == "COPY")
    built = (ROOT / "pyproject.toml").read_text()
    assets = re.findall(r'^"(\w+)" = "motorgraph/_assets/', built, re.MULTILINE)
    assert len(assets) > 3
    assert not [name for name in [*assets, "README.md", "LICENSE"] if name not in taken.split()]


def test_everything_that_pip_brings_is_pinned() -> None:
    installs = [rest for steps in stages().values() for word, rest in steps if word == "RUN" and "pip" in rest]
    calls = [call for rest in installs for call in rest.split("&&") if re.search(r"pip .*\binstall\b", call)]
    assert len(calls) == 3
    assert all("constraints.txt" in call for call in calls)
    assert not re.search(r"index-url|https?://(?!127\.0\.0\.1)", (ROOT / "Containerfile").read_text())


def test_the_image_runs_the_command_that_there_is_with_settings_that_there_are() -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]  # a group has them
    assert json.loads(last("", "ENTRYPOINT")) == ["motorgraph"]
    assert json.loads(last("", "CMD"))[0] in commands
    set_there = {name.removeprefix(PREFIX).lower(): value for name, value in variables("").items() if name.startswith(PREFIX)}
    assert not set(set_there) - set(Settings.model_fields)
    assert Settings(**set_there).data_dir == Path(last("", "VOLUME"))


@pytest.mark.parametrize("stage", SERVED)
def test_who_runs_in_the_image_is_nobody_of_note_and_writes_to_one_folder(stage: str) -> None:
    assert re.fullmatch(r"[1-9]\d{4,}:[1-9]\d{4,}", last(stage, "USER"))
    assert last(stage, "VOLUME") == last(stage, "WORKDIR") == variables(stage)["TMPDIR"] == "/data"
    made = " ".join(rest for word, rest in stages()[stage] if word == "RUN")
    assert f"--uid {last(stage, 'USER').partition(':')[0]} " in made


@pytest.mark.parametrize("stage", SERVED)
def test_the_check_of_an_image_asks_its_own_port_and_needs_no_curl(stage: str) -> None:
    asked = last(stage, "HEALTHCHECK")
    command = json.loads(asked[asked.index("[") :])
    assert command[:2] == ["python", "-c"]
    compile(command[2], "HEALTHCHECK", "exec")
    assert f":{last(stage, 'EXPOSE')}/" in command[2]


def test_the_check_of_the_service_is_of_its_readiness_at_the_port_that_it_listens_on() -> None:
    assert last("", "EXPOSE") == PORT
    assert f"127.0.0.1:{PORT}/ready'" in last("", "HEALTHCHECK")
    assert "MOTORGRAPH_PORT" not in variables("")


@pytest.mark.parametrize("name", SERVICES)
def test_a_composed_service_can_do_no_more_than_it_must(name: str) -> None:
    service = composed()["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["pids_limit"] > 0
    assert all(published.startswith("127.0.0.1:") for published in service.get("ports", []))


@pytest.mark.parametrize("name", SERVICES)
def test_a_composed_service_is_a_stage_of_the_image_with_volumes_that_are_declared(name: str) -> None:
    known, service = composed(), composed()["services"][name]
    build = service["build"]
    stage = build.get("target", "")
    assert (ROOT / build["context"] / build["dockerfile"]).is_file()
    assert stage in stages()
    for volume, place in (mount.split(":") for mount in service["volumes"]):
        assert volume in known["volumes"]
        assert place == last(stage, "VOLUME")
    assert set(service.get("secrets", [])) <= set(known["secrets"])
    assert set(service.get("depends_on", {})) <= set(known["services"])


def test_what_is_composed_gives_the_service_settings_that_there_are_and_no_secret() -> None:
    known = composed()["services"]["motorgraph"]
    given: Json = known["environment"]
    assert not {name.removeprefix(PREFIX).lower() for name in given} - set(Settings.model_fields)
    secret = [name for name in given if re.search(r"PASSWORD|_TOKEN$", name)]
    assert len(secret) == 2
    assert not [name for name in secret if given[name] is not None]  # as the environment has it
    assert given["MOTORGRAPH_TOKENS"] == f"@/run/secrets/{known['secrets'][0]}"
    assert known["ports"][0].endswith(f":{PORT}")


def test_the_engine_that_is_composed_is_where_the_service_is_told_to_look() -> None:
    told = (ROOT / "compose.yaml").read_text()
    found = re.search(r"MOTORGRAPH_REMOTE=(\S+)", told)
    assert found
    given = composed()["services"]["motorgraph"]["environment"]
    dialect = given["MOTORGRAPH_REMOTE_DIALECT"].removeprefix("${MOTORGRAPH_REMOTE_DIALECT:-").removesuffix("}")
    place = Settings(remote=found[1], remote_dialect=dialect).place
    assert place is not None
    assert place.url == f"http://oxigraph:{last('oxigraph', 'EXPOSE')}/query"
    assert composed()["services"]["oxigraph"]["profiles"] == ["remote"]


def test_without_a_file_of_tokens_nobody_may_write() -> None:
    assert composed()["secrets"]["tokens"]["file"] == "${TOKENS_FILE:-/dev/null}"
    assert not Settings(tokens=("@/dev/null",)).is_writable


@pytest.mark.parametrize(("most", "left"), [("max", None), ("1000000", 400_000), ("500000", 0)])
def test_the_memory_of_a_container_is_what_its_limit_leaves(tmp_path: Path, most: str, left: int | None) -> None:
    (tmp_path / "memory.max").write_text(f"{most}\n")
    (tmp_path / "memory.stat").write_text("anon 600000\nfile 300000\n")
    assert group_bytes(tmp_path) == left if left is not None else group_bytes(tmp_path) > 1 << 60
    assert group_bytes(tmp_path / "nowhere") > 1 << 60
