"""What counts as a change of each tracked number."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest

from bench import suite
from reports.across.asv_files import FAILED, OK, Commit, Entry
from reports.across.names import Name, name
from reports.across.tracks import SAMPLED, SINGLE, TRACKS, step, track
from tests.reports.across.asv_made import BACKPROP_JAX, IFT

ROOT = Path(__file__).resolve().parents[3]


def drawn(*samples: float) -> Entry:
    """A number with samples."""
    return Entry(sorted(samples)[len(samples) // 2], OK, samples, "1")


def plain(value: float) -> Entry:
    """A number without."""
    return Entry(value, OK, (), "1")


LOST = Entry(math.nan, FAILED, (), "1")


@pytest.mark.parametrize(
    "short, earlier, newest, verdict",
    [
        ("R", drawn(2.0, 2.0), drawn(2.2, 2.2), "worse"),
        ("R", drawn(2.2, 2.2), drawn(2.0, 2.0), "better"),
        ("R", drawn(2.0, 2.0), drawn(2.08, 2.08), "same"),
        ("R", drawn(2.0, 2.0), drawn(1.0, 4.0), "not decided"),
        ("R", drawn(2.0), drawn(8.0), "not decided"),
        ("R", plain(2.0), plain(8.0), "not decided"),
        ("gradient_s", drawn(2.0, 2.0), drawn(2.16, 2.16), "same"),
        ("gradient_s", drawn(2.0, 2.0), drawn(2.3, 2.3), "worse"),
        ("compile_s", plain(2.0), plain(2.9), "same"),
        ("compile_s", plain(2.0), plain(3.1), "worse"),
        ("compile_s", plain(0.0), plain(3.1), "not decided"),
        ("peak_bytes", plain(10**9), plain(10**9 + 1), "worse"),
        ("flops", plain(10**9), plain(10**9 - 1), "better"),
        ("held_bytes", plain(0), plain(0), "same"),
        ("gradient_error", plain(1e-3), plain(1e-3 * (1 + 1e-8)), "worse"),
        ("gradient_error", plain(1e-3), plain(1e-3 * (1 + 1e-10)), "same"),
        ("something", plain(3), plain(2), "better"),
        ("something", drawn(2.0, 2.0), drawn(2.08, 2.08), "same"),
        ("R", drawn(2.0, 2.0), LOST, "worse"),
        ("flops", LOST, plain(5), "better"),
        ("flops", LOST, LOST, "same"),
    ],
)
def test_the_rule_of_each_number(short: str, earlier: Entry, newest: Entry, verdict: str) -> None:
    found = step(track(f"suite.TorchMlp.track_{short}")[1], earlier, newest, Commit("1" * 40, 0.0, {}))
    assert found.verdict == verdict and found.changed is (verdict in ("worse", "better"))
    assert found.status == ("" if earlier.status == newest.status else f"{earlier.status} → {newest.status}")


def test_every_number_of_the_suite_is_known() -> None:
    tracked = {each.removeprefix("track_") for each in dir(suite.TorchMlp) if each.startswith("track_")}
    assert tracked == set(TRACKS)


def test_margins_of_times_are_those_of_the_site() -> None:
    thresholds = json.loads((ROOT / "asv.conf.json").read_text(encoding="utf-8"))["regressions_thresholds"]
    for short, facts in TRACKS.items():
        if facts.kind in (SAMPLED, SINGLE):
            (found,) = [most for rule, most in thresholds.items() if re.search(rule, f"suite.TorchMlp.track_{short}")]
            assert found == facts.margin


def test_an_id_is_taken_apart() -> None:
    assert name(IFT) == Name("tanh", "batch 64, gamma 0.8, width 128", "IFT, GMRES", "K 20, M 10", "torch")
    assert name(BACKPROP_JAX) == Name("mlp", "batch 64, depth 3, width 512", "backprop", "", "jax")
    through = name("torch/compiled/cuda:0/float64/linear/forward_gradient×jfb(K=3)/seed=7")
    assert through == Name("linear", "", "forward gradient × JFB", "K 3", "torch compiled")
    assert name("<b>") == Name("", "", "<b>", "", "")
