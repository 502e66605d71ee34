"""What the service says of itself and its data: service description, VoID, DCAT, schema.org, all from one state of the graph."""
