"""Results on stdout, as a table, CSV or one JSON document; everything else on stderr."""

from __future__ import annotations

import contextlib
import csv
import datetime
import itertools
import json
import math
import os
import re
import shutil
import sys
import textwrap
import time
import unicodedata
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TextIO

from sessiondb.errors import STATEMENTS
from sessiondb.passwords import SECRETS, without_passwords

if TYPE_CHECKING:
    import rich.progress

Row = Mapping[str, Any]

INVISIBLE = (
    # control characters, and those that end a line
    r"\x00-\x1f\x7f-\x9f\u2028\u2029"
    # characters without width, or that change the direction or the form of their neighbours
    r"\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd"
    r"\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    # characters that some terminals draw wider than others
    r"\u302e\u302f\u3248-\u324f\u4dc0-\u4dff\U0001f3fb-\U0001f3ff"
)
"""The ranges of a regular expression, for Python and for PostgreSQL."""


def visible(text: str) -> str:
    """Return a text on one line, with escapes for characters that control a terminal, move others or are invisible.

    A user may have written these into a row to forge a line or to make the output misleading.
    """
    return re.sub(f"[{INVISIBLE}]", _escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode()


def shown(value: object) -> str:
    """Return a value as it is printed: on one line and without a password that the user gave."""
    return visible(SECRETS.hide(str(value)))


def note(line: str) -> None:
    """Print a line of progress or advice on stderr, wrapped on a terminal; work continues if it cannot be written."""
    text = visible(without_passwords(SECRETS.hide(line)))
    _print_note(_fitted(text) if sys.stderr.isatty() else text)


def note_json(document: Any) -> None:
    """Print a value on stderr as one JSON document on one line."""
    _print_note(_json(document))


def _print_note(text: str) -> None:
    try:
        print(text, file=sys.stderr, flush=True)  # noqa: T201
    except OSError:
        write_no_more(sys.stderr)


_TO_PASTE = re.compile(
    rf"""(\s*(?:(?:fix|hint|Run): (?:[^:"']+: )?|(?:Then|Or|If)\b[^:"']*: ))((?:sessiondb|{STATEMENTS}) .*)"""
)
"""A line of ours with a command; elsewhere what looks like one may be a name or a query of another role."""

_QUOTED = re.compile(r"""(?<!\w)E?(["'])(?:(?!\1).|\1\1)*\1""")

_DEEPER = " " * 8
"""What begins the other lines of a note: no command stands so deep, but words of a name may."""


def _fitted(line: str) -> str:
    """Return a line wrapped to the terminal; a command at its end is not cut, for it is to be pasted."""
    width = shutil.get_terminal_size().columns
    if len(_in_cells(line)) <= width:
        return line
    ends = _TO_PASTE.fullmatch(line)
    said, command = ends.groups() if ends else (line, "")
    margin = " " * (len(line) - len(line.lstrip()) + 2)
    return "\n".join([*_lines(said, width, margin=_DEEPER), *([margin + command] if command else [])])


def _lines(text: str, width: int, lead: str = "", margin: str = "") -> list[str]:
    """Wrap a text, what is in quotes only where it is wider than a line.

    Nothing is left for the terminal to wrap: it would begin a line at the left with whatever is next, blanks included,
    so that a name of the right length could bring a command of its own.
    """
    wrapper = textwrap.TextWrapper(width, lead, margin, break_on_hyphens=False)
    whole = _QUOTED.sub(lambda quoted: quoted[0].replace(" ", "\0"), text)
    return [line.replace("\1", "").replace("\0", " ") for line in wrapper.wrap(_in_cells(whole))]


def _in_cells(text: str) -> str:
    """Return a text with a character for each cell of the terminal: one more after a wide one."""
    return re.sub("[\u1100-\U0010ffff]", lambda c: c[0] + "\1" * (unicodedata.east_asian_width(c[0]) in "WF"), text)


def write_no_more(stream: TextIO) -> None:
    """Discard what is buffered and what is still to come, so that Python reports no error when it exits."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


class Progress:
    """Shows the progress of long work: a bar with rate and time left on a terminal, else a line every five seconds."""

    def __init__(self) -> None:
        self._told = time.monotonic()
        self._bar: rich.progress.Progress | None = None

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` are done; ``total`` is 0 if unknown."""
        if sys.stderr.isatty():
            with contextlib.suppress(OSError):  # the terminal has gone
                self._draw(what, done, total)
        elif time.monotonic() - self._told >= 5:
            self._told = time.monotonic()
            note(f"  {what} {done / total:.0%}" if total else f"  {what}")

    def _draw(self, what: str, done: int, total: int) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("  {task.description}", markup=False),
                BarColumn(),
                TaskProgressColumn(show_speed=True),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            # a resumed backfill does not begin at 0
            self._bar.add_task(what, completed=done, total=total or None)
            self._bar.start()
        task = self._bar.tasks[0]
        if done < task.completed:
            self._bar.reset(task.id)
        task.total = total or None  # update() would forget the speed, and linking rows adds pages
        self._bar.update(task.id, description=what, completed=done)

    def close(self) -> None:
        """Remove the bar; the next call draws a new one."""
        if self._bar:
            with contextlib.suppress(OSError):
                self._bar.stop()
            self._bar = None


def say(line: str = "") -> None:
    """Print a line of the result on stdout."""
    print(shown(line))  # noqa: T201


def code(text: str) -> None:
    """Print SQL or XML on stdout, exactly as the next program needs it."""
    print(text)  # noqa: T201


def paragraph(text: str, indent: int) -> None:
    """Print a text on one line, or wrapped on a terminal."""
    line = shown(" ".join(text.split()))
    width = shutil.get_terminal_size().columns
    for part in _lines(line, width - indent) if sys.stdout.isatty() else [line]:
        say(" " * indent + part)


def wrapped(text: str, lead: str = "") -> None:
    """Print a sentence on lines of at most 80 columns, indented by the width of ``lead``, which is before the first.

    Without a lead they are indented deeper than a command: the end of a name could be taken for one.
    """
    width = min(shutil.get_terminal_size().columns, 80)
    for part in _lines(shown(" ".join(text.split())), width, lead, " " * (len(lead) or 4)):
        say(part)


def without_ids(text: str) -> str:
    """Return a sentence without the ids that follow the names of things."""
    return re.sub(r"(?<=\S) \([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\)", "", text)


def _is_unicode() -> bool:
    return (sys.stdout.encoding or "utf-8").lower().startswith("utf")


def _more() -> str:
    """Return the sign for the rest of a text."""
    return "\N{HORIZONTAL ELLIPSIS}" if _is_unicode() else "..."


class JsonText(str):
    """A value of JSON as PostgreSQL writes it."""

    __slots__ = ()


def _json(value: Any, indent: int | None = None) -> str:
    if isinstance(value, JsonText):
        # in JSON, these are between the values alone
        text = re.sub("[\t\r\n]", " ", SECRETS.hide(value))
        if not _is_unicode():
            text = re.sub(r"[^\x00-\x7f]", lambda match: json.dumps(match.group())[1:-1], text)
    else:
        text = _dumped(value, indent=indent, ensure_ascii=not _is_unicode())
    # JSON need not escape these, but some control a terminal; the line breaks that remain are between the values
    return re.sub(f"(?!\n)[{INVISIBLE}]", lambda match: json.dumps(match.group())[1:-1], text)


def _dumped(value: Any, *, indent: int | None = None, ensure_ascii: bool = False) -> str:
    """Return a value as JSON, without the passwords of this command."""
    value = _finite(SECRETS.hide_in(value))
    return json.dumps(value, default=_plain, indent=indent, ensure_ascii=ensure_ascii, allow_nan=False)


def _finite(value: Any) -> Any:
    """Return a value with its NaN and Infinity, which JSON lacks, as PostgreSQL writes them."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {key: _finite(of_key) for key, of_key in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(element) for element in value]
    return value


def json_document(document: Any) -> None:
    """Print a value as one JSON document."""
    print(_json(document, indent=2))  # noqa: T201


def json_rows(rows: Iterable[Row]) -> None:
    """Print rows as one JSON list, each as it arrives."""
    separator = "["
    for row in rows:
        print(separator + "{" + ", ".join(f"{_json(key)}: {_json(value)}" for key, value in row.items()) + "}")  # noqa: T201
        separator = ","
    say("[]" if separator == "[" else "]")


def csv_rows(rows: Iterable[Row]) -> None:
    """Print rows as CSV, each as it arrives; values are complete and written as in JSON."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    steers = re.compile(f"(?![\n\t])[{INVISIBLE}]") if sys.stdout.isatty() else None

    def field(value: Any) -> Any:
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, dict | list):
            text = _dumped(value)
        else:
            text = "" if value is None else SECRETS.hide(str(_plain(value)))
        return steers.sub(_escaped, text) if steers else text

    for number, row in enumerate(rows):
        if number == 0:
            writer.writerow(row)
        writer.writerow(map(field, row.values()))


