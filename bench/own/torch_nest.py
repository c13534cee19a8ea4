"""A nest of torch modules and tensors, taken apart into what gets a gradient and what does not; and the tensors that a
model uses and that ask for a gradient, though they are none of its arguments."""

from __future__ import annotations

import functools
import inspect
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from bench.instruments.torch_memory import stored
from bench.own.digest import installed
from bench.own.nest import Constant, Nest, Node, Opened, Position, attributes, inexact, listed, numbers, reached
from bench.own.question import Unsuitable

FROZEN = "{} {} frozen and {} no gradient."
ATTRIBUTE = "{} {} no parameter and {} no gradient: make a torch.nn.Parameter of what is to get one."


class Arrays:
    """Tensors and modules. Of a ``torch.nn.Module`` every parameter that requires a gradient is a leaf, tied ones once.

    double: floating and complex tensors are cast to float64. in_reals: complex leaves are real numbers.
    """

    framework, offer = "torch", "torch.nn.Module"

    def __init__(self, *, double: bool = False, in_reals: bool = False) -> None:
        import torch

        self._torch, self._double, self._in_reals = torch, double, in_reals
        self._modules: dict[int, tuple[str, Any]] = {}
        self._all: Any = None
        self._names: dict[str, Position] = {}
        self._kept: dict[str, Any] = {}
        self._paths: dict[str, str] = {}
        self._others: list[tuple[str, Any, int]] = []

    def take(self, nest: Nest, one: Any, path: str) -> Position | Node | Constant | None:
        """A module, or a tensor: of a sparse one, its stored values and where they stand."""
        if isinstance(one, self._torch.nn.Module):
            self._modules.setdefault(id(one), (path, one))
            return Constant(one)
        if not isinstance(one, self._torch.Tensor):
            return None
        _require_layout(one, path)
        if one.layout is not self._torch.strided:
            return self._sparse(nest, one, path)
        leaf = inexact(one)
        if leaf and isinstance(one, self._torch.nn.Parameter) and not one.requires_grad:
            nest.passed_over(path, FROZEN)
            leaf = False
        return self._put(nest, one, path, leaf=leaf)

    def opened(self, nest: Nest, one: Any, path: str) -> Opened | None:
        """None: torch has no containers of its own but modules."""
        return None

    def joined(self, reals: Any) -> Any:
        """Complex numbers, a view wherever there can be one."""
        return self._torch.view_as_complex(reals.contiguous())

    def apart(self, array: Any) -> Any:
        """A view of complex numbers as pairs of real ones."""
        return self._torch.view_as_real(array.resolve_conj())

    def finish(self, nest: Nest) -> None:
        """Put the parameters of all modules away, after the tensors of the nest. Raises ``ValueError`` for one that
        its module does not know of."""
        if not self._modules or nest.fixed:
            return
        self._all = _caller()([module for _, module in self._modules.values()])
        tops = [path for path, _ in self._modules.values()]

        def path_of(name: str) -> str:
            _, place, inner = name.split(".", 2)
            return f"{tops[int(place)]}.{inner}"

        for name, one in self._all.named_parameters():
            path = path_of(name)
            _require_layout(one, path)
            if inexact(one) and one.requires_grad:
                if one.layout is not self._torch.strided:
                    raise ValueError(f"{path} is a sparse parameter: make a parameter of its values.")
                self._names[name] = self._put(nest, one, path, leaf=True)
            else:
                if inexact(one):
                    nest.passed_over(path, FROZEN)
                self._kept[name] = self.cast(one)
        self._kept |= {name: self.cast(one) for name, one in self._all.named_buffers()}
        self._paths = {name: path_of(name) for name in self._kept}
        self._look_for_others(nest)

    def call(self, nest: Nest, leaves: list[Any], held: list[Any], body: Callable[[Any], Any]) -> Any:
        """``body(nest)`` with these tensors in their places, those of modules too as long as it runs."""
        tree = nest.filled(leaves, held)
        if self._all is None:
            return body(tree)
        own = {
            name: self.joined(leaves[at.index]) if at.in_reals else leaves[at.index] for name, at in self._names.items()
        }
        return self._torch.func.functional_call(self._all, {**self._kept, **own}, (lambda: body(tree),))

    def changed(self, nest: Nest, anew: Arrays, given: Nest) -> tuple[list[str], list[str]]:
        """Paths of the leaves, and of all other arrays that were copied, that were changed in place since they were put
        away. given, anew: the same nest taken apart again, and its arrays."""

        def found(paths: list[str], ours: list[Any], theirs: list[Any]) -> list[str]:
            return [path for path, *both in zip(paths, ours, theirs, strict=True) if differ(*both)]

        held = found(nest.paths["held"], nest.held, given.held)
        kept = found([*self._paths.values()], [*self._kept.values()], [*anew._kept.values()])
        return found(nest.paths["leaves"], nest.leaves, given.leaves), [*held, *kept]

    def attributes_changed(self) -> list[str]:
        """The same of the attributes of modules, which nobody copies: torch counts the changes of a tensor."""
        return [path for path, one, version in self._others if one._version != version]

    def cast(self, tensor: Any) -> Any:
        """A copy, in float64 where that was asked for and it is of floating numbers."""
        tensor = tensor.detach().resolve_conj()
        if not (self._double and inexact(tensor)):
            return tensor.clone()
        to = self._torch.complex128 if tensor.is_complex() else self._torch.float64
        return tensor.to(to, copy=True)

    def _put(self, nest: Nest, one: Any, path: str, *, leaf: bool) -> Position:
        in_reals = leaf and self._in_reals and not nest.fixed and one.is_complex()
        array = self.cast(one)
        return nest.put(self.apart(array) if in_reals else array, path, leaf=leaf, in_reals=in_reals)

    def _sparse(self, nest: Nest, one: Any, path: str) -> Node:
        """A leaf of the values that are stored; the indices are held."""
        torch, shape, layout = self._torch, one.shape, one.layout

        def coo(new: list[Any]) -> Any:
            return torch.sparse_coo_tensor(new[1], new[0], shape, is_coalesced=whole, check_invariants=False)

        def compressed(new: list[Any]) -> Any:
            values, *where = new
            return torch.sparse_compressed_tensor(*where, values, shape, layout=layout, check_invariants=False)

        whole = layout is torch.sparse_coo and one.is_coalesced()
        arrays = [self._put(nest, inner, path, leaf=inexact(inner)) for inner in stored(one.detach())]
        return Node(coo if layout is torch.sparse_coo else compressed, arrays)

    def _look_for_others(self, nest: Nest) -> None:
        """Floating arrays and numbers that lie in modules, and are neither parameters nor buffers."""
        known = {id(one): one for one in [*self._all.parameters(), *self._all.buffers(), *self._all.modules()]}
        own, counted = vars(self._torch.nn.Module()).keys(), dict(known)
        for top, module in self._modules.values():
            for name, inner in module.named_modules(prefix=top):
                made = {one.removesuffix("_orig") for one, _ in inner.named_parameters(recurse=False)}  # a mask
                others = [(name + more, one) for more, one in attributes(inner) if more[1:] not in {*own, *made}]
                for path, array in (found for where, one in others for found in reached(one, where, known)):
                    self._attribute(nest, path, array)
                if not installed(type(inner)):
                    for path, _ in (found for where, one in others for found in numbers(one, where, counted)):
                        nest.passed_over(path, ATTRIBUTE)

    def _attribute(self, nest: Nest, path: str, one: Any) -> None:
        """What an attribute of a module holds."""
        if isinstance(one, self._torch.Tensor) and not one.is_inference():
            self._others.append((path, one, one._version))
        if not inexact(one) or getattr(one, "grad_fn", None) is not None:
            return  # the latter is left behind by an earlier call
        if getattr(one, "requires_grad", False):
            raise ValueError(
                f"{path} requires a gradient, but is no parameter that its module knows of: put it into a "
                f"torch.nn.ModuleList, a ParameterList or the like, or detach it."
            )
        nest.passed_over(path, ATTRIBUTE)


