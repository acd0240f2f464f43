"""The page /trainer in Chromium: the guide's workflow, in both languages, on a desk and on a phone.

Chromium is Debian's, which .ci/run installs; where it is not there, these tests are skipped and say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import PlatformDatabase
from platforms import PLATFORMS
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, expect
from trainer_screenshots import CHROMIUM, DESKTOP, PHONE, chromium, served

from sessiondb.trainer.serve import Server
from sessiondb.trainer.store import View
from sessiondb.trainer.texts import Texts

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"no Chromium at {CHROMIUM}: apt-get install chromium"),
    pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str),
]

HOSTILE = """<script>alert(1)</script><img src=x onerror=alert(2)>'"{{ 7*7 }}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def server(installed_db: PlatformDatabase) -> Iterator[Server]:
    with served(installed_db.conninfo()) as server:
        yield server


class Watched:
    """A page that is watched: what it says on the console, what it asks of others, what axe finds."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.wrong: list[str] = []
        home = address.partition("/trainer")[0]
        page.on("console", lambda message: self.wrong.append(f"console {message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("dialog", self._dialog)
        page.on("request", lambda r: None if r.url.startswith(home) else self.wrong.append(f"asked elsewhere: {r.url}"))

    def _dialog(self, dialog: Dialog) -> None:
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def says(self, text: str) -> None:
        """Wait until the page says this, and check it."""
        expect(self.page.locator("main")).to_contain_text(text)
        self.look()

    def look(self) -> None:
        """Check the page that is shown."""
        self.page.wait_for_load_state()
        found = Axe().run(self.page).response["violations"]
        grave = [f"{v['id']}: {v['nodes'][0]['html']}" for v in found if v["impact"] in ("serious", "critical")]
        assert grave == []
        width: dict[str, Any] = self.page.evaluate(
            "({page: document.documentElement.scrollWidth, window: document.documentElement.clientWidth})"
        )
        assert width["page"] <= width["window"], "the page is wider than the window"
        self.is_calm()

    def is_calm(self) -> None:
        """Check what the browser says of the page that is shown."""
        self.page.wait_for_load_state()
        assert self.wrong == []


def enter(context: BrowserContext, server: Server) -> Watched:
    watched = Watched(context.new_page(), server.address)
    watched.page.goto(server.address)
    watched.page.wait_for_url("**/trainer/*/")
    return watched


@pytest.mark.parametrize(("width", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
@pytest.mark.parametrize("locale", ["en-GB", "fr-FR"])
def test_a_trainer_opens_a_session_adds_a_student_and_links_the_missing_work(
    browser: Browser, server: Server, installed_db: PlatformDatabase, locale: str, width: Any, scheme: Any
) -> None:
    t = Texts(locale[:2])
    with browser.new_context(viewport=width, locale=locale, color_scheme=scheme) as context:
        watched = enter(context, server)
        watched.says(t("overview_none"))
        _add_dmitri(watched, t)
        _open_a_session(watched, t)
        _link_what_is_missing(watched, t)
        _end_it(watched, t)
    with installed_db.connect() as connection:
        rows = connection.execute("SELECT title, status, created_by IS NOT NULL FROM sessions").fetchall()
    assert rows == [("Session Automne 2024", "completed", True)]


def _add_dmitri(watched: Watched, t: Texts) -> None:
    """By a name that is mistyped, then chosen."""
    page = watched.page
    page.get_by_role("link", name=t("orgs"), exact=True).click()
    watched.look()
    page.get_by_role("link", name="Atelier Nord").click()
    page.get_by_label(t("user_name")).fill("Dmitri Sokolof")
    page.get_by_role("button", name=t("add"), exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Dmitri Sokolov")
    watched.wrong.remove(next(w for w in watched.wrong if "409" in w))  # which Chromium reports
    watched.look()
    page.get_by_role("button", name=t("choose_person")).first.click()
    watched.says(t("done_added"))


def _open_a_session(watched: Watched, t: Texts) -> None:
    page = watched.page
    page.get_by_role("link", name=t("new")).first.click()
    watched.look()
    page.get_by_label(t("org")).select_option(label="Atelier Nord")
    page.get_by_label(t("course")).select_option(label="Data with SQL")
    page.get_by_role("button", name=t("continue")).click()
    watched.says(t("would_link", rows=t("n_rows", n=2), org="Atelier Nord"))
    page.get_by_label(t("title")).fill("Session Automne 2024")
    page.get_by_label(t("creator")).select_option(label=f"Ada Moreau ({t('role_trainer')})")
    page.get_by_label(t("link_now")).uncheck()
    page.get_by_role("button", name=t("create")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Session Automne 2024")


def _link_what_is_missing(watched: Watched, t: Texts) -> None:
    page = watched.page
    watched.says(t("remedy_link_why", org="Atelier Nord"))
    page.get_by_role("button", name=t("remedy_link_do")).click()
    watched.says(t("state_done"))
    watched.says(t("linked_n", n=2))
    page.get_by_role("link", name=t("to_session")).click()
    watched.says(t("unlinked_none"))
    students = page.get_by_role("table", name=t("in_session")).get_by_role("rowheader")
    expect(students).to_have_text(["Dmitri Sokolov dmitri@example.org"])


def _end_it(watched: Watched, t: Texts) -> None:
    page = watched.page
    page.get_by_role("button", name=t("see_first")).click()
    watched.says(t("status_keeps", enrollments=t("n_enrollments", n=1), submissions=t("n_submissions", n=1)))
    page.get_by_role("button", name=t("status_do")).click()
    watched.says(t("done_status"))
    page.get_by_role("link", name=t("sessions"), exact=True).click()
    row = page.get_by_role("row").filter(has_text="Session Automne 2024").get_by_role("cell")
    expect(row.nth(1)).to_contain_text(t.label("status", "completed"))
    expect(row.nth(3)).to_contain_text("1")
    watched.look()


def test_who_has_no_account_with_us_learns_how_to_come_in_and_the_address_is_good_once(
    browser: Browser, server: Server
) -> None:
    with browser.new_context(locale="fr-FR") as first, browser.new_context(locale="fr-FR") as second:
        enter(first, server)
        page = second.new_page()
        page.goto(server.address)
        expect(page.locator("main")).to_contain_text(Texts("fr")("denied_token"))
        page = first.new_page()
        page.goto(server.address)  # once more where it was good
        page.wait_for_url("**/trainer/*/")


def test_a_switch_changes_the_language_and_it_stays(browser: Browser, server: Server) -> None:
    with browser.new_context(locale="en-GB") as context:
        watched = enter(context, server)
        watched.page.get_by_role("link", name="Français").click()
        watched.page.get_by_role("link", name="Organisations").click()
        assert watched.page.get_attribute("html", "lang") == "fr"
        watched.look()


def test_a_button_pressed_twice_acts_once(browser: Browser, server: Server, installed_db: PlatformDatabase) -> None:
    with browser.new_context(locale="en-GB") as context:
        page = enter(context, server).page
        page.goto(server.address.partition("?")[0] + "new?org=atelier-nord&course=Data with SQL")
        page.get_by_role("button", name="Create the session").dblclick()
        page.wait_for_url("**/sessions/**")
        # and as an impatient browser without our script would do
        page.goto(server.address.partition("?")[0] + "new?org=atelier-nord&course=Python for beginners")
        page.evaluate("""async () => {
            const form = document.querySelector("form.stack");
            const send = () => fetch(form.action, {method: "POST", body: new URLSearchParams(new FormData(form))});
            await Promise.all([send(), send(), send()]);
        }""")
    with installed_db.connect() as connection:
        rows = connection.execute("SELECT count(*) FROM sessions GROUP BY course_id").fetchall()
    assert rows == [(1,), (1,)]


def test_the_keyboard_is_enough_and_no_script_is_needed(browser: Browser, server: Server) -> None:
    t = Texts("en")
    with browser.new_context(locale="en-GB", java_script_enabled=False) as context:
        page = enter(context, server).page
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name=t("skip"))).to_be_focused()
        page.goto(server.address.partition("?")[0] + "new?org=atelier-nord&course=Python for beginners")
        page.get_by_label(t("title")).press("Enter")
        expect(page.locator("main")).to_contain_text(t("state_done"), timeout=20_000)  # the page reloads itself
        page.keyboard.press("Tab")
        page.get_by_role("link", name=t("to_session")).press("Enter")
        expect(page.locator("main")).to_contain_text("Bruno Keller")


def test_what_takes_long_to_count_comes_later(
    browser: Browser, server: Server, installed_db: PlatformDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    with installed_db.connect() as connection:
        connection.execute(
            "INSERT INTO sessions (org_id, course_id, title) SELECT o.id, c.id, 'S' FROM orgs AS o, courses AS c"
            " WHERE o.slug = 'atelier-nord' AND c.title = 'Python for beginners'"
        )
    counted = View.quick_rows
    monkeypatch.setattr(View, "quick_rows", lambda *a, seconds=0, **b: counted(*a, **b) if seconds else None)
    with browser.new_context(locale="en-GB") as context, browser.new_context(java_script_enabled=False) as plain:
        page = enter(context, server).page
        expect(page.get_by_role("cell").last).to_have_text("4")
        plain.add_cookies(context.cookies())  # type: ignore[arg-type]
        page = plain.new_page()
        page.goto(server.address.partition("?")[0])
        page.get_by_role("cell").last.get_by_role("link").click()
        expect(page.get_by_role("cell").last).to_have_text("4")


def test_nothing_in_a_title_or_a_name_becomes_markup(
    browser: Browser, server: Server, installed_db: PlatformDatabase
) -> None:
    with installed_db.connect() as connection:
        for statement in (
            "UPDATE orgs SET name = %s || slug",
            "UPDATE courses SET title = %s || right(id::text, 1)",
            "UPDATE users SET full_name = %s || left(email, 1)",
            "UPDATE submissions SET content = %s",
        ):
            connection.execute(statement, [HOSTILE])
        connection.execute(
            "INSERT INTO sessions (org_id, course_id, title, status) SELECT o.id, c.id, %s, s.status FROM orgs AS o,"
            " courses AS c, (VALUES ('active'), ('active'), ('draft')) AS s (status)",
            [HOSTILE],
        )
    with browser.new_context(locale="en-GB", viewport=PHONE) as context:
        watched = enter(context, server)
        page = watched.page
        seen: set[str] = set()
        todo = [page.url]
        while todo:  # every page that a link leads to
            page.goto(todo.pop())
            watched.is_calm()
            assert page.locator("main script, main img").count() == 0
            assert "49" not in page.title()
            links = page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
            for link in {str(link).partition("#")[0] for link in links} - seen:
                kind = link.partition("?")[0].split("/")[-1]
                if "lang=" not in link and (len(seen) < 40 or kind in ("remove", "status")):
                    seen.add(link)
                    todo.append(link)
            for form in page.locator("form[method=get] button").all():
                if form.is_visible() and page.url.count("/sessions/"):
                    form.click()
                    watched.is_calm()
                    page.go_back()
        assert len(seen) > 20


def test_a_lost_database_is_said_and_the_page_recovers(browser: Browser, installed_db: PlatformDatabase) -> None:
    with served(installed_db.conninfo()) as server, browser.new_context(locale="en-GB") as context:
        page = enter(context, server).page
        with installed_db.cluster.connection.cursor() as cursor:
            cursor.execute(f'ALTER DATABASE "{installed_db.name}" CONNECTION LIMIT 0'.encode())
            cursor.execute(f'ALTER DATABASE "{installed_db.name}" ALLOW_CONNECTIONS false'.encode())
        try:
            page.reload()
            expect(page.locator("main")).to_contain_text(Texts("en")("lost"))
        finally:
            with installed_db.cluster.connection.cursor() as cursor:
                cursor.execute(f'ALTER DATABASE "{installed_db.name}" ALLOW_CONNECTIONS true'.encode())
                cursor.execute(f'ALTER DATABASE "{installed_db.name}" CONNECTION LIMIT -1'.encode())
        page.get_by_role("heading", name="Sessions").wait_for(timeout=20_000)  # by itself