def table(rows: Iterable[Row], columns: Mapping[str, str] | None = None) -> None:
    """Print rows, one per line and no wider than the terminal, each as it arrives.

    The first rows determine the widths of the columns. What does not fit is cut, as are texts after their first line.

    Args:
        rows: all with the same keys.
        columns: headings and the keys in the row; None prints all columns, however wide.
    """
    rows = iter(rows)
    first = list(itertools.islice(rows, _SCREEN))
    if not first:
        say("(no rows)")
        return
    keys = {name: key for name, key in (columns or {key: key for key in first[0]}).items() if key in first[0]}
    is_brief = columns is not None
    sample = [[shown(name) for name in keys], *([_cell(row[key], is_brief) for key in keys.values()] for row in first)]
    widths = [min(max(map(_width, cells)), _WIDEST) for cells in zip(*sample, strict=True)]
    if is_brief:
        texts = [n for n, key in enumerate(keys.values()) if not any(isinstance(row[key], _FIXED) for row in first)]
        excess = sum(widths) + 2 * (len(widths) - 1) - shutil.get_terminal_size().columns
        while excess > 0 and texts and widths[widest := max(texts, key=lambda n: widths[n])] > _NARROWEST:
            widths[widest] -= 1
            excess -= 1

    def fitted(text: str, width: int) -> str:
        if _width(text) <= width:
            return text + " " * (width - _width(text))
        # the number that distinguishes titles stays
        ends = re.search(r" \(\d+\)$", text[-_NARROWEST:])
        rest = _more() + (ends.group() if ends and width > 2 * _NARROWEST else "")
        end = next(n for n in range(min(len(text), 4 * width), -1, -1) if _width(text[:n]) <= width - len(rest))
        return text[:end] + " " * (width - len(rest) - _width(text[:end])) + rest

    def line(cells: Iterable[str]) -> str:
        return "  ".join(map(fitted, cells, widths)).rstrip()

    heading, *lines = sample
    for cells in (heading, ["-" * width for width in widths], *lines):
        print(line(cells))  # noqa: T201
    for row in rows:
        print(line(_cell(row[key], is_brief) for key in keys.values()))  # noqa: T201


