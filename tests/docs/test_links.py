"""Links between the pages lead somewhere; those to the network are not followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.markdown import PAGES, ROOT, anchors, links


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for link in links(page):
        if link.startswith(("https://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_relative_to(ROOT), f"{page.name}: {link} leads out of the repository"
        assert target.exists(), f"{page.name}: {link} leads to no file"
        if anchor:
            assert anchor in anchors(target), f"{page.name}: {link} leads to no heading"


def test_every_page_is_reached_from_readme() -> None:
    seen, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        seen.add(page)
        found = {(page.parent / link.partition("#")[0]).resolve() for link in links(page) if "://" not in link}
        todo += [one for one in found if one.suffix == ".md" and one.exists() and one not in seen]
    assert set(PAGES) - seen == set()


def test_anchors_are_as_on_github(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# What R is\n## R, and `more`: 5 %\n## What R is\n```\n# no heading\n```\n", encoding="utf-8")
    assert anchors(page) == {"what-r-is", "r-and-more-5-", "what-r-is-1"}
