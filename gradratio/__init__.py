"""What each way of getting a gradient costs, and how right its answer is.

``compare`` asks it of one's own model, in a script or a notebook; the command ``gradratio``, which is also
``python -m gradratio``, does everything else.
"""

from bench.own.compare import compare

__all__ = ["compare"]
