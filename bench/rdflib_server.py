"""Serves an N-Triples file by rdflib-endpoint over an oxrdflib store in memory: `rdflib_server.py FILE PORT`.

The endpoint is the one that its own command `rdflib-endpoint serve --store oxigraph --enable-update` makes; only the file goes
into the store by the engine's bulk loader, since rdflib's parser takes a minute for a million triples.
"""

import sys

import pyoxigraph
import uvicorn
from oxrdflib import OxigraphStore
from rdflib import Dataset
from rdflib_endpoint import SparqlEndpoint


def main(path: str, port: str) -> None:
    """Load and serve until the process is ended."""
    store = pyoxigraph.Store()
    store.bulk_load(path=path)
    graph = Dataset(store=OxigraphStore(store=store), default_union=True)
    endpoint = SparqlEndpoint(graph=graph, path="/sparql", enable_update=True)
    uvicorn.run(endpoint, host="127.0.0.1", port=int(port), log_level="warning")


if __name__ == "__main__":
    main(*sys.argv[1:])
