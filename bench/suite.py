"""The same cells through asv: ``setup_cache`` measures a commit's, ``track_*`` reads what it found.

One class a framework and problem, since asv cannot tell ``setup_cache`` which cells ``-b`` asked for; each
has a ``setup_cache`` of its own, since asv takes two of them on one source line for the same. The environment
variable GRADRATIO_PRESET names the preset. Lower is better in every number. Of the problems, ``linear`` is not
tracked: it is there for closed forms, and in presets for cells that must diverge.

Rows of a commit's ``impls`` go to ``results/local/asv/<commit>-<preset>.jsonl``, so that a killed ``asv run`` loses
none. What came after the last verdict over the same cells counts: after a kill, measuring goes on from there; after a
verdict it begins anew. ``gradratio history RANGE`` is asv from the commits to its site.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from bench import VERSION
from bench.cells import Cell
from bench.instruments import sources
from bench.presets import PRESETS
from bench.rows import ROOT, Row, RunRow, VerdictRow, append, read
from bench.select import preset_cells

PRESET = os.environ.get("GRADRATIO_PRESET", "track")
TIMEOUT_S = 7200
Track = TypeVar("Track", bound=Callable[..., Any])
Found = dict[str, dict[str, Any]]
"""What each cell came to, by its id."""


def tracked_cells(preset: str, framework: str, problem: str) -> list[Cell]:
    """The cells of a preset that one class of the suite tracks; those of GPUs it leaves to ``gradratio run``."""
    if preset not in PRESETS:
        raise ValueError(f"GRADRATIO_PRESET names no preset ({preset}): set it to one of {', '.join(PRESETS)}.")
    found = [
        cell
        for cell in preset_cells(preset)
        if (cell.framework, cell.problem) == (framework, problem) and not cell.device.startswith("cuda")
    ]
    if not found:
        raise ValueError(
            f"asv cannot track {preset}, which has no cell of {framework} and {problem} on the CPU: "
            "set GRADRATIO_PRESET to another preset, such as track."
        )
    return found


def location(preset: str, commit: str | None, root: Path) -> Path:
    """The file for the rows of a commit, or of the working tree where asv names no commit."""
    return root / "results" / "local" / "asv" / f"{commit[:12] if commit else 'worktree'}-{preset}.jsonl"


def since(rows: Sequence[Row], cells: Sequence[Cell]) -> int:
    """How many rows there are up to the last verdict over these very cells: what follows is not finished yet."""
    ids = [cell.id for cell in cells]
    runs = {row.run for row in rows if isinstance(row, RunRow) and row.cells == ids}
    ends = [place for place, row in enumerate(rows, start=1) if isinstance(row, VerdictRow) and row.run in runs]
    return max(ends, default=0)


def measured(cells: Sequence[Cell], preset: str) -> Found:
    """What each cell came to, measured by the interpreter that asv runs this with.

    asv says in ASV_COMMIT which commit it has installed there. With ``-E existing`` it has installed none, and adds
    ASV_PYTHONPATH to its own import path alone; the workers need it too.
    """
    from bench.expected import surprises
    from bench.run import measure
    from bench.summary import last_run, summarise

    commit, asv = os.environ.get("ASV_COMMIT"), os.getppid()
    path = location(preset, commit, ROOT)
    start = since(read(path), cells)
    rows_to_come = measure(
        cells,
        workers=PRESETS[preset].workers,
        path=path,
        preset=preset,
        pythonpath=os.environ.get("ASV_PYTHONPATH"),
        since=start,
        commit=commit,
    )
    with closing(rows_to_come):
        for _ in rows_to_come:
            if os.getppid() != asv:  # it was killed; the next one would measure at the same time as this process
                raise RuntimeError("asv has ended before its suite: start it again, it goes on from here.")
    rows = read(path)[start:]
    found = summarise(rows, cells)
    append(path, VerdictRow(run=last_run(rows).run, surprises=surprises(cells, found)))
    return {one.cell: asdict(one) for one in found}


def _ids(framework: str, problem: str) -> list[str]:
    return [cell.id for cell in tracked_cells(PRESET, framework, problem)]


def _measured(framework: str, problem: str) -> Found:
    return measured(tracked_cells(PRESET, framework, problem), PRESET)


def _good(found: Found, cell: str) -> dict[str, Any] | None:
    """A cell's numbers, None for one that is n/a; a failed one raises its reason, and asv shows it failed."""
    one = found[cell]
    if one["status"] == "n/a":
        return None
    if one["status"] != "ok":
        raise RuntimeError(f"{one['status']}: {cell}: {one['reason']}")
    return one


