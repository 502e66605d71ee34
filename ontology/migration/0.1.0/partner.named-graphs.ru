# Moves mg:partner over to mg:party, in every named graph.
PREFIX mg: <https://motorgraph.example/ontology/>

DELETE { GRAPH ?graph { ?role mg:partner ?party } }
INSERT { GRAPH ?graph { ?role mg:party ?party } }
WHERE { GRAPH ?graph { ?role mg:partner ?party } }
