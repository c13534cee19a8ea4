"""HOW it is measured: cells and what they mean, the instruments, one measuring core and its shells.

Importing any module of this package imports no framework, no peer, no pytest and no ``impls``, and runs
nothing: asv imports them all to discover benchmarks.
"""

from typing import Any

VERSION = "2"
"""Version of the instruments: raise it when a measured number would change though ``impls`` did not."""


def compare(**asked: Any) -> Any:
    """The name that ``gradratio.compare`` had: it goes on, and says so on stderr."""
    import sys

    from bench.own.compare import compare as measured

    print("bench.compare is gradratio.compare now: import gradratio, and call that.", file=sys.stderr)
    return measured(**asked)
