"""``pytest bench/pytest_compare``: the methods of a preset beside each other on this machine, by pytest-benchmark.

Two numbers come out of it, each measured once. The ratio R with its interval, bytes, flops and errors are the measuring
core's: its worker processes visit the cells before the first benchmark, into the file that ``gradratio run
--preset NAME`` uses, and what stands there already is not visited again. The seconds of a gradient call are
pytest-benchmark's, in this process, on one thread pinned to one core. When both frameworks are chosen they share the
process, with their thread pools and allocators; ``gradratio pytest`` runs one framework a process and joins the files.

The JSON goes beside the rows, under ``results/``, unless ``--benchmark-json`` says otherwise. It names no host, user,
folder, branch or author.
"""

from __future__ import annotations

import json
import os
import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from bench.instruments import machine
from bench.processes import environment
from bench.progress import Progress
from bench.pytest_compare.files import leaks, secrets
from bench.pytest_compare.session import Session
from bench.worker import pin

SESSION = pytest.StashKey[Session]()
WRITTEN = pytest.StashKey[bool]()
NAMES = "bench/pytest_compare/test_methods.py::test_gradient time.perf_counter"
"""What every benchmark's entry says, whoever runs it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The flags of ``gradratio run`` that choose cells."""
    group = parser.getgroup("compare", "comparison of gradient methods")
    group.addoption("--preset", default="smoke", help="the named list of cells to compare (default: smoke)")
    for kind in ("framework", "problem", "method"):
        group.addoption(f"--{kind}", action="append", default=[], metavar="NAME", help="repeatable or comma separated")
    group.addoption("--workers", type=int, help="worker processes that visit each cell (default: the preset's)")


def pytest_configure(config: pytest.Config) -> None:
    """Settle what is compared and where it goes, before a framework is imported or the process is pinned."""
    if config.getoption("numprocesses", None) or "PYTEST_XDIST_WORKER" in os.environ:
        raise pytest.UsageError("bench/pytest_compare times its calls one after another: run it without -n.")
    workers = config.getoption("workers", None)
    if workers is not None and workers < 1:
        raise pytest.UsageError(f"--workers {workers} is too small: give a whole number of at least 1.")
    names = {
        kind: [name for text in config.getoption(kind, []) for name in text.split(",") if name]
        for kind in ("framework", "problem", "method")
    }
    os.environ.update(environment())
    os.environ.pop("XLA_FLAGS", None)
    try:
        found = Session.of(config.getoption("preset", "smoke"), workers=workers, **names)
    except (ValueError, LookupError) as error:
        raise pytest.UsageError(" ".join(str(error).split())) from None
    config.stash[SESSION] = found
    idle = ("collectonly", "benchmark_disable", "benchmark_skip")
    if config.option.benchmark_json is None and not any(config.getoption(name, False) for name in idle):
        found.json.parent.mkdir(parents=True, exist_ok=True)
        peers = {Path(one.partition("::")[0]).name for one in config.args} == {"test_peers.py"}
        config.option.benchmark_json = found.json.with_name("pytest-peers.json") if peers else found.json
    # Of what pytest-benchmark warns of outside tests: with no cell timed, pytest_sessionfinish below writes the file.
    warnings.filterwarnings("ignore", "Not saving anything")
    warnings.filterwarnings("default", "Benchmark machine_info is different")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a cell."""
    if "framework" in metafunc.fixturenames:
        found = metafunc.config.stash[SESSION]
        metafunc.parametrize(
            ("problem", "method", "framework"),
            [tuple(found.params(cell).values()) for cell in found.cells],
            ids=[found.labels[cell.id].short for cell in found.cells],
        )


@pytest.fixture(scope="session")
def measured(request: pytest.FixtureRequest) -> Session:
    """The session once the measuring core has visited every cell that a test was kept for; then the process is
    pinned, which the worker processes must not inherit."""
    found = request.config.stash[SESSION]
    kept = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else nullcontext():
        found.measure([cell for cell in found.cells if found.params(cell) in kept], Progress())
    pin(machine.available_cores()[0])
    return found


def pytest_benchmark_generate_machine_info(config: pytest.Config) -> dict[str, Any]:
    """The machine as the measuring core describes it, in place of a listing that opens with the host name."""
    return config.stash[SESSION].machine


def pytest_benchmark_generate_commit_info(config: pytest.Config) -> dict[str, Any]:
    """The commit and the digest of the sources, in place of a listing with the branch and the project's folder."""
    return config.stash[SESSION].commit


def pytest_benchmark_update_json(config: pytest.Config, output_json: dict[str, Any]) -> None:
    """Add the cells that have no time, with their reasons, and refuse to write a name of this machine."""
    found = config.stash[SESSION]
    output_json["untimed"] = found.untimed(one["extra_info"]["cell"] for one in output_json["benchmarks"])
    public = [str(found.machine), NAMES, *(cell.id for cell in found.cells)]
    if told := leaks(output_json, secrets(), public):
        pytest.exit(f"The JSON would hold the {'; the '.join(told)}: nothing was written, take it out there.", 3)
    config.stash[WRITTEN] = True


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the file where no cell could be timed: pytest-benchmark writes none, and the reasons would be lost."""
    config = session.config
    found, path = config.stash.get(SESSION, None), config.option.benchmark_json
    if found is None or not found.summaries or path is None or WRITTEN in config.stash:
        return
    given: dict[str, Any] = {"config": config, "benchmarks": []}
    document = config.hook.pytest_benchmark_generate_json(
        include_data=False, machine_info=found.machine, commit_info=found.commit, **given
    )
    config.hook.pytest_benchmark_update_json(output_json=document, **given)
    path.write_text(json.dumps(document, indent=4) + "\n", encoding="ascii")
