"""Lines of code of each adjoint, and of what the implicit function theorem needs besides: a linear solver.

Docstrings, comments, blank lines and imports do not count. ``code_lines`` is the adjoint's own file. ``solver_lines``
is every definition of the package that the linear solver reaches and jfb does not, such as what the solver returns and
the norms it stops by. The array library's own code is left out on all sides.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.cells import MODES, Cell
from bench.experiments.catalog import Place, Record
from bench.experiments.source import Definition, Sources, code_lines
from bench.plan import Part


def cells(size: str) -> list[Cell]:
    """None."""
    return []


def parts(size: str, data: bool) -> list[Part]:
    """One, of text files."""
    return [Part("code_lines", "numpy")]


def perform(part: Part, place: Place) -> list[Record]:
    """A record for each adjoint of each framework, and for ift with each linear solver: method, linear_solver (empty
    where there is none), framework, file, code_lines, solver_lines, and total_lines, their sum."""
    import impls

    if impls.__file__ is None:
        raise LookupError("The package impls has no file of its own here: install it, or add its folder to the path.")
    root = Path(impls.__file__).parent
    return [record for framework in MODES for record in counted(framework, root)]


def memory_bytes(size: str) -> int:
    """A few files of text."""
    return 200_000_000


def counted(framework: str, root: Path) -> list[Record]:
    """The records of one framework; root: the folder ``impls``."""
    sources = Sources(root)
    package = f"{root.name}.{framework}"
    shared = sources.reached(*sources.module(f"{package}.adjoints.jfb"))
    found: list[Record] = []
    for path in sorted((root / framework / "adjoints").glob("[!_]*.py")):
        own = len(code_lines(path.read_text(encoding="utf-8")))
        where = {"method": path.stem, "framework": framework, "file": path.relative_to(root.parent).as_posix()}
        for name, roots in _solvers(sources, package, path.stem):
            more = sources.lines(sources.reached(*roots) - shared)
            counts = {"code_lines": own, "solver_lines": more, "total_lines": own + more}
            found.append({**where, "linear_solver": name, **counts})
    return found


def _solvers(sources: Sources, package: str, adjoint: str) -> Iterator[tuple[str, list[Definition]]]:
    """Each linear solver that an adjoint may use, and where its definitions begin."""
    solvers = f"{package}.linear_solvers"
    if adjoint == "ift":  # ``solve`` turns a missed tolerance into NaN
        for name, kind in sources.table(solvers, "LINEAR_SOLVERS").items():
            yield name, [(solvers, kind), (solvers, "solve")]
    elif adjoint == "ift_reused":
        yield "factors", [(f"{package}.factors", "factorise")]
    else:
        yield "", []