def _samples(found: Found, cell: str, name: str) -> Any:
    """One sample a worker process, NaN (asv's n/a) for a cell that is not timed."""
    one = _good(found, cell)
    return {"samples": one[name], "number": 1} if one and one[name] else float("nan")


def _value(found: Found, cell: str, name: str) -> float:
    """One plain number, since asv rounds samples; NaN where the cell has none."""
    one = _good(found, cell)
    value = None if one is None else one["values"].get(name)
    return float("nan") if value is None else value


def shown_as(name: str, unit: str) -> Callable[[Track], Track]:
    """How asv shows a track: its ``pretty_name`` and ``unit``."""

    def mark(track: Track) -> Track:
        track.pretty_name, track.unit = name, unit  # type: ignore[attr-defined]
        return track

    return mark


class _Cells:
    """What is tracked for every cell."""

    param_names = ("cell",)
    version = f"{VERSION}.1"  # by hand: a new number here starts a new history

    @shown_as("R: time of a gradient ÷ time of a forward pass", "forward passes")
    def track_R(self, found: Found, cell: str) -> Any:
        """Gradient time ÷ forward time; one sample a worker process."""
        return _samples(found, cell, "ratios")

    @shown_as("Time of a gradient", "seconds")
    def track_gradient_s(self, found: Found, cell: str) -> Any:
        """Seconds of a gradient call; one sample a worker process."""
        return _samples(found, cell, "gradients")

    @shown_as("Time of a forward pass", "seconds")
    def track_forward_s(self, found: Found, cell: str) -> Any:
        """Seconds of a forward pass; one sample a worker process."""
        return _samples(found, cell, "forwards")

    @shown_as("Compile time of a gradient", "seconds")
    def track_compile_s(self, found: Found, cell: str) -> float:
        """Seconds from tracing to a compiled gradient call; none in eager mode."""
        return _value(found, cell, "compile_s")

    @shown_as("Peak memory of a gradient", "bytes")
    def track_peak_bytes(self, found: Found, cell: str) -> float:
        """Bytes newly allocated at the peak of one gradient call; exact."""
        return _value(found, cell, "peak_bytes")

    @shown_as("Memory held from forward to backward", "bytes")
    def track_held_bytes(self, found: Found, cell: str) -> float:
        """Bytes that the forward half of backprop keeps for its backward half; exact."""
        return _value(found, cell, "held_bytes")

    @shown_as("Work of a gradient", "flops")
    def track_flops(self, found: Found, cell: str) -> float:
        """Floating-point operations of one gradient call; exact."""
        return _value(found, cell, "flops")

    @shown_as("Error of a gradient", "relative")
    def track_gradient_error(self, found: Found, cell: str) -> float:
        """Relative distance from the true gradient in float64."""
        return _value(found, cell, "gradient_error")


class TorchMlp(_Cells):
    params = _ids("torch", "mlp")

    def setup_cache(self) -> Found:
        return _measured("torch", "mlp")

    setup_cache.timeout = TIMEOUT_S  # type: ignore[attr-defined]


class TorchTanh(_Cells):
    params = _ids("torch", "tanh")

    def setup_cache(self) -> Found:
        return _measured("torch", "tanh")

    setup_cache.timeout = TIMEOUT_S  # type: ignore[attr-defined]


class TorchNewton(_Cells):
    params = _ids("torch", "newton")

    def setup_cache(self) -> Found:
        return _measured("torch", "newton")

    setup_cache.timeout = TIMEOUT_S  # type: ignore[attr-defined]


class TorchFpn(_Cells):
    params = _ids("torch", "fpn")

    def setup_cache(self) -> Found:
        return _measured("torch", "fpn")

    setup_cache.timeout = TIMEOUT_S  # type: ignore[attr-defined]


