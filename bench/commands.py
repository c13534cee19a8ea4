"""The commands: what the flags of each one mean, and what it does. Those that measure are a ``Context`` each."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.cells import MODES, Cell, Value, on_gpus
from bench.context import FLAGS, Context, add_flags, called, count, guarded, renamed, require_memory, seconds, slots
from bench.plan import Part
from bench.select import add_flags as add_cells
from bench.select import chosen, says_which

GOES_ON = "finished rows are in the file, and the same command goes on from there."

PART_S = {"experiments": 480.0, "peers": 300.0, "search": 3000.0}
"""Seconds after which a visit or a part is given up, unless said otherwise."""


@dataclass(frozen=True)
class Command:
    """One command. words: what it does, for its help. add: puts its flags in. run: does it, and returns the exit
    status. stopped: what is kept where Ctrl-C stops it."""

    words: str
    add: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    stopped: str = GOES_ON


def main(
    arguments: Sequence[str] | None = None, prog: str = "python -m bench", beside: Mapping[str, str] | None = None
) -> int:
    """Run one command and return its exit status: its own (1 where something came out otherwise than it should), 2 with
    one sentence for bad input, 130 where Ctrl-C stopped it.

    Args:
        arguments: words of the command line, by default those of this process.
        prog: how the program was called.
        beside: commands that the program has besides these, which are listed in its help, with what they do.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["compare"] and not beside:  # what `python -m bench` called pytest-benchmark's table
        renamed(f"{prog} compare", "gradratio pytest --table")
        words[:1] = ["pytest", "--table"]
    given = parser(prog, beside).parse_args(words)
    command = COMMANDS[given.command]
    return guarded(lambda: command.run(given), command.stopped)


def parser(prog: str = "gradratio", beside: Mapping[str, str] | None = None) -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(prog=prog, description="Measure what gradients cost and how right they are.")
    commands = found.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        words = f"{command.words[0].upper()}{command.words[1:]}."
        command.add(commands.add_parser(name, help=command.words, description=words))
    for name, words in (beside or {}).items():
        commands.add_parser(name, help=words)
    return found


def _add_preset(command: argparse.ArgumentParser, known: Iterable[str], only: str) -> None:
    """A preset of its own, of which ``--only`` takes a part."""
    command.add_argument("--preset", default="quick", help=f"{', '.join(known)} (default: quick)")
    words = f"{only}; repeatable or comma separated"
    command.add_argument("--only", action="append", default=[], metavar="NAME", help=words)
    command.add_argument("--list", action="store_true", help="print what there is, and run nothing")


def _names(texts: Iterable[str]) -> list[str]:
    """Names of a flag that is repeatable or comma separated."""
    return [name for text in texts for name in text.split(",") if name]


def _list(given: argparse.Namespace) -> int:
    """Print the cells that the flags mean, or without flags all names there are."""
    from bench.presets import PRESETS
    from bench.select import Facts

    if says_which(given) or given.set:
        for cell in chosen(given):
            print(f"{'+'.join(cell.measures):<11} {cell.id}")
        return 0
    facts = Facts()
    print("presets")
    for name, preset in PRESETS.items():
        print(f"  {name:<17} {len(preset.cells)} cells, {preset.workers} workers")
    print("frameworks")
    for name, modes in MODES.items():
        print(f"  {name:<17} {', '.join(modes)}")
    print("problems")
    for name, kind in facts.kinds.items():
        sizes = " ".join(f"{size}={default}" for size, default in facts.sizes(name).items())
        print(f"  {name:<17} {kind}: {sizes}")
    print("methods")
    for name, row in facts.methods.items():
        print(f"  {name:<17} {row.interface}: {' '.join(row.options)}".rstrip(": "))
    return 0


def _add_run(command: argparse.ArgumentParser) -> None:
    add_cells(command)
    add_flags(command, *FLAGS)


def _run(given: argparse.Namespace) -> int:
    """Measure cells, then print a table of them."""
    from bench.instruments import machine
    from bench.presets import PRESETS
    from bench.summary import table

    if not says_which(given):
        raise ValueError(f"Nothing says which cells to run: give --preset {' or '.join(PRESETS)}, or --problem.")
    cells = on_gpus(chosen(given), range(len(machine.visible_gpus())))
    if not cells:
        print("There is no NVIDIA GPU here: nothing to measure.")
        return 0
    # A preset's file holds cells of the preset alone; other cells, sizes and options go to a file of their own.
    name = given.preset if given.preset and not (given.set or given.cell) else "custom"
    workers = given.workers or (PRESETS[given.preset].workers if given.preset else 8)
    context = Context(given, name, workers=workers)
    context.measure(cells)
    print(table(context.summaries))
    return context.end()


