"""Each of pytest-xdist's processes keeps to cores of its own, and with it all that its tests start.

Worker processes of ``bench`` take the first core that there is: those of two tests would share it while another idles.
What takes tens of seconds alone runs where ``GRADRATIO_LONG`` is set, as continuous integration does.
"""

from __future__ import annotations

import gc
import os

import pytest
from hypothesis import HealthCheck, settings

# No test is timed, and neither is the making of its examples, whose first takes seconds in a fresh checkout.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("GRADRATIO_LONG"):
        return
    skipped = pytest.mark.skip(reason="It takes long: set GRADRATIO_LONG=1 to run it, as .ci/run does.")
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(skipped)


def pytest_configure(config: pytest.Config) -> None:
    own = getattr(config, "workerinput", None)  # of one of several processes alone
    if own is None or not hasattr(os, "sched_setaffinity"):
        return
    number, count = int(own["workerid"].removeprefix("gw")), own["workercount"]
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[number::count] or {cores[number % len(cores)]})


@pytest.fixture(autouse=True, scope="module")
def few_objects_to_collect() -> None:
    """Garbage is collected before bytes or tensors are counted; the millions of objects of the frameworks and of tests
    before, which took most of a second each time, need no second look. What a test itself makes is looked at."""
    gc.collect()
    gc.freeze()
