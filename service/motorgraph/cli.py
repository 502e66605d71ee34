"""The command `motorgraph`: serve, ask, check, convert, dump, write, token, and look after the journal."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from motorgraph import __version__, bearer
from motorgraph.settings import PREFIX, Settings
from motorgraph.terminal import REFUSED, USAGE, option, refusals, say, settings_of

if TYPE_CHECKING:
    from motorgraph.sending import Service

app = typer.Typer(
    help="An open knowledge graph of the motor industry, and the service that keeps it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"motorgraph {__version__}")
        raise typer.Exit


@app.callback()
def motorgraph(
    version: Annotated[bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)] = False,
) -> None:
    """An open knowledge graph of the motor industry, and the service that keeps it."""


_TOKEN = typer.Option(help="Token to send to the service with --url.", envvar=f"{PREFIX}TOKEN", show_default=False)
LIMITS, LOGS, REMOTE = "Limits", "Logs", "Remote store"


@app.command()
def serve(
    host: Annotated[str | None, option("host")] = None,
    port: Annotated[int | None, option("port", "-p")] = None,
    base: Annotated[str | None, option("base")] = None,
    plain: Annotated[bool | None, option("plain")] = None,
    load: Annotated[list[Path] | None, option("load", "-l")] = None,
    align: Annotated[list[str] | None, option("align")] = None,
    data_dir: Annotated[Path | None, option("data_dir")] = None,
    default_graph: Annotated[str | None, option("default_graph")] = None,
    follow: Annotated[str | None, option("follow")] = None,
    follow_token: Annotated[str | None, option("follow_token")] = None,
    follow_seconds: Annotated[float | None, option("follow_seconds")] = None,
    remote: Annotated[str | None, option("remote", panel=REMOTE)] = None,
    remote_update: Annotated[str | None, option("remote_update", panel=REMOTE)] = None,
    remote_dialect: Annotated[str | None, option("remote_dialect", panel=REMOTE)] = None,
    remote_user: Annotated[str | None, option("remote_user", panel=REMOTE)] = None,
    remote_password: Annotated[str | None, option("remote_password", panel=REMOTE)] = None,
    remote_token: Annotated[str | None, option("remote_token", panel=REMOTE)] = None,
    remote_seconds: Annotated[float | None, option("remote_seconds", panel=REMOTE)] = None,
    remote_count_seconds: Annotated[float | None, option("remote_count_seconds", panel=REMOTE)] = None,
    write_token: Annotated[str | None, option("write_token")] = None,
    tokens: Annotated[list[str] | None, option("tokens")] = None,
    protect_reads: Annotated[bool | None, option("protect_reads")] = None,
    service_hosts: Annotated[list[str] | None, option("service_hosts")] = None,
    trusted_proxies: Annotated[list[str] | None, option("trusted_proxies")] = None,
    client_requests: Annotated[float | None, option("client_requests", panel=LIMITS)] = None,
    client_burst: Annotated[int | None, option("client_burst", panel=LIMITS)] = None,
    client_query_seconds: Annotated[float | None, option("client_query_seconds", panel=LIMITS)] = None,
    readers: Annotated[int | None, option("readers", panel=LIMITS)] = None,
    query_seconds: Annotated[float | None, option("query_seconds", panel=LIMITS)] = None,
    query_memory: Annotated[int | None, option("query_memory", panel=LIMITS)] = None,
    query_bytes: Annotated[int | None, option("query_bytes", panel=LIMITS)] = None,
    query_rows: Annotated[int | None, option("query_rows", panel=LIMITS)] = None,
    cache_bytes: Annotated[int | None, option("cache_bytes", panel=LIMITS)] = None,
    query_length: Annotated[int | None, option("query_length", panel=LIMITS)] = None,
    duty_combinations: Annotated[int | None, option("duty_combinations", panel=LIMITS)] = None,
    body_bytes: Annotated[int | None, option("body_bytes", panel=LIMITS)] = None,
    bodies_bytes: Annotated[int | None, option("bodies_bytes", panel=LIMITS)] = None,
    queue_length: Annotated[int | None, option("queue_length", panel=LIMITS)] = None,
    connections: Annotated[int | None, option("connections", panel=LIMITS)] = None,
    client_connections: Annotated[int | None, option("client_connections", panel=LIMITS)] = None,
    client_seconds: Annotated[float | None, option("client_seconds", panel=LIMITS)] = None,
    write_queue_length: Annotated[int | None, option("write_queue_length", panel=LIMITS)] = None,
    past_readers: Annotated[int | None, option("past_readers", panel=LIMITS)] = None,
    past_queue_length: Annotated[int | None, option("past_queue_length", panel=LIMITS)] = None,
    past_seconds: Annotated[float | None, option("past_seconds", panel=LIMITS)] = None,
    validations: Annotated[int | None, option("validations", panel=LIMITS)] = None,
    validation_queue_length: Annotated[int | None, option("validation_queue_length", panel=LIMITS)] = None,
    validation_bytes: Annotated[int | None, option("validation_bytes", panel=LIMITS)] = None,
    dumps_kept: Annotated[int | None, option("dumps_kept", panel=LIMITS)] = None,
    dump_key: Annotated[Path | None, option("dump_key")] = None,
    snapshot_after: Annotated[int | None, option("snapshot_after", panel=LIMITS)] = None,
    security_contact: Annotated[str | None, option("security_contact")] = None,
    audit_log: Annotated[Path | None, option("audit_log", panel=LOGS)] = None,
    log_level: Annotated[str | None, option("log_level", panel=LOGS)] = None,
    access_log: Annotated[bool | None, option("access_log", panel=LOGS)] = None,
) -> None:
    """Serve the graph over HTTP: SPARQL at /sparql, graphs at /graphs, a page at /."""
    _run(settings_of(**locals()))


def _run(settings: Settings) -> NoReturn:
    from motorgraph import server  # only here: the other commands need no web server

    raise typer.Exit(server.run(settings))


def follow(url: str, **options: Any) -> None:  # Any: flags of every type
    """Serve a read replica: the graph of another motorgraph, commit by commit as it comes there. Takes the options of serve."""
    serve(follow=url, **options)


_URL = typer.Argument(help="Address of the motorgraph to follow, such as https://graph.example.org.", show_default=False)
_options = inspect.signature(serve, eval_str=True).parameters.values()
follow.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # what typer makes the command's flags of
    [
        inspect.Parameter("url", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Annotated[str, _URL]),
        *(flag for flag in _options if flag.name != "follow"),
    ]
)
app.command()(follow)


@app.command()
def query(
    text: Annotated[str, typer.Argument(help="The query; '-' reads it from standard input, '@FILE' from a file.")],
    url: Annotated[str | None, typer.Option(help="Endpoint to ask; without it the shipped graph is asked.")] = None,
    token: Annotated[str, _TOKEN] = "",
    output: Annotated[
        str, typer.Option("--format", "-f", help="csv, tsv, json, xml; for graphs ttl, nt, nq, trig, jsonld, rdf.")
    ] = "",
    load: Annotated[list[Path] | None, option("load", "-l")] = None,
    align: Annotated[list[str] | None, option("align")] = None,
    plain: Annotated[bool | None, option("plain")] = None,
) -> None:
    """Ask a SPARQL query of an endpoint, or of the shipped graph (and files that --load names)."""
    from motorgraph import asking

    with refusals():
        written = asking.read_text(text)
        form = asking.formats(output)
        with asking.opened(None) as out:
            if url is not None:
                asking.ask_endpoint(url, written, form, out, token)
            else:
                asking.ask_files(settings_of(load=load, align=align, plain=plain), written, form, out)


@app.command()
def validate(
    files: Annotated[list[Path], typer.Argument(help="RDF files; the name tells the format.")],
    shapes: Annotated[list[Path] | None, typer.Option(help="Shapes to use instead of those that ship.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Check files against the shapes. Exit status 1 if there is a violation."""
    from motorgraph import checking

    with refusals():
        conforms = checking.check(files, shapes or [], as_json=as_json)
    raise typer.Exit(0 if conforms else REFUSED)


