"""The checksums of dumps are signed so that OpenSSH's own tool can tell whether they are what the service said."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from motorgraph.errors import Failed
from motorgraph.signing import NAMESPACE, PRINCIPAL, Signer
from tests.running import Service, service, start

pytestmark = pytest.mark.skipif(
    shutil.which("ssh-keygen") is None, reason="no ssh-keygen, which makes keys and checks signatures"
)
INSERT = "INSERT DATA { GRAPH <http://x/g> { <http://x/s> <http://x/p> 1 } }"


def key(folder: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    path = folder / f"key-{kind}"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "", "-f", str(path)], check=True)
    return path


def verified(folder: Path, signers: bytes, signature: bytes, message: bytes, namespace: str = NAMESPACE) -> bool:
    """What `ssh-keygen -Y verify` says."""
    (folder / "allowed_signers").write_bytes(signers)
    (folder / "message.sig").write_bytes(signature)
    command = ["ssh-keygen", "-Y", "verify", "-f", "allowed_signers", "-I", PRINCIPAL, "-n", namespace, "-s", "message.sig"]
    return subprocess.run(command, cwd=folder, input=message, capture_output=True).returncode == 0


@pytest.mark.parametrize("message", [b"", b"sums\n", bytes(range(256)) * 1000])
def test_a_signature_is_good_for_its_message_alone(tmp_path: Path, message: bytes) -> None:
    signer = Signer.of(key(tmp_path))
    signature = signer.signature(message)
    assert verified(tmp_path, signer.allowed_signers(), signature, message)
    assert not verified(tmp_path, signer.allowed_signers(), signature, message + b" ")
    assert signature == signer.signature(message)


def test_it_is_the_signature_that_the_tool_makes(tmp_path: Path) -> None:
    path = key(tmp_path)
    command = ["ssh-keygen", "-Y", "sign", "-q", "-f", str(path), "-n", NAMESPACE]
    made = subprocess.run(command, input=b"sums\n", capture_output=True, check=True).stdout
    assert Signer.of(path).signature(b"sums\n") == made


def test_another_key_or_purpose_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    signer, other = Signer.of(key(tmp_path)), Signer.of(key(tmp_path / "other"))
    assert not verified(tmp_path, other.allowed_signers(), signer.signature(b"sums"), b"sums")
    assert not verified(tmp_path, signer.allowed_signers(), signer.signature(b"sums"), b"sums", namespace="file")


@pytest.mark.parametrize(
    "text", ["", "secret nonsense", "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----"]
)
def test_a_file_that_is_no_key_is_refused_without_telling_what_is_in_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    with pytest.raises(Failed, match="no Ed25519 key") as refused:
        Signer.of(path)
    assert "secret" not in str(refused.value)


def test_other_keys_are_refused(tmp_path: Path) -> None:
    for path in (key(tmp_path, "rsa"), key(tmp_path, passphrase="secret"), key(tmp_path, "ecdsa"), tmp_path / "none"):
        with pytest.raises(Failed, match="dump_key"):
            Signer.of(path)


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A plain service that signs."""
    folder = tmp_path_factory.mktemp("signed")
    with service(folder, "--plain", "--dump-key", str(key(folder))) as running:
        assert running.update(INSERT).is_success
        yield running


def test_a_dump_is_checked_with_the_commands_of_the_documentation(signed: Service, tmp_path: Path) -> None:
    """As docs/http.md has them, but for the address."""
    script = "\n".join(
        [
            f"set -e; curl -sfo allowed_signers {signed.url}/dumps/allowed_signers",
            "for file in motorgraph.nq.gz index.json SHA256SUMS SHA256SUMS.sig",
            f"do curl -sfLO {signed.url}/dumps/latest/$file; done",
            "ssh-keygen -Y verify -f allowed_signers -I motorgraph -n motorgraph-dump -s SHA256SUMS.sig < SHA256SUMS",
            "sha256sum --check --ignore-missing --strict SHA256SUMS",
        ]
    )
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 'Good "motorgraph-dump" signature for motorgraph with ED25519 key' in done.stdout
    assert "motorgraph.nq.gz: OK" in done.stdout
    assert "index.json: OK" in done.stdout
    (tmp_path / "SHA256SUMS").write_text((tmp_path / "SHA256SUMS").read_text().replace("a", "b"))
    assert subprocess.run(["bash", "-c", script.splitlines()[-2]], cwd=tmp_path, capture_output=True).returncode != 0


def test_the_key_and_the_signature_are_told_of(signed: Service) -> None:
    listed = signed.client.get("/dumps/").json()
    assert listed["allowed_signers"] == f"{signed.url}/dumps/allowed_signers"
    assert "PRIVATE" not in signed.client.get("/about", headers={"Accept": "application/json"}).text
    page = signed.client.get("/dumps/latest/", headers={"Accept": "text/html"}, follow_redirects=True).text
    assert "SHA256SUMS.sig" in page
    response = signed.client.get("/dumps/latest/SHA256SUMS.sig", follow_redirects=True)
    assert response.headers["ETag"] == f'"{hashlib.sha256(response.content).hexdigest()}"'


def test_without_a_key_there_is_neither(plain: Service) -> None:
    assert plain.client.get("/dumps/allowed_signers").status_code == 404
    assert plain.client.get("/dumps/latest/SHA256SUMS.sig", follow_redirects=True).status_code == 404
    assert "allowed_signers" not in plain.client.get("/dumps/").json()


def test_a_start_with_a_key_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    with start(tmp_path, "--plain", "--dump-key", str(tmp_path / "none")) as process:
        assert process.wait(60) == 1
    assert "dump_key" in (tmp_path / "service.log").read_text()
