"""What a caller asks: a model's functions and arrays, and the settings of its framework that change what it computes.

A worker process is given the settings of the caller's process, so that it has the same model.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Any, Literal


class Unsuitable(Exception):
    """A model that cannot be measured, with the reason in one sentence."""


@dataclass(frozen=True)
class Question:
    """A model to compare methods on.

    params: a nest of arrays, a ``torch.nn.Module`` or a nest that holds some; every floating array in it gets a
    gradient. For an implicit model they are the ``args`` of step. residual_tol: the largest ‖step(z) − z‖/‖z‖ that
    counts as solved. dtype: the least exact of the floating arrays'. settings: of the caller's framework, see
    ``settings_of``.
    """

    framework: Literal["torch", "jax"]
    loss: Callable[..., Any]
    params: Any
    batch: Any = None
    step: Callable[[Any, Any], Any] | None = None
    z0: Any = None
    name: str = "my model"
    residual_tol: float = 1e-3
    dtype: str = "float32"
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def implicit(self) -> bool:
        """Whether the model is a fixed point."""
        return self.step is not None

    def evaluate(self, z: Any, args: Any) -> Any:
        """The loss of an implicit model: ``loss(z, args)`` where it requires two arguments, else ``loss(z)``."""
        return self.loss(z, args) if _required(self.loss) >= 2 else self.loss(z)


def _required(fn: Callable[..., Any]) -> int:
    """How many positional arguments a function cannot do without; 1 where it does not say."""
    try:
        taken = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):
        return 1
    return sum(
        one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD) and one.default is one.empty for one in taken
    )


# Settings of a framework ----------------------------------------------------------------------------------------

ELSEWHERE = ("platform", "backend", "device", "cache", "distributed", "processes", "logging", "log_modules")
"""Parts of the names of settings in jax that say where and how a process runs, which is not the caller's to say."""

NUMBERS = (
    "default_dtype",
    "autocast",
    "float32_matmul_precision",
    "jax_enable_x64",
    "jax_numpy_dtype_promotion",
    "jax_default_matmul_precision",
    "jax_default_prng_impl",
)
"""Settings under which one model is another one, where an array is made in it or two dtypes meet."""


def settings_of(framework: str) -> dict[str, Any]:
    """The settings of this process and thread, in plain JSON types: all flags of jax, and in torch what ``_torch``
    names. Contexts, such as ``torch.autocast`` or ``jax.enable_x64``, count."""
    if framework == "torch":
        return {name: get() for name, (get, _) in _torch().items()}
    import jax

    named = {
        name: value.name.lower() if isinstance(value, Enum) else value for name, value in jax.config.values.items()
    }
    plain = str | int | float | bool | None
    return {
        name: value
        for name, value in named.items()
        if isinstance(value, plain) and not any(word in name for word in ELSEWHERE)
    }


def set_settings(framework: str, settings: Mapping[str, Any]) -> None:
    """Let this process have these settings; before arrays are made, since without float64 they would be cut."""
    mine = settings_of(framework)
    different = {name: value for name, value in settings.items() if mine.get(name) != value}
    if framework == "torch":
        for name, value in different.items():
            _torch()[name][1](value)
        return
    import jax

    for name, value in different.items():
        jax.config.update(name, value)


def numeric_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Those that make another model of one."""
    return {name: settings[name] for name in NUMBERS if name in settings}


def plain_modes(framework: str) -> AbstractContextManager[Any]:
    """No grad mode or inference mode of the caller's: they say nothing about a gradient that is asked for."""
    if framework != "torch":
        return nullcontext()
    import torch

    modes = ExitStack()
    modes.enter_context(torch.inference_mode(False))
    modes.enter_context(torch.enable_grad())
    return modes


def _torch() -> dict[str, tuple[Any, Any]]:
    """How each setting of torch is read and set."""
    import torch

    def dtype(name: str) -> Any:
        return getattr(torch, name.removeprefix("torch."))

    def autocast(value: Any) -> None:
        torch.set_autocast_enabled("cpu", value[0])
        torch.set_autocast_dtype("cpu", dtype(value[1]))
        torch.set_autocast_cache_enabled(value[2])

    def attribute(owner: Any, name: str) -> tuple[Any, Any]:
        return partial(getattr, owner, name), partial(setattr, owner, name)

    cuda, kinds = torch.backends.cuda, ("flash_sdp", "mem_efficient_sdp", "math_sdp")

    def attention(value: Any) -> None:
        for kind, enabled in zip(kinds, value, strict=True):
            getattr(cuda, f"enable_{kind}")(enabled)

    invariants = torch.sparse.check_sparse_tensor_invariants
    return {
        "default_dtype": (
            lambda: str(torch.get_default_dtype()),
            lambda value: torch.set_default_dtype(dtype(value)),
        ),
        "default_device": (lambda: str(torch.get_default_device()), torch.set_default_device),
        "float32_matmul_precision": (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
        "deterministic_algorithms": (
            lambda: [
                torch.are_deterministic_algorithms_enabled(),
                torch.is_deterministic_algorithms_warn_only_enabled(),
            ],
            lambda value: torch.use_deterministic_algorithms(value[0], warn_only=value[1]),
        ),
        "fill_uninitialized_memory": attribute(torch.utils.deterministic, "fill_uninitialized_memory"),
        "autocast": (
            lambda: [
                torch.is_autocast_enabled("cpu"),
                str(torch.get_autocast_dtype("cpu")),
                torch.is_autocast_cache_enabled(),
            ],
            autocast,
        ),
        "anomaly": (
            lambda: [torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()],
            lambda value: torch.set_anomaly_enabled(*value),
        ),
        "mkldnn": attribute(torch.backends.mkldnn, "enabled"),
        "attention": (lambda: [getattr(cuda, f"{kind}_enabled")() for kind in kinds], attention),
        "sparse_invariants": (
            invariants.is_enabled,
            lambda value: invariants.enable() if value else invariants.disable(),
        ),
        "fastpath": (torch.backends.mha.get_fastpath_enabled, torch.backends.mha.set_fastpath_enabled),
    }