@app.command()
def convert(
    table: Annotated[Path, typer.Argument(help="CSV file in UTF-8; its first line names the columns.")],
    mapping: Annotated[Path, typer.Option("--mapping", "-m", help="SPARQL CONSTRUCT that says what a row means.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write; standard output without it.")] = None,
    form: Annotated[str, typer.Option("--format", "-f", help="trig, nq, jsonld; ttl, nt, rdf leave the graphs out.")] = "",
    split: Annotated[
        list[str] | None, typer.Option(help="COLUMN=SEPARATOR: each part of such a cell is a value of its own.")
    ] = None,
    delimiter: Annotated[str, typer.Option(help="What stands between the cells.")] = ",",
) -> None:
    """Make RDF of the rows of a table, by a mapping."""
    from motorgraph.convert import Wish, convert_file

    with refusals():
        convert_file(table, mapping, Wish(output, form, split or [], delimiter))


@app.command()
def dump(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write; standard output without it.")] = None,
    form: Annotated[
        str, typer.Option("--format", "-f", help="nq or trig for the whole; ttl, nt, jsonld, rdf with --graph.")
    ] = "",
    graph: Annotated[str | None, typer.Option(help="IRI of one graph; without it all are written.")] = None,
    url: Annotated[
        str | None, typer.Option(help="Graph store of a running service, such as http://127.0.0.1:8800/graphs.")
    ] = None,
    token: Annotated[str, _TOKEN] = "",
    load: Annotated[list[Path] | None, option("load", "-l")] = None,
    plain: Annotated[bool | None, option("plain")] = None,
) -> None:
    """Write the graph, or one graph of it, to a file."""
    from motorgraph import asking

    with refusals():
        name, written_as = asking.graph_iri(graph), asking.dump_format(form, output, graph)
        with asking.opened(output) as out:
            if url is not None:
                asking.dump_endpoint(url, name, written_as, out, token)
            else:
                asking.dump_files(settings_of(load=load, plain=plain), name, written_as, out)


