"""Screenshots of the page /trainer with the school of ``--demo``: ``python tests/trainer_screenshots.py [FOLDER]``.

They are in docs/trainer/, for docs/trainer.md.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from sessiondb.trainer.demo import school
from sessiondb.trainer.serve import Server

CHROMIUM = "/usr/bin/chromium"
"""Debian's; Playwright never downloads one."""

FOLDER = Path(__file__).parents[1] / "docs" / "trainer"

DESKTOP = ViewportSize(width=1200, height=900)
PHONE = ViewportSize(width=390, height=844)


@contextmanager
def served(database: str) -> Iterator[Server]:
    """Serve the page while the block runs."""
    server = Server(database, None, 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, which refuses its sandbox to root."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def shoot(page: Page, folder: Path) -> None:
    """Walk through the pages as a trainer would who opens a group, and keep what is seen."""

    def keep(name: str, *, whole: bool = False) -> None:
        page.wait_for_load_state()
        page.screenshot(path=folder / f"{name}.png", full_page=whole)

    keep("overview", whole=True)
    page.get_by_role("link", name="New session").first.click()
    page.get_by_label("Organisation").select_option(label="Atelier Nord")
    page.get_by_label("Course").select_option(label="Data with SQL")
    page.get_by_role("button", name="Continue").click()
    keep("new-session")
    page.get_by_label("Link them").uncheck()
    page.get_by_role("button", name="Create the session").click()
    keep("session", whole=True)
    page.get_by_role("button", name="Link this work now").click()
    page.get_by_text("Everything that can be linked").wait_for()
    keep("linked")
    page.get_by_role("link", name="To the session").click()
    page.get_by_role("button", name="See what follows").click()
    keep("status")
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("link", name="Atelier Nord").click()
    keep("organisation")


def main(folder: Path) -> None:
    """Make all of them: desktop in English, the overview on a phone in French and in the dark."""
    folder.mkdir(parents=True, exist_ok=True)
    with school() as database, served(database) as server, chromium() as browser:
        context = browser.new_context(viewport=DESKTOP, locale="en-GB")
        page = context.new_page()
        page.goto(server.address)
        page.wait_for_url("**/trainer/*/")
        shoot(page, folder)
        cookies = context.cookies()
        phone = browser.new_context(viewport=PHONE, locale="fr-FR", color_scheme="dark")
        phone.add_cookies(cookies)  # type: ignore[arg-type]
        page = phone.new_page()
        page.goto(server.address.partition("?")[0])
        page.screenshot(path=folder / "phone.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
