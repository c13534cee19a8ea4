"""What the results mean: results files → tidy pandas frames → figures and one offline HTML page.

Reads files alone: nothing here imports torch, jax or ``impls``, and of ``bench`` only ``rows`` and ``stats``.

    results = read("results/local/quick.jsonl")
    frame = cells(results)          one row a cell: R with its interval, bytes, errors, status
    frame = samples(results)        one row an interleaved pair of timings
"""

from reports.frame import cells, samples
from reports.load import Results, ResultsError, missing, read

__all__ = ["Results", "ResultsError", "cells", "missing", "read", "samples"]
