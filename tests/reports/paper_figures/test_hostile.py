"""No table of records stops the figures, whatever stands in it."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports.paper_figures import FIGURES, figures
from tests.rows import Row, papers, part

NAMES = (
    *("what", "function", "method", "protocol", "rate", "seed", "data", "k", "kind", "problem", "gamma", "kappa"),
    *("iteration", "x", "y", "value", "loss", "test_error", "seconds", "ratio", "cosine", "worst", "K", "norm"),
    *("framework", "states", "parameters", "linear_solver", "code_lines", "solver_lines", "solver", "worker"),
    *("peak_bytes", "parameter_bytes", "depth", "width", "batch"),
)
WORDS = ("jfb", "backprop", "forward_gradient", "affine", "model", "replayed", "beale", "shared", "tuned", "run", "<b>")
ANY = st.none() | st.sampled_from((0, 1, -1, 2.5, 1e300, -1e300, 1e-300)) | st.sampled_from(WORDS)
TABLE = st.dictionaries(st.sampled_from(NAMES), ANY, max_size=10)
EXPERIMENTS = st.sampled_from(sorted({name for name, _ in FIGURES}))


FULL = st.fixed_dictionaries(dict.fromkeys(NAMES, ANY))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(EXPERIMENTS, TABLE, st.lists(TABLE, min_size=1, max_size=4) | st.lists(FULL, min_size=1, max_size=3))
def test_any_table_is_drawn_or_left_out(experiment: str, about: Row, records: list[Row]) -> None:
    small = {name: one for name, one in about.items() if isinstance(one, str) or (one is not None and abs(one) < 1e15)}
    row = part(experiment, [about | record for record in records]) | {"settings": small}
    for name, drawing in figures(papers(parts=[row])):
        assert name == experiment and drawing.svg.endswith("</svg>")
