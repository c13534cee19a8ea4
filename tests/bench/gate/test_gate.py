"""A gate from beginning to end, with workers that measure nothing, in processes where their end is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench import run
from bench.cells import Cell
from bench.gate.gate import Gate
from bench.gate.report import table
from bench.progress import Progress
from bench.rows import SKIPPED, Row, TurnsRow
from tests.bench.gate import fake_side
from tests.bench.gate.harness import Sides, verdicts, without_processes
from tests.bench.harness import gone


@pytest.fixture
def gate_of_processes(tmp_path: Path) -> Sides:
    return Sides(tmp_path)


@pytest.fixture
def gate(gate_of_processes: Sides, monkeypatch: pytest.MonkeyPatch) -> Sides:
    without_processes(monkeypatch)
    return gate_of_processes


@pytest.mark.parametrize(
    ("head", "quantity", "word", "status"),
    [
        ({"values": {"peak_bytes": 101}}, "peak_bytes", "worse", 1),
        ({"values": {"peak_bytes": 99}}, "peak_bytes", "better", 0),
        ({"values": {"flops": 1001}}, "flops", "worse", 1),
        ({"error": 1e-3 * (1 + 1e-8)}, "gradient_error", "worse", 1),
        ({"error": 1e-3 * (1 + 1e-10)}, "gradient_error", "same", 0),
        ({"error": 1e-4}, "gradient_error", "better", 0),
    ],
)
def test_exact_numbers_are_compared_for_equality(
    head: dict[str, Any], quantity: str, word: str, status: int, gate: Sides
) -> None:
    report = gate({}, {"jfb": head}, pairs=2)
    assert (verdicts(report)[quantity], report.status) == (word, status)


@pytest.mark.parametrize(
    ("base", "head", "word", "status"),
    [
        ("ok", "wrong", "worse", 1),
        ("ok", "n/a", "worse", 1),
        ("failed", "ok", "better", 2),
        ("failed", "failed", "not decided", 2),
        ("n/a", "ok", "not decided", 2),
        ("n/a", "n/a", "not decided", 2),
    ],
)
def test_a_cell_that_one_side_cannot_do_is_no_comparison(
    base: str, head: str, word: str, status: int, gate: Sides
) -> None:
    report = gate({"jfb": {"status": base}}, {"jfb": {"status": head}})
    assert (verdicts(report), report.status, report.measured) == ({"status": word}, status, 0)
    assert not (gate.out / "turns.jsonl").exists() or gate.stages() == {}


@pytest.mark.parametrize(("base", "head"), [("failed", "failed"), ("timeout", "ok"), ("oom", "wrong")])
def test_a_cell_that_both_sides_have_and_that_was_not_measured_leaves_the_gate_undecided(
    base: str, head: str, gate: Sides
) -> None:
    report = gate({"ift": {"status": base}}, {"ift": {"status": head}}, ("jfb", "ift"), pairs=2)
    assert (report.status, report.measured, len(report.cells)) == (2, 1, 2)
    shown = table(report)
    assert shown.startswith(
        "### **undecided** · gradratio gate\n\n1 of 2 cells that both sides have was not measured, since"
    )
    assert f"base {base}: as told" in shown


@pytest.mark.parametrize("sides", [("n/a", "ok"), ("n/a", "n/a")])
def test_a_cell_that_a_side_does_not_have_is_no_gap(sides: tuple[str, str], gate: Sides) -> None:
    base, head = ({"ift": {"status": status}} for status in sides)
    report = gate(base, head, ("jfb", "ift"), pairs=2)
    assert (report.status, report.measured, len(report.cells)) == (0, 1, 1)
    assert table(report).startswith("### gradratio gate: no regression\n")


def test_a_regression_outranks_what_was_not_measured(gate: Sides) -> None:
    failing = {"ift": {"status": "failed"}}
    report = gate(failing, {**failing, "jfb": {"values": {"flops": 1001}}}, ("jfb", "ift"), pairs=2)
    assert report.status == 1 and table(report).startswith("### gradratio gate: regression\n")


def test_what_was_skipped_after_a_smaller_cell_is_a_failure_and_not_inapplicable(gate: Sides) -> None:
    skipped = {"jfb": {"status": "n/a", "reason": f"{SKIPPED} timeout of the smaller one"}}
    report = gate(skipped, skipped, ("jfb", "ift"), pairs=2)
    assert (len(report.cells), report.measured, report.status) == (2, 1, 2)
    other = Sides(gate.folder / "other")
    assert verdicts(other(skipped, {}))["status"] == "better"


def test_float64_is_judged_where_float32_fails(gate: Sides) -> None:
    report = gate({"jfb": {"status32": "failed"}}, {"jfb": {"status64": "wrong"}})
    assert report.status == 1 and verdicts(report) == {"status": "worse"}


def test_an_end_of_output_in_the_middle_leaves_no_thread_waiting_for_a_core(
    gate_of_processes: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def begin(self: Progress, visit: Any) -> None:
        seen.append(visit)
        if visit.measure != "exact" and len(seen) > 1:
            raise BrokenPipeError

    monkeypatch.setattr(Progress, "begin", begin)
    with pytest.raises(BrokenPipeError):
        gate_of_processes({}, {})


def test_a_gate_that_is_stopped_leaves_no_process_and_keeps_what_it_has(
    gate_of_processes: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = run.append

    def stop_at_the_third(path: Path, row: Row) -> None:
        append(path, row)
        if isinstance(row, TurnsRow) and gate_of_processes.stages() == {"first": 2, "control": 1}:
            raise KeyboardInterrupt

    monkeypatch.setattr(run, "append", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        gate_of_processes({}, {})
    assert gate_of_processes.stages() == {"first": 2, "control": 1}
    assert gone(
        {
            int(pid)
            for name in ("base", "head")
            for pid in (gate_of_processes.folder / name / "prepared").read_text().split()
        }
    )


def test_sources_that_change_meanwhile_stop_the_gate_of_processes(gate_of_processes: Sides) -> None:
    base, head = gate_of_processes.side("base", {}), gate_of_processes.side("head", {})
    gate = Gate(
        base,
        head,
        [Cell("torch", "tanh", "jfb")],
        folder=gate_of_processes.out,
        pairs=2,
        quiet=True,
        script=Path(fake_side.__file__),
    )
    (head.folder / "impls" / "__init__.py").write_text("changed = True\n")
    with pytest.raises(RuntimeError, match="changed during the run"):
        gate.report()