class JaxMlp(_Cells):
    params = _ids("jax", "mlp")

    def setup_cache(self) -> Found:
        return _measured("jax", "mlp")

    setup_cache.timeout = TIMEOUT_S  # type: ignore[attr-defined]


class JaxTanh(_Cells):
    params = _ids("jax", "tanh")

    def setup_cache(self) -> Found:
        return _measured("jax", "tanh")

    setup_cache.timeout = TIMEOUT_S  # type: ignore[attr-defined]


class JaxNewton(_Cells):
    params = _ids("jax", "newton")

    def setup_cache(self) -> Found:
        return _measured("jax", "newton")

    setup_cache.timeout = TIMEOUT_S  # type: ignore[attr-defined]


class JaxFpn(_Cells):
    params = _ids("jax", "fpn")

    def setup_cache(self) -> Found:
        return _measured("jax", "fpn")

    setup_cache.timeout = TIMEOUT_S  # type: ignore[attr-defined]


WORDS = ("NEW", "ALL", "EXISTING", "TAGS")
"""What asv takes for a range besides git's own words."""

ASV = "import sys\nfrom asv.main import main\ntry:\n    main()\nexcept KeyboardInterrupt:\n    sys.exit(130)"
"""asv without the traceback that it prints where it is stopped."""


def history(commits: str, name: str) -> int:
    """asv's own commands, one after the other, with whatever can be wrong said before the first."""
    beside = require_commits(commits, ROOT)
    if beside:
        print(
            f"{beside} of the commits {commits} are not in the line of HEAD: they are measured and on the page, and "
            "asv's site, which draws that line, leaves them out.",
            file=sys.stderr,
        )
    asv("machine", "--yes", "--machine", name, stdout=subprocess.DEVNULL)
    failed = asv("run", "--machine", name, "--record-samples", "--show-stderr", commits)
    return 1 if asv("publish") or failed else 0


def asv(*arguments: str, **options: Any) -> int:
    """The exit status of one of asv's commands. What a hook of git tells of its repository is kept from it: asv would
    check out old commits there, not in its own clone."""
    from bench.context import called

    without = {name: value for name, value in os.environ.items() if name not in sources.REPOSITORY}
    return called([sys.executable, "-c", ASV, *arguments], env=without, **options)


def require_commits(commits: str, root: Path) -> int:
    """``ValueError`` where asv would find no commit of that name, ``GitError`` where git refuses to answer; how many of
    them are not on HEAD's line, which is the one that asv publishes."""
    if not sources.ask_git(root, "ls-files", "impls"):
        raise ValueError(
            "The repository here holds no impls: run this in a clone of gradratio, and unset GIT_DIR where it is set."
        )
    line = sources.ask_git(root, "rev-list", "--first-parent", "HEAD").split()
    if commits in WORDS or commits == "HASHFILE:-":
        return 0
    try:
        if not commits.strip():
            raise ValueError("it is empty")
        if commits.startswith("HASHFILE:"):
            return _require_hashes(Path(commits.partition(":")[2]), root, line)
        found = sources.ask_git(root, "rev-list", "--first-parent", *shlex.split(commits), "--").split()
    except (sources.GitError, ValueError) as error:
        words = "git takes it for options" if "usage:" in str(error) else error
        raise ValueError(
            f"RANGE {commits!r} names no commits here ({words}): give one as git does, such as HEAD^! or HEAD~5..HEAD; "
            "a shallow clone has few."
        ) from None
    if not found:
        raise ValueError(f"RANGE {commits!r} holds no commit: give one that does, such as HEAD^! or HEAD~5..HEAD.")
    return len({*found} - {*line})


def _require_hashes(path: Path, root: Path, line: list[bytes]) -> int:
    """As ``require_commits``, of a file with one commit a line."""
    if not path.is_file():
        raise ValueError("there is no such file")
    names = path.read_text(encoding="utf-8").split()
    if not names:
        raise ValueError("the file is empty")
    found = {sources.ask_git(root, "rev-parse", "--verify", f"{name}^{{commit}}").strip() for name in names}
    return len(found - {*line})