def _add_pytest(command: argparse.ArgumentParser) -> None:
    command.add_argument("--preset", default="smoke", help="the named list of cells to time (default: smoke)")
    for kind in ("framework", "problem", "method"):
        command.add_argument(
            f"--{kind}", action="append", default=[], metavar="NAME", help="repeatable or comma separated"
        )
    add_flags(command, "workers")
    words = "print the table of files that such runs wrote, and time nothing"
    command.add_argument("--table", nargs="+", type=Path, metavar="FILE", help=words)
    command.add_argument("flags", nargs="*", metavar="-- FLAG", help="what pytest is to be given besides")


def _pytest(given: argparse.Namespace) -> int:
    """pytest-benchmark of a preset, in one process a framework; then one table of both."""
    from bench.pytest_compare import session
    from bench.pytest_compare.files import table

    if given.table:
        print(table(given.table))
        return 0
    names = {kind: _names(getattr(given, kind)) for kind in ("problem", "method")}
    frameworks = _names(given.framework) or list(MODES)
    files = [session.location(given.preset, [framework], **names) for framework in frameworks]
    command = [sys.executable, "-m", "pytest", str(Path(session.__file__).parent), "-q", "--benchmark-quiet"]
    command += [f"--preset={given.preset}", *(f"--{kind}={one}" for kind, many in names.items() for one in many)]
    command += [f"--workers={given.workers}"] if given.workers else []
    failed = False
    for framework, file in zip(frameworks, files, strict=True):
        file.unlink(missing_ok=True)
        failed |= called([*command, f"--framework={framework}", *given.flags]) != 0
    print(table(files))
    return 1 if failed else 0


def _add_gate(command: argparse.ArgumentParser) -> None:
    means = "a revision, or a folder with impls in it"
    command.add_argument("base", metavar="BASE", help=f"what it is compared with: {means}")
    command.add_argument("head", metavar="HEAD", nargs="?", default="HEAD", help=f"the change: {means} (default: HEAD)")
    add_cells(command, preset="track")
    command.add_argument("--pairs", type=count, help="pairs of processes a cell and comparison (default: 6)")
    command.add_argument("--budget", type=seconds, help="seconds of turns of a pair of processes (default: 0.7)")
    command.add_argument("--slots", type=count, help="pairs of processes at a time (default: one a core, at most 2)")
    command.add_argument("--timeout", type=seconds, help="seconds after which an answer is given up (default: 120)")
    command.add_argument("--out", type=Path, help="the folder that rows go to (default: below results/local/gate)")
    command.add_argument("--table", type=Path, help="a file that the table is added to")
    words = "exit with 0 where the gate is undecided, and say so; a regression stays 1, bad input 2"
    command.add_argument("--keep-going", action="store_true", help=words)


def _gate(given: argparse.Namespace) -> int:
    """Compare two commits, print the table and the folder with the rows."""
    from bench.gate.gate import PAIRS, TIMEOUT_S, Gate
    from bench.gate.report import table
    from bench.gate.sides import side
    from bench.gate.turns import BUDGET_S
    from bench.instruments import machine

    cells = chosen(given)
    if any(cell.device.startswith("cuda") for cell in cells):
        raise ValueError("The gate takes turns on a CPU core: leave cells on cuda out.")
    if given.pairs is not None and given.pairs < 2:
        raise ValueError("One pair of processes has no interval: give --pairs 2 or more.")
    if given.slots is not None and given.slots > len(machine.available_cores()):
        raise ValueError(f"A pair of processes needs a core for itself: give --slots {len(machine.available_cores())}.")
    if given.table and not given.table.resolve().parent.is_dir():
        raise ValueError(f"There is no folder for the table {given.table}: make it, or name another file.")
    with tempfile.TemporaryDirectory(prefix="gradratio-") as unpacked:
        base, head = (side(getattr(given, name), Path(unpacked) / name) for name in ("base", "head"))
        if base.digest == head.digest:
            same = f"commit {base.label}" if base.commit and base.commit == head.commit else "same impls"
            print(f"Both sides are the {same}: this is an A/A run, which tells of the machine.", file=sys.stderr)
        folder = given.out or Path("results/local/gate") / f"{base.label}-{head.label}"
        report = Gate(
            base,
            head,
            cells,
            folder=folder,
            pairs=given.pairs or PAIRS,
            slots=given.slots,
            timeout_s=given.timeout or TIMEOUT_S,
            budget_s=given.budget or BUDGET_S,
        ).report()
    text = table(report)
    print(text)
    if given.table:
        with given.table.open("a", encoding="utf-8") as file:
            file.write(text)
    print(f"rows: {folder}")
    if report.status == 2 and given.keep_going:
        print("The gate is undecided (2): told and not failed, as asked.")
        return 0
    return report.status


