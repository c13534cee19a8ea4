"""The papers' experiments, run again. One file an experiment, each with the same three functions:

``cells(size)``: the cells that the grid's instruments measure. ``parts(size, data)``: what needs a program of its own.
``perform(part, place)``: that program, run in a worker process; it returns records, the rows of the experiment's table.
``memory_bytes(size)``: the most that one process holds. size is ``smoke``, ``quick`` or ``paper``.
"""
