"""Real data, as numpy arrays."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int


def digits(batch: int, rng: np.random.Generator) -> tuple[Float[np.ndarray, "b 8 8 1"], Int[np.ndarray, " b"]]:
    """A random batch of the 1 797 handwritten 8×8 digits that scikit-learn carries: images in [0, 1] and labels.

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI 1998.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError("The digits come with scikit-learn: pip install 'gradratio[data]'.") from error
    images, labels = load_digits(return_X_y=True)
    if not 1 <= batch <= len(labels):
        raise ValueError(f"digits: there are {len(labels)} images, so batch must be from 1 to that, not {batch}.")
    chosen = rng.permutation(len(labels))[:batch]
    return images[chosen].reshape(-1, 8, 8, 1) / 16.0, labels[chosen]
