"""Lines of code of each adjoint, and of what the implicit function theorem needs besides: a linear solver.

Docstrings, comments, blank lines and imports do not count. ``code_lines`` is the adjoint's own file. ``solver_lines``
is every definition of the package that the linear solver reaches and jfb does not, such as what the solver returns and
the norms it stops by. The array library's own code is left out on all sides.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TypeGuard

from bench.cells import MODES
from bench.experiments.catalog import Experiment, Place, Record
from bench.plan import Part


class CodeLines(Experiment):
    """See above."""

    def parts(self, size: str, data: bool) -> list[Part]:
        """One, of text files."""
        return [Part("code_lines", "numpy")]

    def perform(self, part: Part, place: Place) -> list[Record]:
        """A record for each adjoint of each framework, and for ift with each linear solver: method, linear_solver
        (empty where there is none), framework, file, code_lines, solver_lines, and total_lines, their sum."""
        import impls

        if impls.__file__ is None:
            raise LookupError(
                "The package impls has no file of its own here: install it, or add its folder to the path."
            )
        root = Path(impls.__file__).parent
        return [record for framework in MODES for record in counted(framework, root)]

    def memory_bytes(self, size: str) -> int:
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


# Sources, read as text: nothing is run ----------------------------------------------------------------------------

Definition = tuple[str, str]
"""A module's dotted name, and a name that is defined at its top level."""

LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


def code_lines(text: str) -> set[int]:
    """Numbers of the lines that hold code: no blank lines, comments, docstrings and imports."""
    dropped: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom) or (isinstance(node, ast.Expr) and _is_text(node.value)):
            dropped |= _span(node)
    found: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in LAYOUT:
            found |= set(range(token.start[0], token.end[0] + 1))
    return found - dropped


class Sources:
    """A package on disk. root: the folder that its first dotted name stands for."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._text, self._defined, self._imported = cache(self._read), cache(self._definitions), cache(self._imports)
        self._code = cache(lambda module: code_lines(self._text(module)))

    def path(self, module: str) -> Path | None:
        """The file of a module of the package; None for a module of another one."""
        first, *rest = module.split(".")
        if first != self._root.name:
            return None
        file = self._root.joinpath(*rest)
        return next((path for path in (file.with_suffix(".py"), file / "__init__.py") if path.exists()), None)

    def lines(self, definitions: Iterable[Definition]) -> int:
        """Lines of code of all of them, each line once."""
        found: set[tuple[str, int]] = set()
        for module, name in definitions:
            found |= {(module, line) for line in self._code(module) & _span(self._defined(module)[name])}
        return len(found)

    def reached(self, *start: Definition) -> set[Definition]:
        """The definitions whose names the given ones mention, and those that these mention, and so on."""
        found: set[Definition] = set()
        waiting = list(start)
        while waiting:
            at = self._origin(*waiting.pop())
            if at not in found and self.path(at[0]) is not None and at[1] in self._defined(at[0]):
                found.add(at)
                waiting += self._mentioned(*at)
        return found

    def module(self, module: str) -> set[Definition]:
        """Everything that a module defines at its top level."""
        return {(module, name) for name in self._defined(module)}

    def table(self, module: str, name: str) -> dict[str, str]:
        """A dict from texts to names, such as ``{"picard": Picard}``, that a module defines."""
        value = getattr(self._defined(module)[name], "value", None)
        if not isinstance(value, ast.Dict):
            raise LookupError(f"{name} of {module} is no dict: give the name of one.")
        pairs = zip(value.keys, value.values, strict=True)
        named = ((key.value, kind.id) for key, kind in pairs if _is_text(key) and isinstance(kind, ast.Name))
        return {str(key): kind for key, kind in named}

    def _mentioned(self, module: str, name: str) -> Iterator[Definition]:
        imported = self._imported(module)
        for node in ast.walk(self._defined(module)[name]):
            if isinstance(node, ast.Name):
                yield imported.get(node.id, (module, node.id))
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in imported:
                yield ".".join(imported[node.value.id]), node.attr  # such as ops.matmul

    def _imports(self, module: str) -> dict[str, Definition]:
        """Names that a module has from elsewhere in the package."""
        found: dict[str, Definition] = {}
        for node in ast.parse(self._text(module)).body:
            if isinstance(node, ast.ImportFrom) and node.module and self.path(node.module) is not None:
                found |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}
        return found

    def _origin(self, module: str, name: str) -> Definition:
        """Where a name is defined that a module may only hand on."""
        while self.path(module) is not None and name not in self._defined(module):
            if name not in self._imported(module):
                break
            module, name = self._imported(module)[name]
        return module, name

    def _definitions(self, module: str) -> dict[str, ast.stmt]:
        """What a module defines at its top level: classes, functions and names that it assigns."""
        found: dict[str, ast.stmt] = {}
        for node in ast.parse(self._text(module)).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                found[node.name] = node
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                found |= {target.id: node for target in targets if isinstance(target, ast.Name)}
        return found

    def _read(self, module: str) -> str:
        path = self.path(module)
        if path is None:
            raise LookupError(f"{module} is no module of the folder {self._root.name}: give one that is there.")
        return path.read_text(encoding="utf-8")


def _is_text(node: ast.expr | None) -> TypeGuard[ast.Constant]:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _span(node: ast.stmt) -> set[int]:
    """The lines of a statement, decorators included."""
    first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
    return set(range(first, (node.end_lineno or node.lineno) + 1))
