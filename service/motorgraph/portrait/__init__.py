"""What a page and its JSON show of a thing, computed by a reader from what the graph says of it."""
