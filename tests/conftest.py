"""Each of pytest-xdist's processes keeps to cores of its own, and with it all that its tests start.

Worker processes of ``bench`` take the first core that there is: those of two tests would share it while another idles.

There are three levels. Everything runs but what is marked ``long`` or ``longest``, and of a sweep that is marked
``few`` as many cases as it says; with ``GRADRATIO_LONG=1``, as ``.ci/run`` sets it, all but the ``longest``; with
``GRADRATIO_LONG=all``, as each week, all. Of what says no number of its own hypothesis tries more examples at each.
"""

from __future__ import annotations

import gc
import os
import re
from binascii import crc32
from collections import defaultdict
from importlib import util
from importlib.metadata import version

import pytest
from hypothesis import HealthCheck, settings

LEVEL = os.environ.get("GRADRATIO_LONG", "")
SKIPPED = {
    "": {"long": "set GRADRATIO_LONG=1 to run it, as .ci/run does", "longest": "set GRADRATIO_LONG=all to run it"},
    "all": {},
}.get(LEVEL, {"longest": "set GRADRATIO_LONG=all to run it, as each week"})
"""Markers of tests that are left out, each with what would run them."""

# No test is timed, and neither is the making of its examples, whose first takes seconds in a fresh checkout.
settings.register_profile(
    "untimed",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    max_examples={"": 25, "all": 200}.get(LEVEL, 100),
)
settings.load_profile("untimed")

# Most of what jax's tests take is compiling: it is not optimised, that of worker processes neither, and in these
# processes the newer of XLA's two code generators, which takes five times as long, is left aside. From jax 0.11.1 on
# there is that one alone, and an unknown flag ends the process. What counts bytes names its own options. At the level
# "all", each week, everything is compiled as it is when it is measured.
if LEVEL != "all":
    os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
    known = [int(digits) for digits in re.findall(r"\d+", version("jaxlib"))[:3]] if util.find_spec("jaxlib") else []
    if [0, 10] <= known < [0, 11, 1]:
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_use_fusion_emitters=false".strip()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        for marker, how in SKIPPED.items():
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=f"It takes long: {how}."))
    if not LEVEL and not (config.option.keyword or any("::" in one for one in config.args)):
        _leave_few(items)  # whoever names cases gets all of them


def _leave_few(items: list[pytest.Item]) -> None:
    """Of each sweep that is marked ``few`` as many cases as it says, always the same ones: one after another the case
    with the most words (methods, problems, dtypes, …) that no case before it has."""
    sweeps: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("few") and not any(item.get_closest_marker(marker) for marker in SKIPPED):
            sweeps[item.nodeid.partition("[")[0]].append(item)
    for sweep in sweeps.values():
        count: int = sweep[0].get_closest_marker("few").args[0]  # type: ignore[union-attr]
        left, seen = sorted(sweep, key=lambda item: crc32(item.nodeid.encode())), set[str]()
        for _ in range(min(count, len(left))):
            new = [len(words(item) - seen) for item in left]
            seen |= words(left.pop(new.index(max(new))))
        for item in left:
            item.add_marker(pytest.mark.skip(reason=f"Of this sweep {count} cases run: {SKIPPED['long']}."))


def words(item: pytest.Item) -> set[str]:
    """Of what a case of a sweep is: ``tanh``, ``ift`` and ``float32`` of ``test_it[tanh-ift-float32]``."""
    return set(re.split(r"[-\]]", item.nodeid.partition("[")[2]))


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
