"""What of a nest gets a gradient, in both frameworks: it is differentiated, named or refused, never passed over."""

from __future__ import annotations

from collections import deque, namedtuple
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any

import equinox
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.own.compare import ask
from bench.own.jax_nest import Arrays as JaxArrays
from bench.own.model import model
from bench.own.nest import Nest
from bench.own.torch_nest import Arrays as TorchArrays
from tests.bench.own.asked import compared, only

FRAMEWORKS: dict[str, tuple[Any, Any]] = {"torch": (torch, TorchArrays), "jax": (jnp, JaxArrays)}
BOTH = pytest.mark.parametrize("framework", FRAMEWORKS)
Pair = namedtuple("Pair", "W b")


@dataclass(frozen=True)
class Dense:
    """An unregistered dataclass."""

    W: Any
    b: Any
    name: str = "layer"


class Plain:
    """An object of a class that nobody registered."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def called(self) -> None:
        """A method, which holds its object."""


class Slotted:
    """One without a dictionary."""

    __slots__ = ("inner",)

    def __init__(self, inner: Any) -> None:
        self.inner = inner


class Two(tuple[Any, ...]):
    """A tuple with a constructor of its own."""

    def __new__(cls, first: Any, second: Any) -> Two:
        return super().__new__(cls, (first, second))


def taken(framework: str, tree: Any) -> Nest:
    return Nest(FRAMEWORKS[framework][1](), tree, "params", fixed=False)


def ones(framework: str, *shape: int) -> Any:
    return FRAMEWORKS[framework][0].ones(shape)


def closing(array: Any) -> Callable[[Any], Any]:
    return lambda x: x * array


@BOTH
def test_a_dataclass_beside_arrays_is_differentiated(framework: str) -> None:
    xp, _ = FRAMEWORKS[framework]
    x = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
    params = {"p": Dense(0.5 * xp.eye(4), xp.ones(4)), "head": xp.ones((4, 2))}

    def loss(q: Any, x: Any) -> Any:
        assert isinstance(q["p"], Dense) and q["p"].name == "layer"
        return (xp.tanh(x @ q["p"].W + q["p"].b) @ q["head"]).mean() ** 2

    found = compared(loss=loss, params=params, batch=xp.asarray(x), methods=["backprop"])
    assert found.rows[1]["values"]["parameters"] == 16 + 4 + 8 and only(found)["reason"] == ""
    assert only(found)["status"] == "ok" and only(found)["gradient_error"] < 1e-5


@BOTH
def test_containers_are_opened_and_come_back_as_they_were(framework: str) -> None:
    W, b = ones(framework, 2, 2), ones(framework, 2)
    tree = {"pair": Pair(W, b), "list": [Dense(W, None)], "tuple": (b, "text", None, 3, True)}
    nest = taken(framework, tree)
    assert sorted(tuple(one.shape) for one in nest.leaves) == [(2,), (2,), (2, 2), (2, 2)] and nest.notes == []
    back = nest.call(nest.leaves, nest.held, lambda tree: tree)
    assert (
        isinstance(back["pair"], Pair) and isinstance(back["list"][0], Dense) and back["tuple"][1:] == tree["tuple"][1:]
    )


@BOTH
@pytest.mark.parametrize(
    ("wrapped", "where"),
    [
        (Plain, 'params["p"].inner'),
        (Slotted, 'params["p"].inner'),
        (lambda a: Plain({"deep": [0, a]}), 'params["p"].inner["deep"][1]'),
        (lambda a: Dense(1, Plain(a)), 'params["p"].b.inner'),
        (lambda a: SimpleNamespace(W=a), 'params["p"].W'),
        (lambda a: deque([1, a]), 'params["p"][1]'),
        (closing, 'params["p"].array'),
        (lambda a: partial(pow, a), 'params["p"].args[0]'),
        (lambda a: Plain(a).called, 'params["p"].__self__.inner'),
        (lambda a: [a, {"o": np.array([a, None], dtype=object)}][1]["o"], 'params["p"]'),
    ],
    ids=["object", "slots", "deep", "in a dataclass", "namespace", "deque", "closure", "partial", "method", "objects"],
)
def test_an_array_out_of_reach_is_refused_by_its_path(framework: str, wrapped: Any, where: str) -> None:
    with pytest.raises(ValueError) as caught:
        taken(framework, {"p": wrapped(ones(framework, 2)), "W": ones(framework, 2, 2)})
    said = str(caught.value)
    assert where in said and "would get no gradient" in said and said.endswith(".") and "\n" not in said


@BOTH
def test_the_same_words_refuse_in_both_frameworks(framework: str) -> None:
    other = {"torch": "torch.nn.Module", "jax": "registered pytree"}[framework]
    with pytest.raises(ValueError) as caught:
        taken(framework, [Plain(ones(framework, 2))])
    assert str(caught.value) == (
        "params[0] is of the type tests.Plain, which is not looked into, so that params[0].inner would get no "
        f"gradient: pass its arrays in a mapping, list, tuple, dataclass or {other}, or close over it in loss or step."
    )


@BOTH
@pytest.mark.parametrize("number", [0.5, 1j, np.float32(0.5), np.float64(2), np.complex64(1)])
def test_a_plain_number_is_named(framework: str, number: Any) -> None:
    nest = taken(framework, {"W": ones(framework, 2), "alpha": number, "eps": [number]})
    assert len(nest.leaves) == 1
    assert nest.notes == [
        'params["alpha"] and params["eps"][0] are no array and get no gradient: make an array of a number that is to '
        "get one."
    ]


@BOTH
def test_a_row_names_what_gets_no_gradient(framework: str) -> None:
    xp, _ = FRAMEWORKS[framework]
    args = {"W": 0.3 * xp.eye(3), "alpha": 0.5, "n": 2, "flag": True, "how": "tanh", "none": None}
    found = compared(
        step=lambda z, a: xp.tanh(z @ a["W"] * a["alpha"] + a["n"]),
        z0=xp.zeros((2, 3)),
        args=args,
        loss=lambda z: z.sum(),
        methods=["jfb"],
        K=20,
    )
    row = only(found)
    assert row["status"] == "ok"
    assert row["reason"] == (
        'args["alpha"] is no array and gets no gradient: make an array of a number that is to get one.'
    )
    assert found.rows[1]["values"]["parameters"] == 9


@BOTH
def test_a_long_list_of_names_is_counted(framework: str) -> None:
    (note,) = taken(framework, [ones(framework, 2), *([0.5] * 9)]).notes
    assert note.startswith("params[1], params[2], params[3] and 6 more are no array")


@BOTH
def test_a_nest_that_holds_itself_is_refused(framework: str) -> None:
    around: list[Any] = [ones(framework, 2)]
    around.append({"again": around})
    with pytest.raises(ValueError, match=r'^params\[1\]\["again"\] holds itself'):
        taken(framework, around)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"t": torch.ones(2), "j": jnp.ones(2)}, 'params["t"] is of torch and params["j"] a jax array'),
        ({"t": torch.ones(2), "n": np.ones(2)}, 'params["n"] is a numpy.ndarray of float64, which torch does not'),
        ({"t": torch.ones(2), "f": pd.DataFrame({"x": [1.0]})}, 'params["f"] is a pandas.DataFrame of float64'),
        ({"j": jnp.ones(2), "s": pd.Series([1.0])}, 'params["s"] is a pandas.Series of float64, which jax does not'),
        (
            {"t": Two(torch.ones(2), 1)},
            'params["t"] is of the type tests.Two, which is not looked into, so that params',
        ),
        ({"a": 0.5, "b": Plain(torch.arange(2))}, "params holds no floating array that gets a gradient"),
        ({"t": torch.arange(2), "a": 0.5}, 'params["a"] is no array and gets no gradient'),
        ({"j": jnp.arange(2), "a": 0.5}, 'params["a"] is no array and gets no gradient'),
        ({"t": torch.ones(0)}, "params holds no floating array that gets a gradient"),
        ({"j": jnp.ones(0)}, "params holds no floating array that gets a gradient"),
        (torch.nn.Linear(2, 2).requires_grad_(False), "params.weight and params.bias are frozen and get no gradient"),
    ],
)
def test_what_is_no_nest_of_one_framework_with_a_leaf_is_refused(params: Any, words: str) -> None:
    with pytest.raises(ValueError) as caught:
        compared(loss=lambda p, b: p, params=params)
    assert words in str(caught.value) and "\n" not in str(caught.value)


class Holding(torch.nn.Module):
    """A module with one attribute more."""

    def __init__(self, what: Any) -> None:
        super().__init__()
        self.inner, self.more = torch.nn.Linear(2, 2), what


@pytest.mark.parametrize(
    ("what", "where"),
    [
        (torch.tensor(2.0), "params.more"),
        (np.ones(2), "params.more"),
        ([1, {"k": torch.ones(2)}], 'params.more[1]["k"]'),
        (Plain(torch.ones(2)), "params.more.inner"),
        (closing(torch.ones(2)), "params.more.array"),
        (0.5, "params.more"),
        (np.complex64(1), "params.more"),
        ({"k": (1, 0.5)}, 'params.more["k"][1]'),
        (Plain(0.5), "params.more.inner"),
        (partial(torch.nn.functional.leaky_relu, negative_slope=0.1), 'params.more.keywords["negative_slope"]'),
    ],
)
def test_an_attribute_of_a_module_that_is_no_parameter_is_named(what: Any, where: str) -> None:
    nest = taken("torch", Holding(what))
    assert len(nest.leaves) == 2
    assert nest.notes == [
        f"{where} is no parameter and gets no gradient: make a torch.nn.Parameter of what is to get one."
    ]


@pytest.mark.parametrize(
    ("what", "where"),
    [
        ([torch.nn.Linear(2, 2)], r"params\.more\[0\]\.weight"),
        (torch.ones(2, requires_grad=True), r"params\.more"),
        ({"k": torch.nn.Parameter(torch.ones(2))}, r'params\.more\["k"\]'),
    ],
)
def test_a_parameter_that_its_module_does_not_know_is_refused(what: Any, where: str) -> None:
    with pytest.raises(ValueError, match=f"^{where} requires a gradient, but is no parameter that its module knows of"):
        taken("torch", Holding(what))


@pytest.mark.parametrize(
    "what",
    [
        torch.nn.ParameterList([torch.ones(2)]),
        torch.nn.ModuleList([torch.nn.Linear(2, 2, bias=False)]),
        torch.nn.ParameterDict({"k": torch.ones(2)}),
        3,
        "text",
        None,
        torch.nn.functional.leaky_relu,
        torch.arange(3),
        (torch.ones(2, requires_grad=True) * 2),  # what an earlier call left behind
    ],
)
def test_what_a_module_knows_or_holds_without_floats_costs_no_word(what: Any) -> None:
    nest = taken("torch", Holding(what))
    assert nest.notes == [] and len(nest.leaves) == 2 + isinstance(what, torch.nn.Module)


def test_numbers_of_layers_that_are_no_code_of_the_callers_cost_no_word() -> None:
    layers = torch.nn.Sequential(torch.nn.BatchNorm1d(2), torch.nn.Dropout(0.5), torch.nn.LeakyReLU(0.2))
    assert taken("torch", Holding(layers)).notes == []
    assert taken("jax", equinox.nn.LayerNorm(3)).notes == []


@BOTH
def test_a_number_is_named_wherever_it_lies(framework: str) -> None:
    tree = {"W": ones(framework, 2), "o": Plain([0.5]), "s": {0.5}, "f": closing(0.5), "d": Dense(0.5, 0.5)}
    (note,) = taken(framework, tree).notes
    words, (named, more) = " are no array and get no gradient", note.split(" and 1 more")
    last = {'params["d"].W', 'params["d"].b', 'params["o"].inner[0]', 'params["s"][0]'}
    assert more.startswith(words) and len(set(named.split(", ")) & last) == 3


def test_frozen_parameters_are_named_in_a_module_and_beside_one() -> None:
    net = torch.nn.Linear(2, 2)
    net.bias.requires_grad_(False)
    nest = taken("torch", {"net": [net], "w": torch.nn.Parameter(torch.ones(2), requires_grad=False)})
    assert nest.notes == ['params["w"] and params["net"][0].bias are frozen and get no gradient.']
    assert [tuple(one.shape) for one in nest.leaves] == [(2, 2)] and len(nest.held) == 1


@jax.tree_util.register_dataclass
@dataclass
class Registered:
    """A registered pytree with a static part."""

    W: Any
    table: Any = field(metadata={"static": True})


class Layer(equinox.Module):
    """An Equinox module with a function, a number and a static array."""

    W: jax.Array
    table: Any = equinox.field(static=True)
    act: Any = jax.nn.relu
    scale: float = 0.5


def test_static_parts_of_a_pytree_are_named() -> None:
    table = np.ones(3)
    with pytest.warns(UserWarning, match="being set as static"):
        layer = Layer(jnp.ones(3), (table,))
    nest = taken("jax", {"r": Registered(jnp.ones(2), table), "e": layer})
    assert [one.shape for one in nest.leaves] == [(3,), (2,)]
    assert nest.notes == [
        'params["e"].table[0] and params["r"].table are static in a pytree and get no gradient.',
        'params["e"].scale is no array and gets no gradient: make an array of a number that is to get one.',
    ]
    back = nest.call(nest.leaves, nest.held, lambda tree: tree)
    assert isinstance(back["e"], Layer) and back["e"].act is jax.nn.relu and back["r"].table is table


@jax.tree_util.register_pytree_node_class
class Own:
    """A registered class with a static part of its own making."""

    def __init__(self, W: Any, **rest: Any) -> None:
        self.W, self.rest, self.kept = W, rest, 0.5

    def tree_flatten(self) -> tuple[Any, Any]:
        return (self.W,), tuple(self.rest.items())

    @classmethod
    def tree_unflatten(cls, rest: Any, children: Any) -> Own:
        return cls(*children, **dict(rest))


class Numbered(equinox.Module):
    """An Equinox module with the same number twice, once static."""

    W: jax.Array
    scale: float
    power: float = equinox.field(static=True)


@pytest.mark.parametrize("number", [0.5, 2j])
def test_static_numbers_of_a_pytree_are_named(number: Any) -> None:
    tree = {"r": Registered(jnp.ones(2), number), "e": Numbered(jnp.ones(2), number, number)}
    assert taken("jax", tree).notes == [
        'params["e"].power and params["r"].table are static in a pytree and get no gradient.',
        'params["e"].scale is no array and gets no gradient: make an array of a number that is to get one.',
    ]
    assert taken("jax", Own(jnp.ones(2), alpha=np.complex64(number), n=3, how="text")).notes == [
        'params.rest["alpha"] is static in a pytree and gets no gradient.'
    ]


def test_a_row_names_a_static_number() -> None:
    params = Own(jnp.ones(2), alpha=0.5)
    row = only(compared(loss=lambda p, x: p.W.sum() * p.rest["alpha"], params=params, methods=["backprop"]))
    assert row["status"] == "ok" and row["reason"] == 'params.rest["alpha"] is static in a pytree and gets no gradient.'


@BOTH
def test_a_batch_may_hold_anything(framework: str) -> None:
    nest = Nest(FRAMEWORKS[framework][1](), [Plain(ones(framework, 2)), 0.5, np.ones(2), {1, 2}], "batch", fixed=True)
    assert nest.notes == [] and nest.leaves == []


NUMBERS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.just("array"))
TREES = st.recursive(
    NUMBERS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.text(max_size=3), st.integers()), inner, max_size=3),
        st.tuples(inner, inner),
        st.builds(Dense, inner, inner),
    ),
    max_leaves=8,
)


@given(TREES)
def test_any_nest_comes_back_with_each_float_named_and_each_array_a_leaf(tree: Any) -> None:
    """Texts and keys that look like code stay texts. Sorting keys of two types is jax's own limit, so torch alone."""
    array = torch.ones(2)

    def put(one: Any) -> Any:
        if isinstance(one, dict):
            return {name: put(inner) for name, inner in one.items()}
        if isinstance(one, list | tuple):
            return type(one)(map(put, one))
        if isinstance(one, Dense):
            return Dense(put(one.W), put(one.b))
        return array if isinstance(one, str) and one == "array" else one

    def count(one: Any, kind: Any) -> int:
        if isinstance(one, dict):
            return sum(count(inner, kind) for inner in one.values())
        if isinstance(one, list | tuple):
            return sum(count(inner, kind) for inner in one)
        if isinstance(one, Dense):
            return count(one.W, kind) + count(one.b, kind)
        return int(isinstance(one, kind))

    given = put(tree)
    nest = taken("torch", given)
    assert len(nest.leaves) == count(given, torch.Tensor)
    assert bool(nest.notes) == bool(count(given, float))
    back = nest.call(nest.leaves, nest.held, lambda tree: tree)
    assert repr(back) == repr(given)


@BOTH
def test_the_model_says_what_its_nest_says(framework: str) -> None:
    tree = {"W": ones(framework, 2), "alpha": 0.5}
    found = model(ask(loss=lambda p, b: p["W"].sum(), params=tree))
    assert len(found.notes) == 1 and found.notes[0].startswith('params["alpha"]')
