"""The page of 100 000 pairs of times: how much memory it takes, and how large it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reports.large import WORKERS, measure, rows


@pytest.mark.long
def test_a_page_of_100_000_pairs_fits(tmp_path: Path) -> None:
    found = measure(tmp_path)
    print(f"{found.pairs} pairs: {found.seconds:.1f} s, {found.peak_bytes / 1e6:.0f} MB.")
    assert found.pairs >= 100_000
    assert 50e6 < found.peak_bytes < 1e9
    assert found.page_bytes < 5e6
    lines = (tmp_path / "page" / "data" / "samples.csv").read_text(encoding="utf-8").count("\n")
    assert lines == found.pairs + 1


def test_they_are_spread_as_in_a_real_run() -> None:
    made = list(rows())[1:]
    cells = {row["cell"] for row in made}
    assert len(made) == len(cells) * (WORKERS + 1) == 207 * 9
