"""One part of an experiment in a worker process: whatever goes wrong becomes a status."""

from __future__ import annotations

from typing import Any

from bench.experiments.catalog import Place, module
from bench.failures import failure
from bench.instruments.machine import Watch
from bench.plan import Part
from bench.visit import Answer


def perform(part: Part, place: Place, *, visible_gpu: str | None = None) -> Answer:
    """Status, reason, records and conditions of one part; a record holds numbers and texts alone."""
    answer: dict[str, Any] = {"status": "ok", "reason": "", "records": []}
    try:
        with Watch(visible_gpu) as watch:
            records = module(part.experiment).perform(part, place)
        answer["records"], answer["conditions"] = [_flat(record) for record in records], watch.found
    except Exception as error:
        answer["status"], answer["reason"] = failure(error)
    return answer


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    for name, value in record.items():
        if isinstance(value, list | tuple | dict):
            raise TypeError(
                f"The record's {name!r} is a {type(value).__name__}: a table has one number or text a field."
            )
    return record
