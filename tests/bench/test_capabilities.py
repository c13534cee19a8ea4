"""The committed catalogue says what the methods can do today, and an ability that went wrong would be seen."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import run
from bench.capabilities import measure as trying
from bench.capabilities.abilities import SCHEMA, facts
from bench.capabilities.measure import measure
from bench.capabilities.trial import NO, REFUSED, WRONG, YES, Outcome
from bench.cells import Cell
from bench.commands import main, parser
from bench.experiments.catalog import Place
from bench.failures import without_paths
from bench.instruments import sources
from bench.plan import Part, Visit, visit_row
from bench.rows import Visited, now, plain
from bench.worker import perform
from impls.catalog import METHODS

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = json.loads((ROOT / "results" / "catalog.json").read_text(encoding="utf-8"))
AGAIN = "What the methods can do may have changed: run `gradratio capabilities`, and see whether that is meant."
FACTS = facts()
ROWS = {one["name"]: one for one in COMMITTED["methods"]}
ABILITIES = {(one["name"], ability["name"]): ability for one in COMMITTED["methods"] for ability in one["abilities"]}


# The committed catalogue --------------------------------------------------------------------------------------------


def test_it_has_every_methods_facts() -> None:
    plain = [
        {
            **one,
            "abilities": [{name: ability[name] for name in ("name", "words", "how")} for ability in one["abilities"]],
        }
        for one in COMMITTED["methods"]
    ]
    assert plain == FACTS, AGAIN
    assert list(ROWS) == list(METHODS)
    assert (COMMITTED["schema"], COMMITTED["kind"], COMMITTED["frameworks"]) == (SCHEMA, "catalog", ["torch", "jax"])


def test_it_was_made_from_these_methods() -> None:
    """What takes long to try is not tried here: a change of any method needs the whole of it again."""
    assert COMMITTED["impls"] == sources.impls_digest(), AGAIN


@pytest.mark.parametrize("framework", COMMITTED["frameworks"])
def test_nothing_in_it_is_wrong(framework: str) -> None:
    for (method, name), ability in ABILITIES.items():
        found = Outcome(**ability[framework])
        assert found.outcome in (YES, NO, REFUSED), f"{method}, {name}: {found.reason}"
        assert bool(found.reason) == (found.outcome != YES)
        assert without_paths(found.reason) == found.reason
        assert "\n" not in found.reason


@pytest.mark.parametrize("framework", COMMITTED["frameworks"])
def test_the_catalogues_claims_are_what_was_found(framework: str) -> None:
    """Exact or not, forward mode, and the solvers that fit."""
    for method, row in METHODS.items():
        able = {
            name for (whose, name), one in ABILITIES.items() if whose == method and one[framework]["outcome"] == YES
        }
        assert "reverse" in able
        assert ("true" in able) == row.exact
        if row.interface == "adjoint":
            assert ("forward" in able) == row.forward_mode
            assert {name for name in able if name.startswith("solver=")} == {f"solver={name}" for name in row.solvers}


# Tried again --------------------------------------------------------------------------------------------------------


def quick(framework: str, method: str, ability: dict[str, Any]) -> bool:
    """What takes no seconds of compiling, which in jax each loop does."""
    if framework == "torch":
        return not ability["name"].startswith("compiled")
    refused = ability["jax"]["outcome"] == REFUSED
    if method in ("unrolled", "ift_reused", "forward_gradient"):
        return refused and ability["name"].startswith("solver=")
    return refused or ability["name"] in ("reverse", "true")


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_what_is_quick_to_try_is_as_committed(framework: str) -> None:
    wanted = {key: ability for key, ability in ABILITIES.items() if quick(framework, key[0], ability)}
    found = measure(framework, lambda method, name: (method, name) in wanted)
    assert sum(map(len, found.values())) == len(wanted) > 12
    for (method, name), ability in wanted.items():
        committed, now = Outcome(**ability[framework]), found[method][name]
        # What a framework says of itself may change with its version; what we say may not.
        same = now == committed if REFUSED in (now.outcome, committed.outcome) else now.outcome == committed.outcome
        assert same, f"{framework}, {method}, {name}: {now}, committed {committed}. {AGAIN}"


def test_a_second_derivative_without_its_guard_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("impls.torch.ops.first_order", lambda x, method: x.view_as(x))
    forms = ("reverse_over_reverse", "reverse_over_forward")
    found = measure("torch", lambda method, name: method in ("ift", "jfb") and name in forms)
    assert {found[method][name].outcome for method in ("ift", "jfb") for name in forms} == {WRONG}


def test_a_gradient_off_by_little_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.capabilities.torch_calls import Calls

    right = Calls.reverse
    monkeypatch.setattr(Calls, "reverse", lambda *args: {name: 1.00000001 * g for name, g in right(*args).items()})
    found = measure("torch", lambda method, name: name in ("reverse", "forward", "linear_solver=gmres"))
    assert found["backprop"]["reverse"].outcome == YES  # of which the call itself is tried
    assert {found["ift"][name].outcome for name in ("reverse", "linear_solver=gmres")} == {WRONG}
    assert found["ift"]["forward"].outcome == YES


# The command --------------------------------------------------------------------------------------------------------


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """What worker processes would perform is performed here."""

    def measure(cells: Iterable[Cell], *, parts: Iterable[Part], **_: Any) -> Iterator[Visited]:
        for part in parts:
            answer = perform(part, Place(Path("none"))) | {"started": now(), "load": None}
            yield visit_row("0" * 12, Visit(part, "part", 0), plain(answer), None, 0.0)

    monkeypatch.setattr(run, "measure", measure)


@pytest.mark.parametrize("outcome", [YES, WRONG])
def test_the_command(
    outcome: str,
    in_this_process: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def found(framework: str) -> Any:
        one = Outcome(outcome, "Off by 0.4." if outcome == WRONG and framework == "jax" else "")
        plain = {row["name"]: {ability["name"]: Outcome(YES) for ability in row["abilities"]} for row in FACTS}
        return plain | {"jfb": plain["jfb"] | {"forward": one if framework == "jax" else Outcome(YES)}}

    monkeypatch.setattr(trying, "measure", found)
    path = tmp_path / "new" / "catalog.json"
    status = main(["capabilities", "--out", str(path)])
    said = capsys.readouterr().out
    written = json.loads(path.read_text(encoding="utf-8"))
    assert status == (outcome == WRONG)
    assert ("wrong: jax, jfb, forward: Off by 0.4." in said) == (outcome == WRONG)
    assert [one["name"] for one in written["methods"]] == list(METHODS)
    assert written["methods"][-1]["abilities"][2]["jax"]["outcome"] == outcome
    assert written["methods"][-1]["abilities"][2]["torch"] == {"outcome": YES, "reason": ""}


def test_a_framework_that_fails_says_so_in_one_sentence(in_this_process: None) -> None:
    with pytest.raises(RuntimeError, match=r"^Trying nothing failed: ModuleNotFoundError: .*nothing_calls"):
        trying.in_processes(["nothing"])


def test_its_flags() -> None:
    assert parser().parse_args(["capabilities"]).out == Path("results/catalog.json")
    assert parser().parse_args(["capabilities", "--out", "a.json"]).out == Path("a.json")
