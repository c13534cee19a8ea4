"""HOW it is measured: the grid of cells, the instruments, one measuring core and its shells.

Importing any module of this package imports no framework, no peer, no pytest and no ``impls``, and runs
nothing: asv imports them all to discover benchmarks.
"""

VERSION = "1"
"""Version of the instruments: raise it when a measured number would change though ``impls`` did not."""
