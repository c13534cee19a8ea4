"""What the command line sets beside the grid's results: another file of them, models of one's own; and the browser."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import pytest

from reports.__main__ import main
from tests.reports.reader import Reader
from tests.rows import exact, run, timed, write

ALONE = ["--papers", "none", "--peers", "none"]
PAGE = Path("reports/html/index.html")


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results of two commits, and of a model that is none of the suite's."""
    monkeypatch.chdir(tmp_path)
    for name, ratio, day in (("a", 2.0, 1), ("b", 3.0, 2)):
        described = run(name * 12, started=f"2026-03-0{day}T10:00:00Z", impls=name * 12, workers=2)
        pairs = [timed(ratio, worker, run=name * 12) for worker in range(2)]
        write(tmp_path / f"{name}.jsonl", [described, *pairs, exact(10, run=name * 12)])
    mine = [timed(5.0, worker, noise=0, problem="mine <b>", sizes={"model": "0123abcd"}) for worker in range(2)]
    write(tmp_path / "own.jsonl", [run(preset="own"), *mine])


def parts() -> list[str]:
    """The page's sections in order; ids are unique and links inside it lead somewhere."""
    reader = Reader(PAGE.read_text(encoding="utf-8"))
    links = {named["href"][1:] for tag, named in reader.tags if tag == "a" and named["href"].startswith("#")}
    assert len(reader.ids) == len(set(reader.ids)) and links <= set(reader.ids)
    return [named["id"] for tag, named in reader.tags if tag == "section"]


def test_two_files_side_by_side() -> None:
    assert main([*ALONE, "--beside", "a.jsonl", "b.jsonl"]) == 0
    assert parts()[:3] == ["answer", "compared", "results"]
    compared = PAGE.read_text(encoding="utf-8").split('<section id="compared">')[1].split("</section>")[0]
    assert "a.jsonl" in compared and "b.jsonl" in compared and "1.5" in compared and "worse" in compared


def test_the_old_name_of_the_flag_does_the_same_and_says_the_new_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ALONE, "--compare", "a.jsonl", "b.jsonl"]) == 0
    assert parts()[:3] == ["answer", "compared", "results"]
    assert capsys.readouterr().err == "--compare is --beside now.\n"


def test_a_file_that_cannot_be_compared_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    for other in ("a.jsonl", "own.jsonl", "none.jsonl"):
        assert main([*ALONE, "--beside", "a.jsonl", other]) == 2
        told = capsys.readouterr()
        assert told.out == "" and len(told.err.splitlines()) == 1 and told.err.endswith(".\n")


def test_own_models_stand_beside_the_suite_s_and_out_of_its_answer() -> None:
    assert main([*ALONE, "--results", "a.jsonl", "--own", "own.jsonl"]) == 0
    assert parts()[:3] == ["answer", "own", "results"]
    source = PAGE.read_text(encoding="utf-8")
    own = source.split('<section id="own">')[1].split("</section>")[0]
    assert "mine &lt;b&gt;" in own and ">5.00<" in own
    assert "mine" not in source.split('<section id="answer">')[1].split("</section>")[0]


def test_own_models_alone_decide_nothing_in_general() -> None:
    assert main([*ALONE, "--results", "own.jsonl"]) == 0
    assert parts()[0] == "results"


def test_the_page_is_opened_where_there_is_a_browser(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []
    for found in (True, False):
        monkeypatch.setattr(webbrowser, "open", lambda address, found=found: asked.append(address) or found)
        assert main([*ALONE, "--results", "a.jsonl", "--open"]) == 0
        assert ("No browser was found" in capsys.readouterr().err) is not found
    assert asked == [PAGE.resolve().as_uri()] * 2