def _width(text: str) -> int:
    """Return how many cells of a terminal a text takes, at most: a spacing mark is one of its own for some."""
    from rich.cells import cell_len

    if text.isascii():
        return len(text)
    return cell_len(text) + sum(unicodedata.category(character) == "Mc" for character in text)


_SCREEN = 100
_WIDEST = 200
_NARROWEST = 6
_FIXED = (bool, int, float, datetime.date)
"""Types whose values are never cut."""


def count(number: int, noun: str) -> str:
    """Return a number of things for people, for instance ``1 submission``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def size(number: int | None) -> str | None:
    """Return a number of bytes for people, for instance ``1.5 GB``."""
    if number is None:
        return None
    value = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1024:
            return f"{value:.3g} {unit}"
        value /= 1024
    return f"{value:.3g} TB"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime.date):
        return value.isoformat()
    return str(value)


def _cell(value: Any, is_brief: bool) -> str:
    """Return a value on one line; if brief, a time as its day, and a name without its id."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime.datetime):
        return (value.astimezone() if value.tzinfo else value).strftime("%Y-%m-%d" if is_brief else "%Y-%m-%d %H:%M:%S")
    if isinstance(value, dict | list):
        return visible(_dumped(value))
    first, *others = [line for line in SECRETS.hide(str(value)).split("\n") if line.strip()] or [""]
    text = visible(first) + _more() * bool(others)
    return without_ids(text) if is_brief else text
