"""Exact memory in jax, of functions that are compiled or traced and never run.

Peak: temp + output − alias of the compiler's buffer assignment. The library fusions that hide their buffers from the
CPU's assignment are switched off, as an option of this one compilation: set in the environment the same flag makes
matmuls eight times slower. Held: the residuals of ``jax.vjp``, read from a jaxpr before there is a compiler.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.failures import require_sight

FUSION_OPTION = "xla_cpu_experimental_ynn_fusion_type"
EMITTERS = "xla_cpu_use_fusion_emitters"
QUICK = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}

CALLS = ("jit", "closed_call", "custom_jvp_call", "custom_vjp_call")
"""Primitives that do what the jaxpr in their parameters does, once."""

VIEWS = ("stop_gradient", "reshape", "squeeze", "broadcast_in_dim")
"""Primitives that leave the array in memory as it is, as long as its size stays the same."""


def assigned_bytes(fn: Callable[..., Any], *args: Any, donate: Sequence[int] = ()) -> int:
    """Bytes of temporaries and results that the compiler assigns to ``fn(*args)``, arguments left out.

    donate: places of arguments that results may be written over, which then take no bytes. ``args`` may be
    ``jax.ShapeDtypeStruct``. Raises ``Unavailable`` where the compiler hides temporaries.
    """
    import jax

    if jax.default_backend() == "cpu":
        _require_visible_temporaries()
    plan = _plan(fn, *args, donate=donate)
    return int(plan.temp_size_in_bytes + plan.output_size_in_bytes - plan.alias_size_in_bytes)


def held_bytes(loss: Callable[..., Any], *args: Any) -> int:
    """Bytes that ``loss(params, batch) -> (value, aux)`` leaves for its backward pass, differentiated in params alone.

    These are the residuals of ``jax.vjp`` before compilation: each array once, and neither arguments nor what depends
    on none of them. ``args`` may be ``jax.ShapeDtypeStruct``; nothing is compiled or run.

    An upper bound of what compiled code keeps: the compiler may compute a residual again from another (before jax
    0.11.2 tanh's y and 1 − y count as two here), and may find that two of them are equal. What it cannot see is how
    either pass spends memory inside: a solver's own basis in the backward pass is in ``assigned_bytes`` only. Raises
    ``Unavailable`` where jax's traces are of another form.
    """
    _require_residuals()
    return _held_bytes(loss, *args)


def _held_bytes(loss: Callable[..., Any], *args: Any) -> int:
    import jax

    def backward(params: Any, *rest: Any) -> Any:
        return jax.vjp(lambda params: loss(params, *rest), params, has_aux=True)[1]

    jaxpr = jax.make_jaxpr(backward)(*args).jaxpr
    arguments = list(jaxpr.invars)
    kept = set(_origins(jaxpr, arguments)) - {None, *arguments}
    return sum(array.aval.size * array.aval.dtype.itemsize for array in kept)


def _origins(jaxpr: Any, arguments: Sequence[Any]) -> list[Any]:
    """For each result of a jaxpr the variable that first held its array, None for what depends on no argument.

    ``arguments`` are the origins of what goes in, in the words of the caller.
    """
    from jax.extend.core import Literal

    origin: dict[Any, Any] = dict.fromkeys(jaxpr.constvars)
    origin.update(zip(jaxpr.invars, arguments, strict=True))

    def traced(atom: Any) -> Any:
        return None if isinstance(atom, Literal) else origin[atom]

    for equation in jaxpr.eqns:
        before, name = [traced(atom) for atom in equation.invars], equation.primitive.name
        if all(one is None for one in before):
            origin.update(dict.fromkeys(equation.outvars))
        elif name in CALLS:
            inner = equation.params["jaxpr" if name == "jit" else "call_jaxpr"]
            inside = _origins(getattr(inner, "jaxpr", inner), before)
            # A jaxpr may be called twice: what it computes is told apart by the variable that receives it.
            received = {one: one for one in (None, *before)}
            for out, one in zip(equation.outvars, inside, strict=True):
                origin[out] = received.setdefault(one, out)
        elif name in VIEWS and equation.invars[0].aval.size == equation.outvars[0].aval.size:
            origin[equation.outvars[0]] = before[0]
        else:
            origin.update((out, out) for out in equation.outvars)
    return [traced(atom) for atom in jaxpr.outvars]


def _plan(fn: Callable[..., Any], *args: Any, donate: Sequence[int] = ()) -> Any:
    """The compiler's buffer assignment, with the options that this instrument needs."""
    import jax

    return jax.jit(fn, donate_argnums=tuple(donate)).lower(*args).compile(compiler_options=_options()).memory_analysis()


@functools.cache
def _options() -> dict[str, Any]:
    """Compiler options that show every temporary on the default backend, as far as this jax has them, with the code
    generator that jax itself takes, whatever flags this process has; and machine code, which is never run, is made as
    quickly as can be: buffers are assigned before there is any."""
    import jax

    return known({FUSION_OPTION: "", EMITTERS: True, **QUICK}) if jax.default_backend() == "cpu" else {}


def known(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of some compiler options that this jax knows with these values; it refuses to compile with any other."""
    import jax

    found, nothing = {}, jax.jit(lambda: 0).lower()
    for name, value in options.items():
        try:
            nothing.compile(compiler_options={name: value})
        except jax.errors.JaxRuntimeError as error:
            if name not in str(error):
                raise
        else:
            found[name] = value
    return found


@functools.cache
def _require_visible_temporaries() -> None:
    """Compile two layers whose two activations must lie somewhere, once a process, and look for them."""
    import jax
    import jax.numpy as jnp

    # Fusions leave smaller matmuls alone: at 64 × 16 nothing would be hidden, and nothing would be checked.
    x, w = jax.ShapeDtypeStruct((256, 64), jnp.float32), jax.ShapeDtypeStruct((64, 64), jnp.float32)

    def look() -> int:
        return int(_plan(lambda x, w: jnp.tanh(jnp.tanh(x @ w) @ w).sum(), x, w).temp_size_in_bytes)

    require_sight("jax", "bytes of temporaries", look, 2 * 256 * 64 * 4, operator.ge)


@functools.cache
def _require_residuals() -> None:
    """Trace a product of what a compiled function hands through, which is held by nobody, and of a sum, which is."""
    import jax
    import jax.numpy as jnp

    w, x = jax.ShapeDtypeStruct((4, 4), jnp.float32), jax.ShapeDtypeStruct((2, 4), jnp.float32)

    def loss(w: Any, x: Any) -> Any:
        return (jax.jit(lambda y: y)(x) @ w).sum() + ((x.reshape(2, 4) + 1) @ w).sum(), ()

    require_sight("jax", "bytes of residuals", lambda: _held_bytes(loss, w, x), 2 * 4 * 4)
