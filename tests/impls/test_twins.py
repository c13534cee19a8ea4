"""``impls.torch`` and ``impls.jax`` have the same files, names and signatures, and neither needs the other."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import impls
from impls.catalog import CHOICES, METHODS

ROOT = Path(impls.__file__).parent
FILES = sorted(str(path.relative_to(ROOT / "torch")) for path in (ROOT / "torch").rglob("*.py"))
FOLDERS = {"gradients": "gradient", "adjoints": "adjoint"}

WITH_EPS = ("Perturbed", "perturbed")
"""jax has no arrays that carry a tangent: there it rides on a number more."""


def dotted(file: str) -> str:
    return file.removesuffix(".py").replace("/", ".").removesuffix("__init__").strip(".")


def imported(framework: str, file: str) -> Any:
    return import_module(".".join(filter(None, ["impls", framework, dotted(file)])))


def public(framework: str, file: str) -> dict[str, Any]:
    """What a module itself defines: its functions and classes, and its constants and type names."""
    found = imported(framework, file)
    source = (ROOT / framework / file).read_text()
    return {
        name: thing
        for name, thing in vars(found).items()
        if not name.startswith("_")
        and (
            getattr(thing, "__module__", None) == found.__name__ or f"\n{name} = " in source or f"\n{name}: " in source
        )
    }


def signature(thing: Any) -> list[tuple[str, str, str]]:
    """Names and kinds of parameters, with the defaults that are plain values."""
    plain = (int, float, str, bool, type(None))
    return [
        (name, str(p.kind), repr(p.default) if isinstance(p.default, plain) else "…")
        for name, p in inspect.signature(thing).parameters.items()
    ]


def signatures(thing: Any, name: str) -> dict[str, Any]:
    """Of a function, or of a class and its public methods."""
    if inspect.isfunction(thing):
        return {name: signature(thing)}
    if not inspect.isclass(thing):
        return {}
    methods = {
        f"{name}.{key}": signature(method)
        for key, method in vars(thing).items()
        if inspect.isfunction(method) and (not key.startswith("_") or key == "__call__")
    }
    fields = getattr(thing, "__dataclass_fields__", None)
    return {**methods, **({name: signature(thing)} if fields else {name: getattr(thing, "_fields", None)})}


def test_same_files() -> None:
    other = sorted(str(path.relative_to(ROOT / "jax")) for path in (ROOT / "jax").rglob("*.py"))
    assert other == FILES


@pytest.mark.parametrize("file", FILES)
def test_same_names(file: str) -> None:
    torch_names, jax_names = set(public("torch", file)), set(public("jax", file))
    assert torch_names == jax_names, (
        f"{file}: only torch has {sorted(torch_names - jax_names)}, only jax {sorted(jax_names - torch_names)}"
    )


@pytest.mark.parametrize("file", FILES)
def test_same_signatures(file: str) -> None:
    other = public("jax", file)
    for name, thing in public("torch", file).items():
        if name in WITH_EPS:
            continue
        ours, theirs = signatures(thing, name), signatures(other[name], name)
        differ = {key: (ours.get(key), theirs.get(key)) for key in {*ours, *theirs} if ours.get(key) != theirs.get(key)}
        assert not differ, f"{file}: torch and jax differ in {differ}"


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_every_method_has_its_file_and_every_file_its_row(framework: str) -> None:
    for folder, interface in FOLDERS.items():
        files = {path.stem for path in (ROOT / framework / folder).glob("*.py")} - {"__init__"}
        assert files == {name for name, row in METHODS.items() if row.interface == interface}
        entry = "value_and_grad" if folder == "gradients" else "fixed_point"
        for file in files:
            assert entry in public(framework, f"{folder}/{file}.py"), f"{framework}: {file} lacks {entry}"


def test_rows_name_themselves_and_their_options() -> None:
    for name, row in METHODS.items():
        assert row.name == name
        folder = "gradients" if row.interface == "gradient" else "adjoints"
        function = imported("torch", f"{folder}/{name}.py")
        entry = getattr(function, "value_and_grad" if row.interface == "gradient" else "fixed_point")
        keywords = {n for n, p in inspect.signature(entry).parameters.items() if p.kind is p.KEYWORD_ONLY}
        keywords -= {"keep_factored"}  # what it returns is no gradient, but what train_step takes
        assert {option for option in row.options if option not in ("K", "M")} == keywords


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_a_method_fits_on_a_page(framework: str) -> None:
    for folder in FOLDERS:
        for path in (ROOT / framework / folder).glob("*.py"):
            assert len(path.read_text().splitlines()) <= 80, f"{path} has more than 80 lines"


@pytest.mark.parametrize(
    ("modules", "forbidden"),
    [
        (["impls", "impls.catalog", "impls.problems", "impls.checks", "impls.datasets"], ["torch", "jax"]),
        ([f"impls.torch.{dotted(file)}".rstrip(".") for file in FILES], ["jax", "jaxlib"]),
        ([f"impls.jax.{dotted(file)}".rstrip(".") for file in FILES], ["torch"]),
    ],
    ids=["neither", "torch", "jax"],
)
def test_imports(modules: list[str], forbidden: list[str]) -> None:
    code = (
        f"import sys, importlib\nfor name in {modules}: importlib.import_module(name)\n"
        f"print([name for name in {forbidden} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_the_catalogue_names_the_choices_that_there_are(framework: str) -> None:
    tables = {"solver": ("solvers", "SOLVERS"), "linear_solver": ("linear_solvers", "LINEAR_SOLVERS")}
    for option, (file, table) in tables.items():
        assert CHOICES[option] == tuple(getattr(import_module(f"impls.{framework}.{file}"), table))
    laws = tuple(import_module(f"impls.{framework}.tangents").LAWS)
    assert CHOICES["tangents"] == (*laws, "given")
