# Moves mg:partner over to mg:party, in the default graph.
PREFIX mg: <https://motorgraph.example/ontology/>

DELETE { ?role mg:partner ?party }
INSERT { ?role mg:party ?party }
WHERE { ?role mg:partner ?party }