def differ(one: Any, other: Any) -> bool:
    """Whether two tensors hold other numbers, of which NaN is one."""
    return not bool(((one == other) | ((one != one) & (other != other))).all()) if one.numel() else False


def _require_layout(one: Any, path: str) -> None:
    import torch

    kinds = {torch.strided, torch.sparse_coo, torch.sparse_csr, torch.sparse_csc, torch.sparse_bsr, torch.sparse_bsc}
    if one.is_nested or one.layout not in kinds:
        kind = "a nested tensor" if one.is_nested else f"a tensor of the layout {one.layout}"
        raise ValueError(f"{path} is {kind}, which is not taken apart: give a dense or a sparse one.")


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


# Tensors that are closed over -----------------------------------------------------------------------------------

CUT = "None of the inputs have requires_grad=True"
"""How torch's warning begins that a checkpoint passes no gradient on."""

REENTRANT = (
    "torch.utils.checkpoint with use_reentrant=True works with .backward() alone, and passes on no gradient of "
    "parameters where none of its inputs asks for one: set use_reentrant=False."
)


def closed_over(value: Callable[[], Any], passed: list[Any]) -> list[Any]:
    """The tensors that a backward pass of ``value()`` would end in and that were there before, but not in ``passed``.

    A loss may make some that ask for a gradient itself, to differentiate inside (``x.clone().requires_grad_()``): of
    two calls each makes its own, while a parameter that lies outside is the same one in both. Raises ``Unsuitable``
    for a graph that does not show what it depends on.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", CUT)
            first, second = value(), value()  # both graphs stay alive: no two tensors have one identity
    except UserWarning as warning:
        if not re.match(CUT, str(warning)):
            raise
        raise Unsuitable(REENTRANT) from None
    again = {id(one) for one in ends(second)}
    return [one for one in ends(first) if id(one) in again and not any(one is other for other in passed)]


def named(tensors: list[Any], *functions: Any) -> str:
    """What the functions call these tensors, or their shapes; the first few."""
    known = {id(tensor): path for fn in functions for path, tensor in _outside(fn)}
    return listed(list(dict.fromkeys(known.get(id(one), f"one of shape {tuple(one.shape)}") for one in tensors)))


def ends(value: Any) -> list[Any]:
    """The leaves of the graph behind a value, each once."""
    found: dict[int, Any] = {}
    stack, seen = [value.grad_fn], {None}
    if value.grad_fn is None and value.requires_grad:
        return [value]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if node.name() == "CheckpointFunctionBackward":
            raise Unsuitable(REENTRANT)
        if hasattr(node, "variable"):
            found.setdefault(id(node.variable), node.variable)
        stack += [following for following, _ in node.next_functions]
    return list(found.values())


def _outside(fn: Any) -> Iterator[tuple[str, Any]]:
    """Tensors in what a function closes over and in the globals that it names, by their paths in these."""
    import torch

    try:
        outside = inspect.getclosurevars(inspect.unwrap(fn))
    except (TypeError, ValueError):
        return
    held = {**outside.globals, **outside.nonlocals, "self": getattr(fn, "__self__", None)}
    for path, one in (found for name, inner in held.items() for found in reached(inner, name)):
        if isinstance(one, torch.Tensor):
            yield from ((path, end) for end in ends(one))
