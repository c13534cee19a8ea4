"""One's own model: ``bench.compare``, from a function and its arrays to a table of methods."""
