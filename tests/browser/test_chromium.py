"""Where no browser or no driver starts, tests of the page are skipped with the reason, or fail where one is needed."""

from __future__ import annotations

import shutil
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.browser import chromium


def starts(command: Path) -> Any:
    """A driver whose browser is started as Playwright starts it: by its path, with an error that says what it said."""

    def launch(executable_path: str, **more: Any) -> Any:
        raise RuntimeError(f"Failed to launch {executable_path}: error while loading shared libraries.\nCall log: -")

    return nullcontext(SimpleNamespace(chromium=SimpleNamespace(launch=launch)))


class Broken:
    """A driver that ends at once, as Node.js does without libatomic.so.1."""

    def __enter__(self) -> None:
        raise RuntimeError("Connection closed while reading from the driver")

    def __exit__(self, *error: object) -> None:
        raise AssertionError("It was never open.")


@pytest.mark.parametrize("required", [False, True])
@pytest.mark.parametrize("missing", ["driver", "browser", "library"])
def test_what_does_not_start_is_a_reason(
    missing: str, required: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    command = tmp_path / "chromium"
    command.touch(0o755)
    monkeypatch.setattr(sync_api, "sync_playwright", lambda: Broken() if missing == "driver" else starts(command))
    monkeypatch.setattr(shutil, "which", lambda name: None if missing == "browser" else str(command))
    monkeypatch.setenv(chromium.REQUIRED, "required" if required else "")
    reason = {
        "driver": r"Playwright's driver does not start \(Connection closed .*\): it needs libatomic",
        "browser": r"No browser is on the PATH .*: install Debian's package chromium\.",
        "library": r"does not start \(Failed to launch .*loading shared libraries\): call it by hand",
    }[missing]
    outcome = pytest.fail.Exception if required else pytest.skip.Exception
    with pytest.raises(outcome, match=reason), chromium.browser():
        raise AssertionError("There is none.")


def test_an_error_of_a_test_is_no_missing_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    monkeypatch.setattr(sync_api, "sync_playwright", lambda: nullcontext(SimpleNamespace()))
    monkeypatch.setattr(chromium, "launched", lambda playwright: SimpleNamespace(close=lambda: None))
    with pytest.raises(ValueError, match="of the test"), chromium.browser():
        raise ValueError("of the test")
