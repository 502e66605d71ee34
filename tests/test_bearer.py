"""The entries of the setting `tokens`: what they hold, what is refused with which words, and that no token is ever repeated."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from motorgraph.bearer import SHORTHAND, Bearer, Scope, bearers, find, minted
from motorgraph.settings import PREFIX, Settings
from tests.test_cli import run

HASH = hashlib.sha256(b"secret").hexdigest()
OTHER = hashlib.sha256(b"other").hexdigest()


def test_an_entry_says_name_scope_and_the_hash_of_the_token() -> None:
    bearer = Bearer.of(f"anna:write:{HASH}")
    assert (bearer.name, bearer.scope, bearer.digest) == ("anna", Scope.WRITE, hashlib.sha256(b"secret").digest())
    assert bearer == Bearer.holding("anna", Scope.WRITE, "secret")
    assert bearer.entry == f"anna:write:{HASH}"


def test_each_scope_includes_those_before_it() -> None:
    assert Scope.ADMIN > Scope.WRITE > Scope.READ


@pytest.mark.parametrize("name", ["a", "Anna.K", "anna@example.org", "nightly-import_2", "7" * 64])
def test_names_that_can_stand_in_an_iri_are_taken(name: str) -> None:
    assert Bearer.of(f"{name}:read:{HASH}").name == name


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("topsecret", "NAME:SCOPE:HASH"),
        ("anna:topsecret", "NAME:SCOPE:HASH"),
        (f"anna:write:{HASH}:topsecret", "NAME:SCOPE:HASH"),
        (f":write:{HASH}", "a name is"),
        (f"-anna:write:{HASH}", "a name is"),
        (f"anna k:write:{HASH}", "a name is"),
        (f"änne:write:{HASH}", "a name is"),
        (f"{'a' * 65}:write:{HASH}", "a name is"),
        (f"motorgraph:write:{HASH}", "is taken"),
        (f"Write-Token:write:{HASH}", "is taken"),
        (f"anna:topsecret:{HASH}", "read, write, admin"),
        (f"anna:WRITE:{HASH}", "read, write, admin"),
        ("anna:write:topsecret", "SHA-256"),
        (f"anna:write:{HASH[:-1]}", "SHA-256"),
        (f"anna:write:{HASH[:-1]}g", "SHA-256"),
    ],
)
def test_what_is_no_entry_is_refused_without_repeating_what_may_be_a_token(entry: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)) as refused:
        Bearer.of(entry)
    assert "topsecret" not in str(refused.value)
    assert HASH[:8] not in str(refused.value)


def test_entries_may_stand_together_and_in_files_with_comments(tmp_path: Path) -> None:
    path = tmp_path / "tokens.txt"
    path.write_text(f"# the team\n\nanna:write:{HASH}  # till May\n  bot:read:{OTHER}\n")
    third = hashlib.sha256(b"third").hexdigest()
    found = bearers([f"@{path}", f" root:admin:{third},"])
    assert [bearer.name for bearer in found] == ["anna", "bot", "root"]


def test_a_name_may_have_two_tokens_but_a_token_only_one_name() -> None:
    assert len(bearers([f"anna:write:{HASH} anna:write:{OTHER}"])) == 2
    with pytest.raises(ValueError, match="entry 2: anna and bob have the same token"):
        bearers([f"anna:write:{HASH}", f"bob:write:{HASH}"])


def test_a_fault_in_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "tokens.txt"
    path.write_text(f"anna:write:{HASH}\nbob:{OTHER}\n")
    with pytest.raises(ValueError, match=re.escape(f"{path}, line 2: an entry is NAME:SCOPE:HASH")):
        bearers([f"@{path}"])


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing cannot be read: No such file"):
        bearers([f"@{tmp_path / 'nothing'}"])


def test_the_settings_take_entries_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX + "TOKENS", f"anna:write:{HASH}\nbot:read:{OTHER}")
    settings = Settings()
    assert [bearer.name for bearer in settings.bearers] == ["anna", "bot"]
    assert settings.is_writable


def test_tokens_that_are_only_for_reads_leave_the_service_read_only() -> None:
    assert not Settings(tokens=(f"bot:read:{HASH}",)).is_writable


def test_the_write_token_is_the_shorthand_for_an_admin() -> None:
    (bearer,) = Settings(write_token="secret").bearers  # type: ignore[arg-type]  # as a flag gives it
    assert bearer == Bearer.holding(SHORTHAND, Scope.ADMIN, "secret")


def test_protected_reads_without_any_token_are_refused() -> None:
    with pytest.raises(ValidationError, match="without any token this would shut out everybody"):
        Settings(protect_reads=True)
    assert Settings(protect_reads=True, tokens=(f"bot:read:{HASH}",)).protect_reads
    assert Settings(protect_reads=True, write_token="secret").protect_reads  # type: ignore[arg-type]  # as a flag gives it


def test_the_bearer_of_a_token_is_found_by_all_of_it() -> None:
    known = bearers([f"anna:write:{HASH}", f"bot:read:{OTHER}"])
    found = [find(known, token) for token in (b"secret", b"other")]
    assert [bearer and bearer.name for bearer in found] == ["anna", "bot"]
    assert [find(known, token) for token in (b"", b"secre", b"secret ", b"Secret", HASH.encode())] == [None] * 5


def test_a_new_token_has_256_random_bits_and_is_never_made_twice() -> None:
    made = {minted() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"mg_[\w-]{43}", token) for token in made)


def test_the_command_makes_a_token_and_the_entry_that_fits_it() -> None:
    told = dict(line.split() for line in run("token", "anna", "--scope", "admin").splitlines())
    assert Bearer.of(told["entry"]) == Bearer.holding("anna", Scope.ADMIN, told["token"])


@pytest.mark.parametrize(("arguments", "words"), [(("anna k",), "a name is"), (("anna", "--scope", "all"), "read, write, admin")])
def test_the_command_refuses_what_would_be_no_entry(arguments: tuple[str, ...], words: str) -> None:
    assert words in run("token", *arguments, status=2)


def test_a_service_with_a_wrong_entry_does_not_start_and_does_not_tell_it() -> None:
    said = run("serve", "--tokens", "anna:write:topsecret", status=2)
    assert "--tokens, MOTORGRAPH_TOKENS: entry 1: anna: behind the scope stands the SHA-256" in said
    assert "topsecret" not in said


def test_info_tells_whose_tokens_there_are_and_nothing_of_them() -> None:
    said = run("info", "--plain", MOTORGRAPH_TOKENS=f"anna:write:{HASH}", MOTORGRAPH_WRITE_TOKEN="topsecret")
    assert "anna (write)" in said
    assert HASH not in said
    assert "topsecret" not in said
