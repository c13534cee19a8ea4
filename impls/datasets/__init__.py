"""Real data, as numpy arrays; nothing is downloaded, and nothing is unpickled."""

from __future__ import annotations

from impls.datasets.carried import digits, mnist5k
from impls.datasets.files import idx
from impls.datasets.splits import SPLITS, Split, split

__all__ = ["SPLITS", "Split", "digits", "idx", "mnist5k", "split"]
