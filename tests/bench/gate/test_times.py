"""What a gate makes of times, with workers that measure nothing; where more than times is told, in processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.gate.report import table
from tests.bench.gate.harness import PAIRS, Sides, verdicts, without_processes

SLOW = {"gradient_s": 0.022}


@pytest.fixture
def gate_of_processes(tmp_path: Path) -> Sides:
    return Sides(tmp_path)


@pytest.fixture
def gate(gate_of_processes: Sides, monkeypatch: pytest.MonkeyPatch) -> Sides:
    without_processes(monkeypatch)
    return gate_of_processes


def test_equal_sides_are_the_same_and_every_pair_of_processes_is_on_the_disk(gate_of_processes: Sides) -> None:
    report = gate_of_processes({}, {})
    assert report.status == 0 and not report.restless
    assert verdicts(report) == dict.fromkeys(
        ("peak_bytes", "flops", "gradient_error", "forward", "gradient", "R"), "same"
    )
    assert gate_of_processes.stages() == {"first": PAIRS, "control": PAIRS}
    first, *_, last = gate_of_processes.rows()
    assert (first["kind"], last["kind"], last["status"]) == ("gate", "verdict", 0)
    assert {row["run"] for row in gate_of_processes.rows()} == {first["run"]}
    assert "no regression" in table(report) and "6 same" in table(report)


def test_a_slower_gradient_is_confirmed_by_pairs_of_its_own(gate: Sides) -> None:
    report = gate({}, {"jfb": SLOW})
    assert report.status == 1
    assert {name for name, word in verdicts(report).items() if word == "worse"} == {"gradient", "R"}
    assert gate.stages() == {"first": PAIRS, "control": PAIRS, "again": PAIRS}
    slow = next(found for found in report.findings if found.quantity == "gradient")
    assert slow.interval is not None and slow.interval[0] == pytest.approx(1.1) and slow.note == "again: 1.100 to 1.100"
    assert "| **worse** |" in table(report) and "+10.0 %" in table(report)


def test_both_calls_slower_shows_where_their_ratio_cannot(gate: Sides) -> None:
    report = gate({}, {"jfb": {"forward_s": 0.011, **SLOW}})
    assert report.status == 1 and verdicts(report)["R"] == "same"
    assert verdicts(report)["forward"] == verdicts(report)["gradient"] == "worse"


def test_a_regression_that_does_not_show_again_is_not_decided(gate: Sides) -> None:
    report = gate({}, {"jfb": {"gradient_s": [0.022] * PAIRS + [0.02]}})
    assert report.status == 2 and verdicts(report)["gradient"] == "not decided"
    assert "a second run found 1.000" in table(report)


def test_what_is_not_clear_gets_as_many_pairs_again(gate: Sides) -> None:
    report = gate({}, {"jfb": {"gradient_s": [0.02, 0.0216, 0.02]}})
    assert report.status == 0 and gate.stages() == {"first": PAIRS, "control": PAIRS, "more": PAIRS}
    assert verdicts(report)["gradient"] == "same"


def test_no_time_is_judged_where_base_differs_from_itself(gate: Sides) -> None:
    # Of every six processes of base the second and the last are the control's other side.
    report = gate({"jfb": {"gradient_s": [0.02, 0.03, 0.02, 0.02, 0.02, 0.03] * 2}}, {"jfb": SLOW})
    assert report.restless and report.status == 2
    assert {verdicts(report)[name] for name in ("forward", "gradient", "R")} == {"not decided"}
    shown = table(report)
    assert shown.startswith("### **undecided** · gradratio gate\n\nBase differed from itself, so no time is judged.\n")
    assert "Run it again" in shown and gate.stages() == {"first": PAIRS, "control": PAIRS}


# Of every six processes of base the second and the last are the control's other side.
SPREAD = {"gradient_s": [0.02, 0.022, 0.02, 0.02, 0.02, 0.018, 0.02, 0.02, 0.02]}


def test_no_time_is_judged_where_the_control_spreads_by_more_than_the_margin(gate: Sides) -> None:
    report = gate({"jfb": SPREAD}, {"jfb": {"gradient_s": 0.03}})
    (own,) = [one for one in report.control if one.quantity == "gradient"]
    assert own.verdict == "not decided" and report.restless == "base against itself spread by more than the margin"
    assert report.status == 2 and {verdicts(report)[name] for name in ("forward", "gradient", "R")} == {"not decided"}
    shown = table(report)
    assert shown.startswith(
        "### **undecided** · gradratio gate\n\nBase against itself spread by more than the margin, so no time is"
    )
    assert gate.stages() == {"first": PAIRS, "control": PAIRS}


def test_a_gradient_without_a_verdict_leaves_a_cell_open_though_its_forward_has_one(gate: Sides) -> None:
    spread = [0.02, 0.024, 0.018, 0.02, 0.024, 0.018]
    report = gate({}, {"ift": {"gradient_s": spread}}, ("jfb", "ift"))
    found = {one.quantity: one.verdict for one in report.findings if one.cell.endswith("ift")}
    assert (found["forward"], found["gradient"]) == ("same", "not decided")
    assert (report.status, report.measured, len(report.open), len(report.failed)) == (2, 1, 1, 0)
    shown = table(report)
    assert "\n\n1 of 2 cells that both sides have was timed, and no verdict came of the gradient call: `torch/" in shown
    assert "since a side failed" not in shown


def test_a_cell_that_failed_and_one_without_a_verdict_have_a_sentence_each(gate: Sides) -> None:
    head = {"ift": {"gradient_s": [0.02, 0.024, 0.018, 0.02, 0.024, 0.018]}, "unrolled": {"status": "failed"}}
    report = gate({"unrolled": {"status": "failed"}}, head, ("jfb", "ift", "unrolled"))
    first = table(report).splitlines()[2]
    assert "1 of 3 cells that both sides have was not measured, since a side failed: `torch/" in first
    assert "unrolled`. 1 of 3 cells that both sides have was timed, and no verdict came of the gradient call: " in first
    assert (report.status, report.measured) == (2, 1)


def test_a_restless_machine_hides_no_crash(gate: Sides) -> None:
    # Of base's processes in order, the second, the seventh and the ninth are the control's other side: of the second
    # cell base has a process only where it starts before head, which dies.
    slow = [0.03 if number in (1, 6, 8) else 0.02 for number in range(10)]
    report = gate({"jfb": {"gradient_s": slow}}, {"ift": {"dies": 1}}, ("jfb", "ift"))
    assert report.restless and report.status == 1
    assert {found.cell.split("/")[-1] for found in report.findings if found.verdict == "worse"} == {"ift"}


def test_a_faster_forward_is_no_regression_though_r_rises(gate: Sides) -> None:
    report = gate({}, {"jfb": {"forward_s": 0.008, "gradient_s": 0.018}})
    assert report.status == 0
    assert [verdicts(report)[name] for name in ("forward", "gradient", "R")] == ["better", "better", "same"]
    assert "only the forward is faster" in table(report)


def test_a_faster_head_is_better_and_no_regression(gate: Sides) -> None:
    report = gate({}, {"jfb": {"gradient_s": 0.01}})
    assert report.status == 0 and verdicts(report)["gradient"] == verdicts(report)["R"] == "better"


def test_a_head_that_dies_in_its_turns_is_worse_and_a_base_that_does_is_not(gate_of_processes: Sides) -> None:
    report = gate_of_processes({}, {"jfb": {"dies": 1}}, pairs=2)
    assert report.status == 1 and verdicts(report)["status"] == "worse"
    assert "head failed: the worker process ended with exit code 3" in table(report)


def test_a_base_that_dies_leaves_nothing_to_tell(gate: Sides) -> None:
    report = gate({"jfb": {"dies": 1}}, {}, pairs=2)
    assert report.status == 2 and verdicts(report)["status"] == "not decided"


def test_a_head_that_dies_in_half_of_its_processes_is_worse_where_it_does_so_again(gate: Sides) -> None:
    report = gate({}, {"jfb": {"dies": [1, 1, 0, 1, 1, 0]}})
    assert report.status == 1 and verdicts(report)["status"] == "worse"


def test_a_head_that_died_for_once_is_not_decided_and_keeps_its_reason(gate_of_processes: Sides) -> None:
    report = gate_of_processes({}, {"jfb": {"dies": [1, 1, 0]}})
    assert report.status == 2 and verdicts(report)["status"] == "not decided"
    assert "exit code 3: it said nothing; not so in a second run" in table(report)


def test_one_pair_that_failed_is_named(gate: Sides) -> None:
    report = gate({}, {"jfb": {"dies": [1, 0]}})
    assert report.status == 0 and verdicts(report)["gradient"] == "same"
    assert {found.note for found in report.findings if found.quantity == "R"} == {f"1 of {PAIRS} pairs failed"}
