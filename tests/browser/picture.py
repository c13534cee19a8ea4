"""The picture of the page in README: ``python -m tests.browser.picture`` draws the committed results and takes it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.browser.chromium import browser, opened
from tests.browser.pages import ROOT, committed

PICTURE = ROOT / "docs" / "page.png"
WIDTH, HEIGHT = 1160, 1560


def main() -> int:
    """Take it; the path on stdout."""
    with tempfile.TemporaryDirectory() as folder:
        page = committed(Path(folder))
        with browser() as found, opened(found, page, width=WIDTH) as seen:
            seen.page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = false; })")
            seen.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
            seen.page.screenshot(path=str(PICTURE))
    print(PICTURE.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
