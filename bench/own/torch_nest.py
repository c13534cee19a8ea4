"""A nest of torch modules and tensors, taken apart into what gets a gradient and what does not."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class _Place:
    """Where a tensor of the nest went: its list and its number in it."""

    among: str
    index: int


class Nest:
    """Mappings, lists and tuples of modules and tensors; whatever else lies in it stays as it is.

    leaves: floating tensors of the nest, then the parameters of its modules that require a gradient, tied ones once.
    held: its other tensors. All are copies, and so are numpy arrays, so that the caller's do not change.
    """

    def __init__(self, tree: Any, *, double: bool = False, fixed: bool = False) -> None:
        """double: floating tensors are cast to float64. fixed: nothing gets a gradient; modules stay as they are."""
        import torch

        self._torch, self._double, self._all_held = torch, double, fixed
        self.leaves: list[Any] = []
        self.held: list[Any] = []
        modules: dict[int, Any] = {}
        self._tree = self._taken(tree, modules)
        self._modules = None if fixed or not modules else _caller()(list(modules.values()))
        self._names: list[str] = []
        self._fixed: dict[str, Any] = {}
        if self._modules is not None:
            self._take_modules(self._modules)

    def call(self, leaves: list[Any], held: list[Any], body: Callable[[Any], Any]) -> Any:
        """``body(nest)`` with these tensors in their places, those of modules too as long as it runs."""
        tree = self._filled(self._tree, {"leaves": leaves, "held": held})
        if self._modules is None:
            return body(tree)
        own = dict(zip(self._names, leaves[len(leaves) - len(self._names) :], strict=True))
        return self._torch.func.functional_call(self._modules, {**self._fixed, **own}, (lambda: body(tree),))

    def _take_modules(self, modules: Any) -> None:
        for name, parameter in modules.named_parameters():
            if parameter.requires_grad and parameter.is_floating_point():
                self._names.append(name)
                self.leaves.append(self._cast(parameter))
            else:
                self._fixed[name] = self._cast(parameter)
        self._fixed |= {name: self._cast(buffer) for name, buffer in modules.named_buffers()}

    def _taken(self, tree: Any, modules: dict[int, Any]) -> Any:
        """The nest with places instead of tensors."""
        if isinstance(tree, self._torch.nn.Module):
            modules[id(tree)] = tree
            return tree
        if isinstance(tree, self._torch.Tensor):
            apart = tree.is_floating_point() and not self._all_held
            among, name = (self.leaves, "leaves") if apart else (self.held, "held")
            among.append(self._cast(tree))
            return _Place(name, len(among) - 1)
        if isinstance(tree, np.ndarray):
            return tree.copy()
        return _rebuilt(tree, lambda one: self._taken(one, modules))

    def _filled(self, tree: Any, arrays: dict[str, list[Any]]) -> Any:
        if isinstance(tree, _Place):
            return arrays[tree.among][tree.index]
        return _rebuilt(tree, lambda one: self._filled(one, arrays))

    def _cast(self, tensor: Any) -> Any:
        tensor = tensor.detach()
        other = self._double and tensor.is_floating_point() and tensor.dtype != self._torch.float64
        return tensor.double() if other else tensor.clone()


def _rebuilt(tree: Any, fn: Callable[[Any], Any]) -> Any:
    """A dict of a mapping, a list or tuple of its kind, with ``fn`` of each entry; anything else as it is."""
    if isinstance(tree, Mapping):
        return {name: fn(one) for name, one in tree.items()}
    if isinstance(tree, list | tuple):
        mapped = [fn(one) for one in tree]
        return type(tree)(*mapped) if hasattr(tree, "_fields") else type(tree)(mapped)
    return tree


@functools.cache
def _caller() -> Any:
    """A module that calls what it is given, while ``torch.func.functional_call`` has its parameters replaced."""
    import torch

    class Caller(torch.nn.Module):
        def __init__(self, modules: list[Any]) -> None:
            super().__init__()
            self.held = torch.nn.ModuleList(modules)

        def forward(self, body: Callable[[], Any]) -> Any:
            return body()

    return Caller
