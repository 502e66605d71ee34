"""Things found by what they are called: an index of names, what it finds, and what is told of that."""
