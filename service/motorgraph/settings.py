"""The settings: one field each, from flags, from MOTORGRAPH_… in the environment, or the default here."""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from motorgraph.bearer import SHORTHAND, Bearer, Scope, bearers
from motorgraph.engine.dialects import DIALECTS
from motorgraph.engine.place import Place, basic
from motorgraph.engine.process import available_bytes, cores
from motorgraph.limits import Limits
from motorgraph.vocab import CANONICAL_BASE

PREFIX = "MOTORGRAPH_"
MIB = 1 << 20
DESCRIPTORS_WITH_SERVICE = 64
_PAGES = re.compile(r"/(?:feed|changes)(?:/.*)?$")
_CONTACT = re.compile(r"(?:https://|mailto:|tel:)[!-~]+")  # RFC 9116 §2.5.3
_HOST_NAME = re.compile(r"[\w.-]+")


def default_data_dir() -> Path:
    """Where the service keeps its own files: `$XDG_DATA_HOME/motorgraph`, else `~/.local/share/motorgraph`."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "motorgraph"


class Settings(BaseSettings):
    """Everything that an operator can choose; the descriptions are the help texts and the documentation."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8800, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    base: str = Field(
        CANONICAL_BASE, description="Base of the graph's own IRIs; shipped files are read with it in place of the default."
    )
    plain: bool = Field(False, description="A bare store: no shipped data, no shapes, the default graph separate.")
    load: Annotated[tuple[Path, ...], NoDecode] = Field(
        (),
        description="RDF file to load at the start, .gz and .zst too; may be given again (in the environment: separated by ':'). "
        "Outside plain mode triples without a graph go to BASE/graph/source/NAME, the file's name without .ttl.gz and the like.",
    )
    align: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Vocabulary whose alignment to load too: schema, prov, org, fibo, gist, sem …; may be given again "
        "(or separated by ',').",
    )
    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="Folder of the service's own files: the journal, snapshots, dumps, verdicts on shapes, readings of rules.",
    )
    snapshot_after: int = Field(
        1000, ge=2, description="Commits after which the whole graph is written down anew, so that a start replays no more."
    )
    dumps_kept: int = Field(3, ge=0, description="Dumps of the newest commits that are kept on the disk; 0: none are made.")
    dump_key: Path | None = Field(
        None,
        description="File with an Ed25519 key by which the checksums of dumps are signed, as 'ssh-keygen -t ed25519' makes it, "
        "without a passphrase.",
    )
    default_graph: Literal["union", "separate"] | None = Field(
        None,
        description="A query's default graph: union (of all graphs; the default) or separate (the default with --plain).",
    )
    readers: int = Field(
        0,
        ge=0,
        description="Most readers at once, beside one for small queries; 0 takes twice the cores, fewer if memory is short.",
    )
    query_seconds: float = Field(30.0, gt=0, description="Seconds that a query may take, its wait included.")
    query_memory: int = Field(1024, ge=16, description="MiB that one query may use beside the graph.")
    query_bytes: int = Field(1024, ge=1, description="MiB that one answer may have.")
    query_rows: int = Field(10_000_000, ge=1, description="Rows that one answer may have.")
    cache_bytes: int = Field(
        64, ge=0, description="MiB of answers that are kept to be given again while their commit is the newest; 0 keeps none."
    )
    query_length: int = Field(1024, ge=1, description="KiB that the text of a query or update may have.")
    body_bytes: int = Field(256, ge=1, description="MiB that a body sent to /graphs may have.")
    bodies_bytes: int = Field(
        512,
        ge=1,
        description="MiB that all bodies which are being received or worked on may take together, beyond 64 KiB each; half of it "
        "without a token. Beyond that more are refused, but never the only one of its kind.",
    )
    duty_combinations: int = Field(
        2000, ge=1, description="Combinations of maker, plant, model, market and day that the duty planner answers at once."
    )
    queue_length: int = Field(256, ge=1, description="Queries that may wait before more are refused.")
    connections: int = Field(
        512,
        ge=8,
        description="Connections that may be open at once; beyond them one that is idle makes way, else the newest is refused. "
        "Fewer if the system's limit of open files does not allow twice as many.",
    )
    client_connections: int | None = Field(
        None,
        ge=0,
        description="Connections that one client may have open at once: one address (of IPv6 a network of 64 bits) that is no "
        "trusted proxy; half of connections by default. Beyond them one of its own that is idle makes way, else the newest is "
        "refused; 0 sets no limit.",
    )
    client_seconds: float = Field(
        30.0, ge=1, description="Seconds that a client may take for the head of a request, pause in its body, or take no answer."
    )
    write_queue_length: int = Field(
        32, ge=0, description="Writes that may wait for the one under way, each with its body in memory, before more are refused."
    )
    past_readers: int = Field(2, ge=1, description="Processes that answer about older commits at once.")
    past_queue_length: int = Field(32, ge=0, description="Questions about older commits that may wait before more are refused.")
    past_seconds: float = Field(60.0, gt=0, description="Seconds that it may take to rebuild the graph of an older commit.")
    validations: int = Field(2, ge=1, description="Processes that judge what is sent to /validate at once.")
    validation_queue_length: int = Field(16, ge=0, description="Texts that may wait to be judged before more are refused.")
    validation_bytes: int = Field(8, ge=1, description="MiB that a body sent to /validate may have, unpacked.")
    service_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Host that SERVICE may ask, by name without scheme and port; may be given again (or separated by ','). "
        "None by default.",
    )
    client_requests: float = Field(
        0.0,
        ge=0,
        description="Requests a second that one client may make for long: one address (of IPv6 a network of 64 bits), or the "
        "bearer of a token; 0 sets no limit.",
    )
    client_burst: int = Field(
        0,
        ge=0,
        description="Requests that it may make at once before that counts; 0 is as many as it may make in ten seconds.",
    )
    client_query_seconds: float = Field(
        0.0,
        ge=0,
        description="Seconds a minute that processes may work on what one client asks: queries, validations, older commits; 0 "
        "sets no limit.",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Address or network of a reverse proxy whose X-Forwarded-For and X-Forwarded-Proto are believed, such as "
        "127.0.0.1; may be given again (or separated by ',').",
    )
    follow: str = Field(
        "", description="Address of another motorgraph whose read replica this one is to be; its /feed or /changes will do."
    )
    follow_token: SecretStr | None = Field(None, description="Token to read there with, where reads are protected.")
    follow_seconds: float = Field(0.5, gt=0, description="Seconds from one look for new commits there to the next.")
    remote: str = Field(
        "",
        description="Address of the SPARQL endpoint where the graph lies, such as http://127.0.0.1:7878/query; without it the "
        "graph is in memory. The journal stays in data-dir: 'motorgraph copy' puts its graph there, 'motorgraph adopt' takes "
        "over what is there.",
    )
    remote_update: str = Field("", description="Address for its updates, where it is not the usual one beside that for queries.")
    remote_dialect: Literal["oxigraph", "virtuoso", "fuseki", "graphdb", "neptune", "stardog", "qlever", "sparql"] = Field(
        "sparql", description="What kind of engine it is; sparql for any that keeps to SPARQL 1.1."
    )
    remote_user: str = Field("", description="Name to sign in with there (HTTP Basic; Digest for virtuoso).")
    remote_password: SecretStr | None = Field(None, description="Password to sign in with there.")
    remote_token: SecretStr | None = Field(None, description="Bearer token to sign in with there, in place of name and password.")
    remote_seconds: float = Field(2.0, gt=0, description="Seconds that a connection to it may take.")
    remote_count_seconds: float = Field(
        3600.0,
        ge=0,
        description="Seconds after which the quads of the remote store are counted again, by which it is noticed that somebody "
        "else has written there; 0 for never.",
    )
    write_token: SecretStr | None = Field(
        None,
        description="Bearer token of a service with one writer: scope admin, the name 'write token'; without any token the "
        "service is read-only.",
    )
    tokens: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="NAME:SCOPE:HASH of a bearer token, by 'motorgraph token', or @FILE with one a line; may be given again "
        "(or separated by blanks or ',').",
    )
    protect_reads: bool = Field(False, description="Reads need a token too: all but /health, /ready, /static and manifests.")
    security_contact: str = Field(
        "",
        description="Where to report weaknesses of this service, for /.well-known/security.txt: an address that begins with "
        "https://, mailto: or tel:.",
    )
    audit_log: Path | None = Field(
        None, description="File to which a line is added for every attempt to write, whatever comes of it; - is standard output."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged.")
    access_log: bool = Field(False, description="Log every request, not only those that fail or take over a second.")

    @field_validator("load", mode="before")
    @classmethod
    def _paths(cls, value: Any) -> Any:  # Any: pydantic hands over whatever was given
        return tuple(filter(None, value.split(os.pathsep))) if isinstance(value, str) else value

    @field_validator("service_hosts", "align", "trusted_proxies", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:  # Any: as above
        lists = [value] if isinstance(value, str) else value
        return tuple(word.strip() for words in lists for word in str(words).split(",") if word.strip())

    @field_validator("service_hosts")
    @classmethod
    def _host_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_host_name(host) for host in value)

    @field_validator("security_contact")
    @classmethod
    def _contact(cls, value: str) -> str:
        if value and not _CONTACT.fullmatch(value):
            raise ValueError(f"{value!r} is no contact: it begins with https://, mailto: or tel:, as mailto:security@example.org")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_network(text) for text in value)

    @field_validator("default_graph", "client_connections", "write_token", "audit_log", "dump_key", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:  # Any: as above
        return None if value == "" else value

    @field_validator("follow")
    @classmethod
    def _upstream(cls, value: str, given: ValidationInfo) -> str:
        if value and (given.data.get("load") or given.data.get("align")):
            raise ValueError("a read replica has what its upstream has, and no files of its own; load and align there")
        return upstream_address(value) if value else ""

    @field_validator("remote", "remote_update")
    @classmethod
    def _endpoint(cls, value: str, given: ValidationInfo) -> str:
        if value and (given.data.get("load") or given.data.get("align") or given.data.get("follow")):
            raise ValueError("a graph in a remote store starts from its journal: it takes no load, align or follow")
        return endpoint_address(value) if value else ""

    @field_validator("base")
    @classmethod
    def _no_slash(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError(f"{value!r} is no base: it has to begin with http:// or https://, as {CANONICAL_BASE} does")
        return value.rstrip("/")

    @field_validator("tokens", mode="before")
    @classmethod
    def _token_entries(cls, value: Any) -> Any:  # Any: as above
        return tuple(bearer.entry for bearer in bearers([value] if isinstance(value, str) else value))

    @field_validator("protect_reads")
    @classmethod
    def _somebody_may_read(cls, value: bool, given: ValidationInfo) -> bool:
        if value and not given.data.get("tokens", True) and given.data.get("write_token", True) is None:
            raise ValueError("without any token this would shut out everybody; give tokens (or write_token) too")
        return value

    @property
    def bearers(self) -> tuple[Bearer, ...]:
        """Who has a token."""
        named = bearers(self.tokens)
        if self.write_token is None:
            return named
        return (*named, Bearer.holding(SHORTHAND, Scope.ADMIN, self.write_token.get_secret_value()))

    @property
    def is_writable(self) -> bool:
        """Whether anybody may write."""
        return not self.follow and any(bearer.scope >= Scope.WRITE for bearer in self.bearers)

    @property
    def share(self) -> int:
        """How many connections one client may have, 0 for as many as there may be."""
        return self.connections // 2 if self.client_connections is None else self.client_connections

    @property
    def is_union(self) -> bool:
        """Whether a query's default graph is the merge of all graphs."""
        return (self.default_graph or ("separate" if self.plain else "union")) == "union"

    @property
    def place(self) -> Place | None:
        """Where the graph is, if it is not in memory."""
        if not self.remote:
            return None
        authorization, signs = "", {}
        if self.remote_token is not None:
            authorization = f"Bearer {self.remote_token.get_secret_value()}"
        elif self.remote_password is not None and DIALECTS[self.remote_dialect].digests:
            signs = {"user": self.remote_user, "password": self.remote_password.get_secret_value()}
        elif self.remote_password is not None:
            authorization = basic(self.remote_user, self.remote_password.get_secret_value())
        where = self.remote, self.remote_update, authorization, self.remote_dialect
        return Place(*where, **signs, seconds=self.query_seconds, connect_seconds=self.remote_seconds)

    @property
    def folder(self) -> Path:
        """Where the journal is: a bare store's is apart from that of the shipped graph."""
        return self.data_dir / "plain" if self.plain else self.data_dir

    def limits(self, graph_bytes: int = 0) -> Limits:
        """The limits in bytes; as many readers as memory holds copies of a graph of `graph_bytes`."""
        most = self.readers or max(2 * cores(), 2)
        if graph_bytes and not self.readers:
            most = max(1, min(most, available_bytes() * 3 // 4 // graph_bytes))
        return Limits(
            readers=most,
            reserve=max(1, min(cores(), most - 1)),
            express=int(most > 1),
            seconds=self.query_seconds,
            memory=self.query_memory * MIB,
            answer_bytes=self.query_bytes * MIB,
            rows=self.query_rows,
            query_bytes=self.query_length * 1024,
            body_bytes=self.body_bytes * MIB,
            queue=self.queue_length,
            past_readers=self.past_readers,
            past_queue=self.past_queue_length,
            past_seconds=self.past_seconds,
            validations=self.validations,
            validation_queue=self.validation_queue_length,
            validation_bytes=self.validation_bytes * MIB,
            may_open=DESCRIPTORS_WITH_SERVICE if self.service_hosts else 0,
        )


def upstream_address(url: str) -> str:
    """The address of a service without a slash at its end; one may give that of its /feed or /changes too. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is no address of a service, as https://graph.example.org is")
    if parts.username is not None or parts.password is not None:
        raise ValueError("the address has a name or password in it, which logs would show; give a follow-token instead")
    path = _PAGES.sub("", parts.path).rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}"


def endpoint_address(url: str) -> str:
    """The address of a SPARQL endpoint. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is no address of an endpoint, as http://127.0.0.1:7878/query is")
    if parts.username is not None or parts.password is not None:
        raise ValueError("the address has a name or password in it, which logs would show; give remote-user and remote-password")
    return url


def _host_name(host: str) -> str:
    """The host as an IRI's host is compared: in lower case, an address without brackets. Raises ValueError."""
    try:
        return str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        if _HOST_NAME.fullmatch(host):
            return host.lower()
    raise ValueError(f"{host!r} is no host: give its name alone, without scheme and port, as query.wikidata.org")


def _network(text: str) -> str:
    """An address or a network of addresses. Raises ValueError."""
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise ValueError(f"{text!r} is no address and no network, such as 127.0.0.1 or 10.0.0.0/8: {error}") from error
