"""The gate's error rates: bounds in closed form, resampling where the answer is known, a file that is gone on with."""

from __future__ import annotations

import json
import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import to_builtins
from msgspec.structs import replace

from bench.gate import judge
from bench.gate.calibration import rates
from bench.gate.calibration.injections import INJECTIONS
from bench.gate.calibration.rates import alarm_rate, bound, gates_of_equals, slower, table, words
from bench.rows import Pair, now


def pool(spread: float) -> list[Pair]:
    one: dict[str, Any] = {"purpose": "first", "status": "ok", "forward_s": 1e-2, "gradient_s": 2e-2}
    return [Pair(**one, forward=f, gradient=g, R=g / f) for f in (1, 1 + spread) for g in (1, 1 + spread)]


def test_no_alarm_in_twenty_bounds_the_rate_at_14_percent() -> None:
    assert bound(0, 20) == pytest.approx(1 - 0.05 ** (1 / 20)) == pytest.approx(0.139, abs=5e-4)
    assert bound(1, 20) == pytest.approx(0.216, abs=5e-4)  # Clopper and Pearson 1934
    assert bound(20, 20) == 1.0


def test_resampling_equal_programs_gives_what_their_spread_means() -> None:
    quiet = [pool(0.0)]
    assert alarm_rate(quiet, draws=50) == 0.0
    assert alarm_rate(quiet, slower(1.04), draws=50) == 0.0
    assert alarm_rate(quiet, slower(1.1), draws=50) == 1.0
    assert alarm_rate(quiet, slower(1.1, 1.1), draws=50) == 1.0
    assert alarm_rate([pool(0.3)], slower(1.1), draws=200) < 0.5 < alarm_rate([pool(0.01)], slower(1.1), draws=200)


def test_a_gate_that_is_off_as_a_whole_is_not_averaged_away_by_the_others() -> None:
    off = [replace(pool(0.0)[0], forward=1.2, gradient=1.2)] * 4
    assert alarm_rate([off, *[pool(0.0)] * 3], draws=4000) == pytest.approx(
        1 / 8, abs=0.02
    )  # half the time turned round


@settings(deadline=None)
@given(
    st.lists(st.floats(-0.3, 0.3), min_size=2, max_size=12).filter(lambda logs: len(set(logs)) > 1),
    st.floats(1e-5, 1.0),
)
def test_many_verdicts_at_once_are_those_of_the_judge(logs: list[float], unit: float) -> None:
    word, interval = judge.verdict([math.exp(one) for one in logs], unit)
    low, high = interval.low, interval.high
    border = math.log(1 + max(judge.MARGIN, judge.FLOOR_S / unit))
    if low and high and all(abs(abs(math.log(end)) - border) > 1e-9 for end in (low, high)):
        worse, unclear = words(np.repeat(np.array(logs)[:, None], 3, axis=1), np.full(3, unit))
        assert (worse == (word == judge.WORSE)).all() and (unclear == (word == judge.UNDECIDED)).all()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str | None]]:
    """Gates that are made up; the list of those that were run."""
    run: list[tuple[int, str | None]] = []

    def one_gate(number: int, injection: Any) -> dict[str, Any]:
        run.append((number, injection and injection.name))
        pair = to_builtins(pool(0.0)[0])
        failed = {"stage": "control", "status": "failed"}
        seen = {"status": int(injection is not None), "caught": injection is not None, "pairs": [pair, failed]}
        more = {"timed": True, "started": now(), "worse": [], "undecided": 0}
        return {"cell": "torch/cell", "seconds": 20.0, **seen, **more}

    monkeypatch.setattr(rates, "one_gate", one_gate)
    monkeypatch.setattr(rates, "table", partial(table, draws=100))
    return run


def test_a_file_is_gone_on_with_and_its_table_shows_every_kind(
    tmp_path: Path, quick: list[tuple[int, str | None]], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--out", str(tmp_path / "rates.jsonl"), "--exact", "1", "--timed"]
    assert rates.main([*arguments, "1"]) == 0 and rates.main([*arguments, "2"]) == 0
    timed = [one.name for one in INJECTIONS if one.timed]
    exact = [(0, one.name) for one in INJECTIONS if not one.timed]
    assert quick == [(0, None), *((0, name) for name in timed), *exact, (1, None), *((1, name) for name in timed)]
    shown = capsys.readouterr().out
    assert all(f"| {one.name} | {2 if one.timed else 1} |" in shown for one in INJECTIONS)
    assert "| A/A | 2 | 0 | at most 78% | 20 s |" in shown and "| torch | 2 | none |" in shown
    assert len(gates_of_equals(rates.newest(rates.rows(tmp_path / "rates.jsonl")))) == 2


def test_showing_measures_nothing_and_wants_a_file(
    tmp_path: Path, quick: list[tuple[int, str | None]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert rates.main(["--out", str(tmp_path / "none.jsonl"), "--show"]) == 2
    assert "There is no file none.jsonl: measure first." in capsys.readouterr().err and not quick


def test_a_line_that_a_kill_left_unfinished_and_rows_of_another_machine_do_not_count(
    tmp_path: Path, quick: list[tuple[int, str | None]], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rates.jsonl"
    arguments = ["--out", str(path), "--exact", "1", "--timed", "1"]
    assert rates.main(arguments) == 0
    first = path.read_text().splitlines()
    other = json.dumps(json.loads(first[0]) | {"machine": {"cpu": "another"}})
    path.write_text("\n".join([other, *first[1:], first[0][:40]]))
    quick.clear()
    assert rates.main(arguments) == 0
    assert quick == [(0, None)] and "| A/A | 1 | 0 |" in capsys.readouterr().out.rpartition("| what |")[2]


@pytest.mark.parametrize(
    "damage", [{"number": "0"}, {"pairs": [{"stage": "first", "status": "ok"}]}, {"caught": None}, {"seconds": []}]
)
def test_a_damaged_row_is_named_and_its_gate_is_made_again(
    tmp_path: Path, quick: list[tuple[int, str | None]], capsys: pytest.CaptureFixture[str], damage: dict[str, Any]
) -> None:
    path = tmp_path / "rates.jsonl"
    arguments = ["--out", str(path), "--exact", "1", "--timed", "1"]
    assert rates.main(arguments) == 0
    first, *others = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps(json.loads(first) | damage), *others, "[NaN]", ""]))
    quick.clear()
    capsys.readouterr()
    assert rates.main(arguments) == 0 and quick == [(0, None)]
    said = capsys.readouterr().err
    assert all(
        f"Line {one} of rates.jsonl is skipped: it is {why}" in said
        for one, why in ((1, "no row of results"), (len(others) + 2, "damaged"))
    )


def test_the_docs_show_the_table_of_the_committed_rows_which_meet_what_is_promised() -> None:
    rows = rates.newest(rates.rows(rates.OUT))
    docs = (rates.ROOT / "docs" / "gate.md").read_text(encoding="utf-8")
    assert all(line in docs for line in table(rows).splitlines())
    equal = [row for row in rows if row.name == "A/A"]
    assert len(equal) >= 20 and sum(row.status == 1 for row in equal) <= 1
    assert all(row.seconds <= 60 for row in equal)
    for injection in INJECTIONS:
        mine = [row.caught for row in rows if row.name == injection.name]
        assert (len(mine) >= 20 and sum(mine) >= len(mine) - 1) if injection.timed else (len(mine) >= 3 and all(mine))


def test_committed_rows_name_no_folder() -> None:
    text = rates.OUT.read_text(encoding="utf-8")
    assert "/home/" not in text and "/tmp/" not in text and str(rates.ROOT) not in text
