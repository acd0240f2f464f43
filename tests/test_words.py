"""Pages, SQL, messages and comments say "platform", "they", "fix" and "no session", as a technical writer would."""

from __future__ import annotations

import re
from pathlib import Path

from test_docs import COMMANDS

ROOT = Path(__file__).parents[1]

WRONG = re.compile(
    r"\b(?:he|him|his|himself|mend(?:s|ed|ing)?|(?:some|no|any|every)body(?:'s)?|whoever|anew|lest|betray(?:s|ed)?"
    r"|for want of|dear(?:er|ly)?|to be had|at the desk|goes on (?:there|where)|as shipped|(?:the|our|your) host|host(?:'s)? (?:tables?|schema|application)|tells?)\b",
    re.IGNORECASE,
)
ALLOWED = re.compile(r"account nobody\b|\"nobody\"")
"""The Unix account."""


def wrong(text: str) -> list[str]:
    return [match[0] for match in WRONG.finditer(ALLOWED.sub("", text))]


def test_pages_and_sources_use_the_words_of_a_technical_writer() -> None:
    sources = [*ROOT.glob("src/sessiondb/**/*.py"), *ROOT.glob("sql/**/*.sql"), ROOT / "sql" / "objects.toml"]
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *sources]

    found = [
        f"{path.relative_to(ROOT)}:{number}: {word}"
        for path in pages
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        for word in wrong(line)
    ]

    assert len(sources) > 200
    assert found == []


def test_help_uses_the_words_of_a_technical_writer() -> None:
    for of_path in COMMANDS.values():
        texts = [of_path.help or "", *(getattr(option, "help", None) or "" for option in of_path.params)]
        assert wrong(" ".join(texts)) == []


def test_the_words_are_matched_precisely() -> None:
    found = ["He", "tells", "nobody", "whoever", "mends", "the host"]
    assert wrong("He tells nobody; whoever mends the host's table") == found
    assert wrong("--postgresql-host names a server; PGHOST, host=db, user@host, a host with ports; the others") == []
