"""What users see says "platform", "they", "fix" and "no session": the words that CONTRIBUTING.md asks for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from test_docs import COMMANDS

ROOT = Path(__file__).parents[1]

WRONG = re.compile(
    r"\b(?:he|him|his|himself|mend(?:s|ed|ing)?|(?:some|no|any|every)body(?:'s)?|whoever|anew|lest|betray(?:s|ed)?"
    r"|for want of|dear(?:er|ly)?|as shipped|(?:the|our|your) host|host(?:'s)? (?:tables?|schema|application)|tells?)\b",
    re.IGNORECASE,
)
ALLOWED = re.compile(r"account nobody\b|^nobody$")
"""The Unix account."""


def wrong(text: str) -> list[str]:
    return [match[0] for match in WRONG.finditer(ALLOWED.sub("", text))]


def literals(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_pages_and_sql_use_the_words_of_a_technical_writer() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("sql/**/*.sql"), ROOT / "sql" / "objects.toml"]

    found = [
        f"{path.relative_to(ROOT)}:{number}: {word}"
        for path in pages
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        for word in wrong(line)
    ]

    assert found == []


def test_messages_and_docstrings_use_the_words_of_a_technical_writer() -> None:
    sources = [*ROOT.glob("src/sessiondb/**/*.py")]

    assert len(sources) > 20
    assert [
        f"{path.relative_to(ROOT)}: {word} in {text!r}"
        for path in sources
        for text in literals(path)
        for word in wrong(text)
    ] == []


def test_help_uses_the_words_of_a_technical_writer() -> None:
    for of_path in COMMANDS.values():
        texts = [of_path.help or "", *(getattr(option, "help", None) or "" for option in of_path.params)]
        assert wrong(" ".join(texts)) == []


def test_the_words_are_matched_precisely() -> None:
    found = ["He", "tells", "nobody", "whoever", "mends", "the host"]
    assert wrong("He tells nobody; whoever mends the host's table") == found
    assert wrong("--postgresql-host names a server; PGHOST, host=db, user@host, a host with ports; the others") == []