def _add_peers(command: argparse.ArgumentParser) -> None:
    from bench.peers.cells import PRESETS

    _add_preset(command, PRESETS, "a cell or a framework")
    add_flags(command, "workers", "timeout", "minutes", "fresh", "out", workers=6)
    words = "find everyone's options again, into bench/peers/settings.jsonl"
    command.add_argument("--search", action="store_true", help=words)
    command.add_argument("--library", metavar="NAME", help="with --search: of this library's contenders alone")


def _peers(given: argparse.Namespace) -> int:
    """Our methods beside other libraries', or the search for everyone's options."""
    from bench.instruments import machine
    from bench.peers.cells import listed, wanted
    from bench.peers.perform import LIBRARY, SEARCH, Peers, parts_of, table
    from bench.peers.settings import PATH, keep, require_settings

    cells, frameworks = wanted(given.preset, _names(given.only))
    if given.list:
        print("\n".join(listed(cells, frameworks)))
        return 0
    if not given.search:
        require_settings(cells, frameworks, given.preset)
    require_memory(Peers().memory_bytes(given.preset), machine.memory_for(slots()), "The peers' bench")
    parts = parts_of(cells, range(1 if given.search else given.workers), frameworks)
    if not given.search:
        context = Context(given, f"peers-{given.preset}", workers=given.workers, timeout_s=PART_S["peers"])
        context.measure((), parts, experiments={})
        print(table(context.performed))
        return context.end()
    more: dict[str, Value] = {SEARCH: 1} | ({LIBRARY: given.library} if given.library else {})
    parts = [Part(**(one.as_json() | {"settings": {**one.settings, **more}})) for one in parts]
    context = Context(
        given, "peers-search", workers=1, timeout_s=PART_S["search"], path=Path("results/local/peers-search.jsonl")
    )
    context.measure((), parts, keep, experiments={})
    for row in context.performed:  # those that the file had already
        keep(row)
    print(f"settings: {PATH.name}")
    return context.end()


def _add_experiments(command: argparse.ArgumentParser) -> None:
    from bench.experiments.catalog import SIZES, WORKERS

    _add_preset(command, SIZES, "an experiment")
    command.add_argument("--data", type=Path, metavar="FOLDER", help="a folder of IDX files that paper trains on")
    # There are many cells, and what counts is the spread between processes: a short budget will do.
    add_flags(command, "workers", "timeout", "minutes", "budget", "fresh", "out", workers=WORKERS, budget=0.3)


def _experiments(given: argparse.Namespace) -> int:
    """The papers' experiments."""
    from bench.experiments.catalog import listed, plan
    from bench.instruments import machine

    gpus = range(len(machine.visible_gpus()))
    wanted = plan(given.preset, _names(given.only), given.data, gpus)
    if given.list:
        print("\n".join(listed(wanted)))
        return 0
    hint = ": take a smaller preset, or name fewer experiments with --only"
    available = machine.memory_for(1 if gpus else slots())
    require_memory(wanted.memory_bytes, available, f"The preset {given.preset!r}", hint)
    context = Context(given, f"papers-{given.preset}", workers=given.workers, timeout_s=PART_S["experiments"])
    context.measure(
        wanted.cells,
        wanted.parts,
        experiments={name: [cell.id for cell in cells] for name, cells in wanted.cells_of.items()},
        data=given.data.resolve() if given.data else None,
    )
    return context.end()


