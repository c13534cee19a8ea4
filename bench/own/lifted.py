"""A state with its samples along axis 0, as solvers take one, from a state as the caller has it."""

from __future__ import annotations

from typing import Any

from bench.own.question import Unsuitable


class Lifted:
    """alone: the whole state is one sample, since it has no axis of samples or step mixes them. arrays: of
    ``torch_nest`` or ``jax_nest``. Complex numbers become pairs of real ones: solvers know no others."""

    def __init__(self, z0: Any, arrays: Any, *, alone: bool) -> None:
        self._shape, self._arrays = tuple(z0.shape), arrays
        self._complex = "complex" in str(z0.dtype)
        self.alone = alone or len(self._shape) < 2

    def lift(self, z: Any) -> Any:
        """From the caller's state to the solvers'."""
        z = self._arrays.apart(z) if self._complex else z
        return z.reshape(1, -1) if self.alone else z

    def lower(self, z: Any) -> Any:
        """From the solvers' state to the caller's."""
        if not self._complex:
            return z.reshape(self._shape) if self.alone else z
        return self._arrays.joined(z.reshape(*self._shape, 2) if self.alone else z)

    def require_state(self, z: Any, image: Any, is_array: bool) -> None:
        """``Unsuitable`` where step made something else of a state z than a state."""
        if not is_array:
            raise Unsuitable(f"step returns a {type(image).__name__}: it must return one array, the next state.")
        if tuple(image.shape) != self._shape:
            raise Unsuitable(
                f"step maps a state of shape {self._shape} to {tuple(image.shape)}: a fixed point needs the same shape."
            )
        if image.dtype != z.dtype:
            raise Unsuitable(f"step maps a state of {z.dtype} to {image.dtype}: it must keep the state's dtype.")
