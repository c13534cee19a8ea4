"""The page with the section on the papers' experiments, and what the command line makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports import Results
from reports.__main__ import main
from reports.claims import CLAIMS
from reports.claims.verdict import VERDICTS
from reports.draw import Drawing
from reports.page import write as write_page
from reports.paper_page import MARKS, Section, answers, section
from reports.parts import Sources
from tests.reports.reader import Reader, data
from tests.rows import papers, part, run, timed, write

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def with_papers(results: Results, whole: Section, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(Sources(results, whole), tmp_path_factory.mktemp("page"))


def test_every_claim_stands_on_the_page_with_its_verdict_and_every_figure_is_there(
    with_papers: Path, whole: Section, drawn: list[tuple[str, Drawing]]
) -> None:
    reader = Reader(with_papers.read_text(encoding="utf-8"))
    assert len(reader.ids) == len(set(reader.ids))
    assert {f"claim-{claim.name}" for claim in CLAIMS} <= set(reader.ids)
    assert {f"figure-{drawing.name}" for _, drawing in drawn} <= set(reader.ids)
    links = {named["href"] for tag, named in reader.tags if tag == "a"}
    assert {href[1:] for href in links if href.startswith("#")} <= set(reader.ids)
    assert all((with_papers.parent / href).exists() for href in links if href.startswith("data/"))
    verdicts = [cells[-1][1].split("\n")[0].strip() for cells in reader.rows if len(cells) == 3]
    for one in whole.claims:
        assert any(text.startswith(f"{MARKS[one.verdict]} {one.said}") for text in verdicts), one.claim.name
    assert sum(count for _, count in whole.counts) == len(CLAIMS) and set(MARKS) == set(VERDICTS)


def test_the_data_of_a_claim_are_its_cases(with_papers: Path, whole: Section) -> None:
    rows = data(with_papers, "papers-claims")
    assert len(rows) == len(answers(whole.claims)) == sum(len(one.cases) for one in whole.claims) > 100
    assert {row["obeys"] for row in rows} <= {"yes", "no", "undecided"}


def test_hostile_names_stay_text(results: Results, tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    rows = [part("accuracy", [], status="failed", reason=evil, method=evil), part(evil, [{"k": 1, "x": evil}])]
    found = papers(parts=rows, preset=evil)
    found.results.files.append(evil)
    written = write_page(Sources(results, section(found)), tmp_path).read_text(encoding="utf-8")
    assert "&lt;script&gt;" in written and written.count("<script") == 1
    Reader(written)


def test_a_page_without_experiments_has_no_such_section(source: str) -> None:
    assert 'id="papers"' not in source and "claim-" not in source


def test_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "results" / "local" / "quick.jsonl", [run(), timed(2.0)])
    assert main(["--papers-markdown"]) == 2 and "run `make experiments` first" in capsys.readouterr().err
    lines = [
        {"method": method, "total_lines": count, "linear_solver": ""} for method, count in (("jfb", 5), ("ift", 50))
    ]
    write(
        tmp_path / "results" / "local" / "papers-quick.jsonl", [run(preset="papers-quick"), part("code_lines", lines)]
    )
    page = Path("reports/html/index.html")
    assert main(["--papers", "none"]) == 0 and 'id="papers"' not in page.read_text(encoding="utf-8")
    assert main([]) == 0 and 'id="papers"' in page.read_text(encoding="utf-8")
    capsys.readouterr()
    assert main(["--papers-markdown"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("# The papers' claims, measured again\n") and "results/local/papers-quick.jsonl" in told
    assert sum(line.startswith("| ") for line in told.splitlines()) > len(CLAIMS)
