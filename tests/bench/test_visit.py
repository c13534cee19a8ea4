"""One visit: the oracle comes first, and whatever goes wrong becomes a status with a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bench import worker as module
from bench.failures import Diverged, NotApplicable, Wrong
from bench.worker import visit
from tests.bench.instruments.test_timing import SECONDS, Device
from tests.bench.mutation import mutated


class Job(Device):
    """A job on the invented device, which writes down what is asked of it."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self.sizes, self.error, self.asked = {"width": 4}, error, []  # type: ignore[var-annotated]

    def check(self) -> float:
        self.asked.append("check")
        if self.error:
            raise self.error
        return 1e-7

    def forward(self) -> str:
        self.asked.append("forward")
        return self.call("one")

    def gradient(self) -> str:
        self.asked.append("gradient")
        return self.call("two")

    def exact(self) -> dict[str, Any]:
        self.asked.append("exact")
        return {"peak_bytes": 12}

    def values(self) -> dict[str, Any]:
        return {"compile_s": None}


LIMITS = {"budget_s": 0.0, "least": 3}


def test_a_good_visit_of_each_measure() -> None:
    job = Job()
    answer = visit(lambda: job, "time", clock=job.clock, **LIMITS)
    assert set(answer.pop("conditions")) >= {"load", "affinity", "cpu_share", "steal_share", "warnings"}
    assert answer == {
        "status": "ok",
        "reason": "",
        "sizes": {"width": 4},
        "samples": {"forward_s": [SECONDS["one"]] * 3, "gradient_s": [SECONDS["two"]] * 3},
        "values": {"compile_s": None, "overhead_s": 0.0, "oracle_deviation": 1e-7},
    }
    assert visit(Job, "exact") == {
        "status": "ok",
        "reason": "",
        "sizes": {"width": 4},
        "samples": {},
        "values": {"peak_bytes": 12, "oracle_deviation": 1e-7},
    }


def check_right_before_fast(visit: Callable[..., Any]) -> None:
    """A wrong gradient is called wrong and never measured; a right one is checked before anything else."""
    for measure in ("time", "exact"):
        job = Job(Wrong("off by 2"))
        answer = visit(lambda job=job: job, measure, clock=job.clock, **LIMITS)
        assert (answer["status"], answer["samples"], answer["values"]) == ("wrong", {}, {})
        assert job.asked == ["check"]
        job = Job()
        visit(lambda job=job: job, measure, clock=job.clock, **LIMITS)
        assert job.asked[0] == "check" and len(job.asked) > 1


def test_the_oracle_comes_first() -> None:
    check_right_before_fast(visit)


CHECK = "        deviation = job.check()"
ANSWER = '        answer["values"] = {**found, "oracle_deviation": deviation}'


def test_a_visit_without_the_oracle_check_is_noticed() -> None:
    with pytest.raises(AssertionError):
        check_right_before_fast(mutated(module, (CHECK, "        deviation = 0.0"))["visit"])


def test_a_visit_that_checks_too_late_is_noticed() -> None:
    late = (ANSWER, ANSWER.replace("deviation}", "job.check()}"))
    with pytest.raises(AssertionError):
        check_right_before_fast(mutated(module, (CHECK, "        pass"), late)["visit"])


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (Wrong("0.3 off its oracle"), "wrong", "0.3 off its oracle"),
        (Diverged("the loss is NaN"), "diverged", "the loss is NaN"),
        (NotApplicable("no dense solver for convolutions"), "n/a", "no dense solver for convolutions"),
        (MemoryError("Unable"), "oom", "MemoryError: Unable"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 B"), "oom", None),
        (ValueError("first\nsecond"), "failed", "ValueError: first"),
        (ValueError(), "failed", "ValueError: "),
        (OSError("no /home/someone/lib/x.so here"), "failed", "OSError: no x.so here"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_what_goes_wrong_becomes_a_status(error: Exception, status: str, reason: str | None) -> None:
    def failing() -> Job:
        raise error

    for factory in (failing, lambda: Job(error)):
        answer = visit(factory, "time")
        assert answer["status"] == status
        assert reason is None or answer["reason"] == reason
        assert (answer["samples"], answer["values"]) == ({}, {})


def test_an_unknown_measure_fails_with_a_sentence() -> None:
    assert visit(Job, "flops")["reason"] == "ValueError: No measure 'flops': known are time and exact."


def test_no_framework_was_needed() -> None:
    assert not {"torch", "jax"} & set(vars(module))
