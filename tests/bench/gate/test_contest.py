"""A gate from beginning to end, with worker processes that measure nothing."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bench.cell import Cell
from bench.gate.contest import Contest, Report
from bench.gate.sides import Side, side
from bench.gate.table import table
from tests.bench.gate import fake_side
from tests.bench.harness import gone

SLOW = {"gradient_s": 0.022}
PAIRS = 3


class Gate:
    """Two sides with orders, and a way to set them against each other."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out = folder, folder / "out"

    def side(self, name: str, orders: dict[str, Any]) -> Side:
        impls = self.folder / name / "impls"
        impls.mkdir(parents=True)
        (impls / "__init__.py").write_text(f'"""{name}"""\n')
        (impls / "orders.json").write_text(json.dumps(orders))
        return side(str(self.folder / name), self.folder)

    def __call__(
        self, base: dict[str, Any], head: dict[str, Any], methods: tuple[str, ...] = ("jfb",), **settings: Any
    ) -> Report:
        cells = [Cell("torch", "tanh", method) for method in methods]
        sides = self.side("base", base), self.side("head", head)
        options = {"pairs": PAIRS, "slots": 1, "quiet": True, "script": Path(fake_side.__file__)} | settings
        return Contest(*sides, cells, folder=self.out, **options).report()

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.out / "turns.jsonl").read_text().splitlines()]

    def stages(self) -> dict[str, int]:
        return dict(Counter(row["stage"] for row in self.rows() if row["kind"] == "turns"))


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


def verdicts(report: Report) -> dict[str, str]:
    return {found.quantity: found.verdict for found in report.findings}


def test_equal_sides_are_the_same_and_every_pair_of_processes_is_on_the_disk(gate: Gate) -> None:
    report = gate({}, {})
    assert report.status == 0 and not report.noisy
    assert verdicts(report) == dict.fromkeys(
        ("peak_bytes", "flops", "gradient_error", "forward", "gradient", "R"), "same"
    )
    assert gate.stages() == {"first": PAIRS, "control": PAIRS}
    first, *_, last = gate.rows()
    assert (first["kind"], last["kind"], last["status"]) == ("gate", "verdict", 0)
    assert {row["run"] for row in gate.rows()} == {first["run"]}
    assert "no regression" in table(report) and "6 same" in table(report)


def test_a_slower_gradient_is_confirmed_by_pairs_of_its_own(gate: Gate) -> None:
    report = gate({}, {"jfb": SLOW})
    assert report.status == 1
    assert {name for name, word in verdicts(report).items() if word == "worse"} == {"gradient", "R"}
    assert gate.stages() == {"first": PAIRS, "control": PAIRS, "again": PAIRS}
    slow = next(found for found in report.findings if found.quantity == "gradient")
    assert slow.interval is not None and slow.interval[0] == pytest.approx(1.1) and slow.note == "again: 1.100 to 1.100"
    assert "| **worse** |" in table(report) and "+10.0 %" in table(report)


def test_both_calls_slower_shows_where_their_ratio_cannot(gate: Gate) -> None:
    report = gate({}, {"jfb": {"forward_s": 0.011, **SLOW}})
    assert report.status == 1 and verdicts(report)["R"] == "same"
    assert verdicts(report)["forward"] == verdicts(report)["gradient"] == "worse"


def test_a_regression_that_does_not_show_again_is_not_decided(gate: Gate) -> None:
    report = gate({}, {"jfb": {"gradient_s": [0.022] * PAIRS + [0.02]}})
    assert report.status == 0 and verdicts(report)["gradient"] == "not decided"
    assert "a second run found 1.000" in table(report)


def test_what_is_not_clear_gets_as_many_pairs_again(gate: Gate) -> None:
    report = gate({}, {"jfb": {"gradient_s": [0.02, 0.0216, 0.02]}})
    assert report.status == 0 and gate.stages() == {"first": PAIRS, "control": PAIRS, "more": PAIRS}
    assert verdicts(report)["gradient"] == "same"


def test_no_time_is_judged_where_base_differs_from_itself(gate: Gate) -> None:
    # Of every six processes of base the second and the last are the control's other side.
    report = gate({"jfb": {"gradient_s": [0.02, 0.03, 0.02, 0.02, 0.02, 0.03] * 2}}, {"jfb": SLOW})
    assert report.noisy and report.status == 0
    assert {verdicts(report)[name] for name in ("forward", "gradient", "R")} == {"not decided"}
    assert "Run it again" in table(report) and gate.stages() == {"first": PAIRS, "control": PAIRS}


def test_a_faster_head_is_better_and_no_regression(gate: Gate) -> None:
    report = gate({}, {"jfb": {"gradient_s": 0.01}})
    assert report.status == 0 and verdicts(report)["gradient"] == verdicts(report)["R"] == "better"


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
    head: dict[str, Any], quantity: str, word: str, status: int, gate: Gate
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
    base: str, head: str, word: str, status: int, gate: Gate
) -> None:
    report = gate({"jfb": {"status": base}}, {"jfb": {"status": head}})
    assert (verdicts(report), report.status, report.measured) == ({"status": word}, status, 0)
    assert not (gate.out / "turns.jsonl").exists() or gate.stages() == {}


def test_half_of_the_cells_measured_is_enough(gate: Gate) -> None:
    failing = {"ift": {"status": "failed"}}
    report = gate(failing, failing, ("jfb", "ift"), pairs=2)
    assert (report.status, report.measured, report.cells) == (0, 1, 2)
    assert "base failed: as told; head failed: as told" in table(report)


def test_a_head_that_dies_in_its_turns_is_worse_and_a_base_that_does_is_not(gate: Gate) -> None:
    report = gate({}, {"jfb": {"dies": 1}}, pairs=2)
    assert report.status == 1 and verdicts(report)["status"] == "worse"
    assert "head failed: the worker process ended with exit code 3" in table(report)


def test_pairs_that_fail_now_and_then_are_named(gate: Gate) -> None:
    report = gate({}, {"jfb": {"dies": [1, 0]}})
    assert report.status == 0 and verdicts(report)["gradient"] == "same"
    assert {found.note for found in report.findings if found.quantity == "R"} == {f"1 of {PAIRS} pairs failed"}


def test_a_gate_that_is_stopped_leaves_no_process_and_keeps_what_it_has(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bench import store

    append = store.append

    def stop_at_the_third(path: Path, row: dict[str, Any]) -> None:
        append(path, row)
        if row["kind"] == "turns" and gate.stages() == {"first": 2, "control": 1}:
            raise KeyboardInterrupt

    monkeypatch.setattr(store, "append", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        gate({}, {})
    assert gate.stages() == {"first": 2, "control": 1}
    assert gone(
        {int(pid) for name in ("base", "head") for pid in (gate.folder / name / "prepared").read_text().split()}
    )


def test_sources_that_change_meanwhile_stop_the_gate(gate: Gate) -> None:
    base, head = gate.side("base", {}), gate.side("head", {})
    contest = Contest(
        base,
        head,
        [Cell("torch", "tanh", "jfb")],
        folder=gate.out,
        pairs=2,
        quiet=True,
        script=Path(fake_side.__file__),
    )
    (head.folder / "impls" / "__init__.py").write_text("changed = True\n")
    with pytest.raises(RuntimeError, match="changed meanwhile"):
        contest.report()