@app.command()
def canonical(
    source: Annotated[str, typer.Argument(help="RDF file, .gz and .zst too, or the address of a dump or a graph.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File for the canonical N-Quads themselves.")] = None,
    seconds: Annotated[float, typer.Option(min=0.001, help="Seconds that telling blank nodes apart may take.")] = 60.0,
    token: Annotated[str, _TOKEN] = "",
) -> None:
    """Print the SHA-256 of a dump's canonical form (RDFC-1.0): two that say the same have the same."""
    from motorgraph import canonical

    with refusals():
        typer.echo(f"{canonical.digest(source, canonical.Bounds(seconds), token, output)}  {source}")


@app.command()
def info(
    load: Annotated[list[Path] | None, option("load", "-l")] = None,
    plain: Annotated[bool | None, option("plain")] = None,
) -> None:
    """Show the version, where things are, the settings, and how many triples each graph has."""
    from motorgraph import asking

    with refusals():
        asking.show_info(settings_of(load=load, plain=plain))


@app.command()
def token(
    name: Annotated[str, typer.Argument(help="Whose token it is: what the journal will name as author.")],
    scope: Annotated[
        str, typer.Option(help="What it is good for: read, write (includes read) or admin (includes write).")
    ] = "write",
) -> None:
    """Make a token: it is printed once, with the entry for the setting tokens, which holds its hash."""
    made = bearer.minted()
    scopes = bearer.SCOPES
    try:
        if scope not in scopes:
            raise ValueError(f"--scope is one of {', '.join(scopes)}")
        entry = bearer.Bearer.of(bearer.Bearer.holding(name, scopes[scope], made).entry).entry
    except ValueError as error:
        say(f"No token was made: {error}.")
        raise typer.Exit(USAGE) from error
    typer.echo(f"token {made}\nentry {entry}")
    say(
        f"The token is for {name} and is kept nowhere. The entry is for the service: --tokens, {PREFIX}TOKENS or a line of @FILE."
    )


