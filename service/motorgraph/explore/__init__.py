"""The explorer: lists of what is in the graph, narrowed by facets, and pictures of the same."""
