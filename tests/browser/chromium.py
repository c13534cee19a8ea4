"""The system's own Chromium, driven without a network; Playwright's browsers are never downloaded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
REQUIRED = "GRADRATIO_BROWSER"
"""Set to "required", a missing browser is a failure instead of a skipped test."""


def launched(playwright: Any) -> Any:
    """A browser, or the test is skipped with what to install."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        _without(f"No browser is on the PATH ({', '.join(NAMES)}): install Debian's package chromium.")
    flags = ["--no-sandbox", "--disable-gpu"]
    try:
        return playwright.chromium.launch(executable_path=found, args=flags, headless=True)
    except Exception as error:
        _without(f"The browser {found} does not start ({_first_line(error)}): call it by hand to see why.")


@contextmanager
def browser() -> Iterator[Any]:
    """A browser for some tests; it and Playwright's event loop end with them."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _without("Playwright is not installed: pip install playwright (its own browsers are not needed).")
    driver = sync_playwright()
    try:
        playwright = driver.__enter__()
    except Exception as error:  # its own Node.js ends at once where a library is missing
        _without(
            f"Playwright's driver does not start ({_first_line(error)}): it needs libatomic.so.1, Debian's package "
            "libatomic1."
        )
    try:
        found = launched(playwright)
        yield found
        found.close()
    finally:
        driver.__exit__(None, None, None)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _without(reason: str) -> NoReturn:
    (pytest.fail if os.environ.get(REQUIRED) == "required" else pytest.skip)(reason)


@dataclass
class Seen:
    """A page that was opened, and everything that it asked for or complained of."""

    page: Any
    address: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@contextmanager
def opened(browser: Any, path: Path, width: int = 1440, script: bool = True) -> Iterator[Seen]:
    """A file in a fresh context without a network, loaded; its folded parts are unfolded."""
    context = browser.new_context(
        offline=True, java_script_enabled=script, viewport={"width": width, "height": 900}, reduced_motion="reduce"
    )
    seen = Seen(context.new_page(), path.resolve().as_uri())
    seen.page.on("request", lambda request: seen.requests.append(request.url))
    seen.page.on("console", lambda said: _heard(seen, said))
    seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    seen.page.on("dialog", lambda dialog: _closed(seen, dialog))
    seen.page.goto(seen.address)
    seen.page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    yield seen
    context.close()


def _heard(seen: Seen, said: Any) -> None:
    if said.type in ("error", "warning"):
        seen.complaints.append(said.text)


def _closed(seen: Seen, dialog: Any) -> None:
    seen.complaints.append(f"dialog: {dialog.message}")
    dialog.dismiss()