@app.command()
def log(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many commits to show.")] = 20,
    data_dir: Annotated[Path | None, option("data_dir")] = None,
    plain: Annotated[bool | None, option("plain")] = None,
) -> None:
    """Show the newest commits: when, by whom, how much, why."""
    from motorgraph import remembering

    with refusals():
        remembering.show_log(settings_of(data_dir=data_dir, plain=plain).folder, limit)


@app.command()
def show(
    commit: Annotated[int, typer.Argument(help="Number of the commit.")],
    data_dir: Annotated[Path | None, option("data_dir")] = None,
    plain: Annotated[bool | None, option("plain")] = None,
) -> None:
    """Show one commit: every triple that it removed (-) and added (+)."""
    from motorgraph import remembering

    with refusals():
        remembering.show_commit(settings_of(data_dir=data_dir, plain=plain).folder, commit)


@app.command()
def verify(
    url: Annotated[str | None, typer.Option(help="A service that serves the folder: its memory is compared too.")] = None,
    token: Annotated[str, _TOKEN] = "",
    data_dir: Annotated[Path | None, option("data_dir")] = None,
    plain: Annotated[bool | None, option("plain")] = None,
    base: Annotated[str | None, option("base")] = None,
) -> None:
    """Check that every commit is there and unchanged, and that snapshots and a service (--url) say the same."""
    from motorgraph import remembering

    with refusals():
        settings = settings_of(data_dir=data_dir, plain=plain, base=base)
        fault = remembering.verify(settings.folder)
        say(f"{settings.folder}: {fault or 'every commit is as it was written'}.")
        if url is not None and not fault:
            number, fault = remembering.verify_service(settings, _service(url, token, settings))
            say(f"{url}: {fault or 'the graph in memory is what the journal makes'} (commit {number}).")
    raise typer.Exit(REFUSED if fault else 0)


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="A new folder for the copy.")],
    data_dir: Annotated[Path | None, option("data_dir")] = None,
    plain: Annotated[bool | None, option("plain")] = None,
) -> None:
    """Copy the journal into a new folder; the service may go on meanwhile. Serve the copy with --data-dir."""
    from motorgraph import remembering

    with refusals():
        copy = settings_of(data_dir=target, plain=plain).folder
        newest = remembering.backup(settings_of(data_dir=data_dir, plain=plain).folder, copy)
        say(f"{target} holds everything up to commit {newest.id if newest else 0}.")


@app.command()
def restore(
    target: Annotated[Path, typer.Argument(help="A new folder.")],
    at: Annotated[str, typer.Option(help="The last commit to keep, by number or by time (ISO 8601, UTC).")],
    data_dir: Annotated[Path | None, option("data_dir")] = None,
    plain: Annotated[bool | None, option("plain")] = None,
) -> None:
    """Make a new folder with the graph as it was at a commit or a time. Serve it with --data-dir."""
    from motorgraph import remembering

    with refusals():
        copy = settings_of(data_dir=target, plain=plain).folder
        commit = remembering.restore(settings_of(data_dir=data_dir, plain=plain).folder, copy, at)
        say(f"{target} holds the graph as it was at commit {commit.id} ({commit.time}).")


_URL = typer.Option(help="A running service, such as http://127.0.0.1:8800; without it the data folder itself is written to.")
_MESSAGE = typer.Option("--message", "-m", help="Why; the journal keeps it.")


def copy(**options: Any) -> None:  # Any: as above
    """Copy the graph of the data folder to a remote store, or bring one up to date; goes on where it was stopped."""
    from motorgraph import relocating

    with refusals():
        say(relocating.copy(settings_of(**options)))


def adopt(**options: Any) -> None:  # Any: as above
    """Take over what a remote store holds as the first commit of a new journal, to be served with --plain; goes on if stopped."""
    from motorgraph import relocating

    with refusals():
        say(relocating.adopt(settings_of(plain=True, **options)))


