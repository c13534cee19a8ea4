"""What a cell can raise that is a result of its own: each stands for a status."""

from __future__ import annotations


class Wrong(Exception):
    """The gradient is off its oracle."""


class Diverged(Exception):
    """The loss or gradient is no number."""


class NotApplicable(Exception):
    """This combination does not exist, for the reason given."""
