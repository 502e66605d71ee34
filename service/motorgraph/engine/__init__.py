"""The embedded store: one process that keeps the graph, and the processes forked from it."""
