"""What a cell can raise that is a result of its own: each stands for a status."""

from __future__ import annotations


class Wrong(Exception):
    """The gradient is off its oracle."""


class Diverged(Exception):
    """The loss or gradient is no number."""


class NotApplicable(Exception):
    """This combination does not exist, for the reason given."""


class Unavailable(NotApplicable):
    """This machine lacks what the cell needs, such as a compiler or a GPU."""


UNAVAILABLE = "not available here: "
"""How the reason of a cell begins that this machine lacks something for."""