_SHARED = [flag for flag in _options if flag.name in ("data_dir", "base") or flag.name.startswith("remote")]
_MODE = [flag for flag in _options if flag.name in ("plain", "default_graph")]
copy.__signature__ = inspect.Signature([*_SHARED, *_MODE])  # type: ignore[attr-defined]  # as above
adopt.__signature__ = inspect.Signature(_SHARED)  # type: ignore[attr-defined]  # as above
app.command()(copy)
app.command()(adopt)


@app.command()
def load(
    files: Annotated[list[Path], typer.Argument(help="RDF files, .gz and .zst too; the name tells the format.")],
    graph: Annotated[str | None, typer.Option(help="IRI of the graph for triples that are in none.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace what the graph has, instead of adding to it.")] = False,
    message: Annotated[str, _MESSAGE] = "",
    url: Annotated[str | None, _URL] = None,
    token: Annotated[str, _TOKEN] = "",
    data_dir: Annotated[Path | None, option("data_dir")] = None,
    plain: Annotated[bool | None, option("plain")] = None,
    base: Annotated[str | None, option("base")] = None,
) -> None:
    """Load files into the graph, through the gate: of a running service, or of the data folder where none runs.

    Each file is written whole or not at all; of a file of quads each graph is. At the first refusal the rest is left.
    """
    from motorgraph import sending

    with refusals():
        settings = settings_of(data_dir=data_dir, plain=plain, base=base)
        wanted = sending.wanted(files, graph, replace=replace, message=message)
        if url is not None:
            sending.load_over_http(_service(url, token, settings), wanted, say)
        else:
            sending.load_into_folder(settings, wanted, say)


@app.command()
def update(
    text: Annotated[str, typer.Argument(help="The update; '-' reads it from standard input, '@FILE' from a file.")],
    message: Annotated[str, _MESSAGE] = "",
    url: Annotated[str | None, _URL] = None,
    token: Annotated[str, _TOKEN] = "",
    data_dir: Annotated[Path | None, option("data_dir")] = None,
    plain: Annotated[bool | None, option("plain")] = None,
    base: Annotated[str | None, option("base")] = None,
) -> None:
    """Make a SPARQL update, through the gate: of a running service, or of the data folder where none runs."""
    from motorgraph import asking

    with refusals():
        settings = settings_of(data_dir=data_dir, plain=plain, base=base)
        say(f"Done: {_updated(settings, asking.read_text(text), url, token, message)}.")


@app.command()
def revert(
    commit: Annotated[int, typer.Argument(help="Number of the commit.")],
    url: Annotated[str | None, _URL] = None,
    token: Annotated[str, _TOKEN] = "",
    data_dir: Annotated[Path | None, option("data_dir")] = None,
    plain: Annotated[bool | None, option("plain")] = None,
    base: Annotated[str | None, option("base")] = None,
) -> None:
    """Take back what a commit did, by a new commit, through the gate like any other."""
    from motorgraph import remembering

    with refusals():
        settings = settings_of(data_dir=data_dir, plain=plain, base=base)
        inverse = remembering.inverse(settings.folder, commit)
        say(f"Commit {commit} is taken back: {_updated(settings, inverse, url, token, f'Revert commit {commit}')}.")


def _updated(settings: Settings, text: str, url: str | None, token: str, message: str) -> str:
    """Makes an update, of a service or of the folder; where the graph is now, in words."""
    from motorgraph import sending

    if url is not None:
        return sending.update_over_http(_service(url, token, settings), text, message)
    return sending.update_folder(settings, text, message)


def _service(url: str, token: str, settings: Settings) -> Service:
    """The service at an address, with the token given, else the write token of the settings."""
    from motorgraph.sending import Service

    return Service(url, token or (settings.write_token.get_secret_value() if settings.write_token else ""))


def main() -> None:
    """Runs the command line."""
    app()