def _add_profile(command: argparse.ArgumentParser) -> None:
    add_cells(command)
    command.add_argument("--calls", type=count, default=10, help="profiled calls of each kind (default: 10)")


def _profile(given: argparse.Namespace) -> int:
    """Build the one cell that the flags mean, check its gradient, profile both calls and print a table."""
    from bench.instruments.profile import PROFILERS, table
    from bench.processes import environment
    from bench.subjects import build

    cell = _one(given)
    os.environ.update(environment())
    os.environ.pop("XLA_FLAGS", None)
    with tempfile.TemporaryDirectory() as folder:
        job = build(cell, Path(folder))
        job.check()  # right before fast
        profiled = PROFILERS[cell.framework]
        forward, gradient = (profiled(call, job.sync, given.calls) for call in (job.forward, job.gradient))
    print(f"{cell.id}\n\n{table(gradient, forward)}")
    return 0


def _one(given: argparse.Namespace) -> Cell:
    """The cell that the flags mean; ``ValueError`` for none, several, or one that cannot be profiled."""
    if not says_which(given):
        raise ValueError("Nothing says which cell to profile: give --framework, --problem and --method.")
    cells = chosen(given)
    if len(cells) > 1:
        raise ValueError(
            f"The flags mean {len(cells)} cells: profile one, named by --framework, --problem and --method."
        )
    (cell,) = cells
    if cell.device != "cpu":
        raise ValueError(f"A profile is of calls on the CPU, not on {cell.device}: leave --device out.")
    if cell.mode == "compiled":
        raise ValueError("Compiled code is one operation to torch's profiler: profile the mode eager.")
    return cell


def _add_capabilities(command: argparse.ArgumentParser) -> None:
    out = Path("results/catalog.json")
    command.add_argument("--out", type=Path, default=out, help=f"the file that is written (default: {out})")


def _capabilities(given: argparse.Namespace) -> int:
    """Try everything, write the file and say which numbers were wrong; 1 where any were."""
    from bench.capabilities.abilities import document, write
    from bench.capabilities.measure import in_processes
    from bench.capabilities.trial import WRONG

    outcomes = in_processes(MODES)
    write(given.out, document(outcomes))
    wrong = [
        f"wrong: {framework}, {method}, {ability}: {one.reason}"
        for framework, methods in outcomes.items()
        for method, tried in methods.items()
        for ability, one in tried.items()
        if one.outcome == WRONG
    ]
    print("\n".join([*wrong, f"catalogue: {given.out}"]))
    return 1 if wrong else 0


def _add_history(command: argparse.ArgumentParser) -> None:
    words = "commits as git names a range, such as HEAD^! or main~5..main"
    command.add_argument("range", metavar="RANGE", help=words)
    words = "the machine's name in asv's results (default: its processor)"
    command.add_argument("--machine", metavar="NAME", help=words)


def _history(given: argparse.Namespace) -> int:
    """Measure the commits of a range with asv, and publish its site."""
    from bench.instruments import machine
    from bench.suite import history  # refuses a preset that it cannot track

    return history(given.range, given.machine or machine.name())


COMMANDS: Mapping[str, Command] = {
    "list": Command("print the cells that the flags mean, or all names there are", add_cells, _list),
    "run": Command("measure cells", _add_run, _run),
    "pytest": Command("time cells with pytest-benchmark, frameworks side by side", _add_pytest, _pytest),
    "gate": Command(
        "compare the gradients of two commits: time, bytes, flops and float64 errors",
        _add_gate,
        _gate,
        "the rows so far are in the gate's folder; a gate that is started again begins anew.",
    ),
    "peers": Command("time our methods beside other libraries'", _add_peers, _peers),
    "experiments": Command("run the papers' experiments", _add_experiments, _experiments),
    "profile": Command(
        "say where the time of one cell's gradient call goes, beside its forward's",
        _add_profile,
        _profile,
        "nothing is kept.",
    ),
    "capabilities": Command(
        "try what each method can do, and write it down for the page",
        _add_capabilities,
        _capabilities,
        "nothing is written.",
    ),
    "history": Command(
        "track a range of commits with asv, and publish its site",
        _add_history,
        _history,
        "finished commits are in results/asv, and rows of the one under way in results/local/asv; the same command "
        "goes on from there.",
    ),
}
