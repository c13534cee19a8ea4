"""The answer as a part of the page, as Markdown and as data."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from reports import Results, cells
from reports.answer import markdown, part
from reports.answer.answer import Content
from reports.answer.names import listed
from reports.answer.sentences import jfb, random
from reports.frame import samples
from reports.part import Part
from reports.template import render
from tests.reports.answer.made_up import lengths, nets, solves, sweep
from tests.reports.answer.worlds import UNROLLED, cell, layer, papers, parted, picard
from tests.reports.answer.worlds import frame as frame_of
from tests.reports.reader import Reader
from tests.rows import Row, exact

GOLDEN = Path(__file__).with_name("golden.md")
EVERY = {"results", "memory", "precision", "papers"}
TIED = "Their costs are not told apart, and none has less error or less memory without more of the other."
HOSTILE = ("</td><script>alert(1)</script>", "a|b | c", "$x^{", "{{ 7 * 7 }}", "W" * 64)


def of_suite(results: Results, evidence: set[str]) -> Part:
    """The answer of the fixed suite."""
    return part(cells(results), samples(results), None, evidence, results.run)


def test_markdown_of_a_fixed_suite(results: Results) -> None:
    """The text is committed: whoever changes it sees each answer change."""
    assert markdown(of_suite(results, EVERY)) + "\n" == GOLDEN.read_text(encoding="utf-8")


def test_html_of_a_fixed_suite_nests_and_links_to_evidence(results: Results) -> None:
    found = Reader(render(of_suite(results, {"results", "memory"})))
    assert found.ids == ["answer"]
    links = {named["href"] for tag, named in found.tags if tag == "a"}
    assert links == {"#results", "#memory", "data/answer.csv"}
    assert found.headings == [2]


def test_the_part_and_its_content_have_one_markdown() -> None:
    found = parted(solves(0.95))
    assert isinstance(found.content, Content) and markdown(found) == markdown(found.content)


def test_undecided_situations_are_rows_with_a_reason_and_a_command() -> None:
    found = parted([])
    lines = markdown(found).splitlines()
    assert len(lines) == 8
    assert all("not decided by these results: no cell fits; to measure it: `make report`" in one for one in lines[2:])
    assert render(found).count("Not decided by these results") == 6
    assert list(found.data["answer"]["method"].isna()) == [True] * 6


def test_ties_are_rows_of_data_each() -> None:
    rows = [*layer(UNROLLED, 2.01, 1e-6), *layer(picard(9), 2.0, 1e-6)]
    found = parted(rows)
    ours = found.data["answer"].query("situation == 'Implicit layer, γ at least 0.95'")
    assert list(ours["method"]) == ["IFT, Picard", "unrolled"]
    assert list(ours["notes"]) == [TIED] * 2
    assert "IFT, Picard</strong> or" in render(found)
    assert "IFT, Picard (K 100, M 9) or unrolled (K 100)" in markdown(found)


def test_times_in_another_forward_are_called_so_and_r_is_data() -> None:
    found = parted(lengths(), None, EVERY)
    source, text = render(found), markdown(found)
    assert ">forwards of K = 100, no R</small>" in source and " forwards of K = 100, no R |" in text
    assert "forwards of K = 100 (R)</small>" in source and " forwards of K = 100 |" in text, (
        "the accurate one has K 100"
    )
    data = found.data["answer"].set_index("situation")
    near = data.loc["Implicit layer, γ at least 0.95"]
    assert near["cost"] == pytest.approx(0.3, rel=0.05) and near["R"] == pytest.approx(3.0, rel=0.05)
    assert near["cost_unit"] == "forwards of K = 100, no R"
    assert data.loc["Accuracy-critical, implicit layer", "cost_unit"] == "forwards of K = 100"


def test_the_reasons_are_closed_rows_one_a_situation() -> None:
    source = render(parted([*solves(0.95), *solves(0.5), *nets(3, 2.5, 1.5)]))
    assert source.count("<summary>Why, and what else was measured</summary>") == 4
    assert "<details open" not in source
    assert "JFB takes 1.10" in source and "Forward gradients take 1.50" in source


def test_intervals_are_plain_in_markdown_and_what_others_wrote_is_escaped() -> None:
    lines = [*cell(("a[b](c)", {}), 1.5, 1e-6, problem="tanh", sizes={"gamma": 0.99}), *layer(UNROLLED, 3.0, 1e-6)]
    lines += cell(("jfb", {}), 1.5, 0.5, problem="tanh", sizes={"gamma": 0.99})
    text = markdown(parted(lines))
    assert "a\\[b\\](c)" in text and " 1.50 [1." in text


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(name: str) -> None:
    rows = [*cell((name, {}), 1.5, 1e-6, problem="tanh", sizes={"gamma": 0.99, name[:40]: name})]
    rows += [*cell(("jfb", {}), 1.5, 1e-6, problem="tanh", sizes={"gamma": 0.99, name[:40]: name})]
    found = parted(rows, papers(rows), EVERY)
    assert any(answer.winners for one in found.content.situations for answer in one.answers)
    source = Reader(render(found))
    assert not [tag for tag, _ in source.tags if tag == "script"]
    table = [line for line in markdown(found).splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in table}) == 1


@pytest.mark.parametrize(("K", "gamma", "ratio"), list(product((1.5, "x", -5), (1e15, "0.99", -1), (1e-6, 1e6))))
def test_odd_settings_break_nothing(K: object, gamma: object, ratio: float) -> None:
    sizes = {"gamma": gamma, "batch": "many", "depth": "deep"}
    rows: list[Row] = []
    for method in ("backprop", "jfb"):
        rows += cell((method, {"K": K}), ratio, 1e-6, problem="tanh", sizes=sizes)
    found = parted(rows, papers(rows))
    assert render(found) and markdown(found)


def test_what_holds_in_all_is_computed_from_the_rows() -> None:
    rows = [row for fw in ("torch", "jax") for gamma in (0.5, 0.95) for row in solves(gamma, framework=fw)]
    found = parted([*rows, *nets(3, 2.5, 1.5), *sweep()]).content.sentences
    assert found[0] == "torch and jax name the same methods in all 3 situations that they share."
    assert found[1] == (
        "Peak memory grows with K for unrolled and stays the same to the byte as K grows for IFT (Picard) and JFB, in "
        "torch."
    )
    assert found[2].startswith("JFB takes 1.10 forwards (R), and its gradient error is 0.500 to 0.600 in torch and jax")
    assert found[3].startswith("A forward gradient is unbiased, but the error of one draw is 1.0 times √n")
    assert len(found) == 4


def test_errors_of_jfb_along_k_are_those_of_one_layer() -> None:
    rows = [
        exact(9, problem="tanh", method=("jfb", {"K": K}), sizes={"gamma": gamma}, values={"gradient_error": error})
        for K, gamma, error in ((5, 0.8, 0.5), (80, 0.8, 0.4), (9, 0.9, 0.7))
    ]
    told = jfb(frame_of(rows).to_dict("records"))
    assert told == "JFB’s gradient error is 0.400 to 0.700 in torch; from K = 5 to 80 it goes from 0.500 to 0.400."


def test_errors_of_jfb_along_k_are_those_of_one_dtype_and_one_set_of_options() -> None:
    rows = [
        exact(9, problem="tanh", method=("jfb", {"K": K, "solver": solver}), dtype=dtype, values={"gradient_error": e})
        for K, solver, dtype, e in ((5, "picard", "float32", 0.5), (80, "anderson", "float32", 0.4))
    ]
    assert "; from K" not in jfb(frame_of(rows).to_dict("records"))
    other = exact(9, problem="tanh", method=("jfb", {"K": 90, "solver": "picard"}), dtype="float64")
    other["values"]["gradient_error"] = 0.3
    assert "; from K" not in jfb(frame_of([rows[0], other]).to_dict("records"))


def test_where_nothing_was_compared_the_row_says_so() -> None:
    found = parted([*nets(3, 2.5, 1.5), *solves(0.95)])
    remark = "the only exact method measured"
    assert render(found).count(f">{remark}</small>") == 1
    assert [line.split(" | ")[2] for line in markdown(found).splitlines() if remark in line] == [f"backprop ({remark})"]


def test_several_tangents_are_no_single_draw() -> None:
    rows = list(cell(("forward_gradient", {"tangents": "given", "count": 16}), 9.0, 250.0))
    assert random(frame_of(rows).to_dict("records")) == ""


def test_lists_of_names_that_hold_commas() -> None:
    assert listed(["JFB"]) == "JFB"
    assert listed(["IFT, Picard", "IFT, GMRES", "unrolled", "JFB"]) == "IFT (Picard, GMRES), unrolled and JFB"
    assert listed(["forward gradient", "forward gradient, tangents given"]) == (
        "forward gradient and forward gradient (tangents given)"
    )
