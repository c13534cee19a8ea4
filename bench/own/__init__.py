"""One's own model: ``gradratio.compare``, from a function and its arrays to a table of methods."""
