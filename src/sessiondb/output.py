"""Results on stdout, as a table or as one JSON document; everything else on stderr."""

from __future__ import annotations

import contextlib
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
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from sessiondb.passwords import SECRETS, without_passwords

if TYPE_CHECKING:
    import rich.progress

Row = Mapping[str, Any]


class Lines(str):
    """A text of several lines that we have made; the lines that come from others begin with a sign of ours."""

    __slots__ = ()


_UNSEEN = (
    # control characters, and those that end a line
    r"\x00-\x1f\x7f-\x9f\u2028\u2029"
    # what has no width, or changes the direction or the form of what is beside it
    r"\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd"
    r"\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)


def visible(text: str) -> str:
    """Return a text on one line, with escapes for what steers a terminal, moves what is beside it or is not seen.

    A user may have written that into a row to forge a line, or to make the output misleading.
    """
    return re.sub(f"[{_UNSEEN}]", lambda match: match.group().encode("unicode_escape").decode(), text)


def shown(value: object) -> str:
    """Return a value as it is printed, on one line and without a password that the user gave."""
    return visible(SECRETS.hide(str(value)))


def note(line: str) -> None:
    """Print a line of progress or advice on stderr; that it cannot be written stops no work."""
    try:
        print(visible(without_passwords(SECRETS.hide(line))), file=sys.stderr, flush=True)  # noqa: T201
    except OSError:
        write_no_more(sys.stderr)


def write_no_more(stream: TextIO) -> None:
    """Let what is still buffered and what comes go nowhere, so that Python does not complain when it exits."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


class Progress:
    """Shows how far long work is: a bar with rate and time left on a terminal, else a line every five seconds."""

    def __init__(self) -> None:
        self._told = time.monotonic()
        self._bar: rich.progress.Progress | None = None

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` is done; ``total`` is 0 if unknown."""
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
            self._bar.add_task(what)
            self._bar.start()
        task = self._bar.tasks[0]
        if done < task.completed:
            self._bar.reset(task.id)
        self._bar.update(task.id, description=what, completed=done, total=total or None)

    def close(self) -> None:
        """Take the bar away; the next call draws another one."""
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
    """Print a text on one line, or on a terminal on as many as it needs."""
    margin = " " * indent
    line = shown(" ".join(text.split()))
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns
        line = textwrap.fill(line, width - indent, break_long_words=False, break_on_hyphens=False)
    for part in line.split("\n"):
        say(margin + part)


def _json(value: Any, indent: int | None = None) -> str:
    unicode = (sys.stdout.encoding or "utf-8").lower().startswith("utf")
    text = json.dumps(SECRETS.hide_in(value), default=_plain, indent=indent, ensure_ascii=not unicode)
    # JSON need not escape these, and a terminal obeys some of them; its own line breaks are those between the values
    return re.sub(f"(?!\n)[{_UNSEEN}]", lambda match: json.dumps(match.group())[1:-1], text)


def json_document(document: Any) -> None:
    """Print a value as one JSON document."""
    print(_json(document, indent=2))  # noqa: T201


def json_rows(rows: Iterable[Row]) -> None:
    """Print rows as one JSON list, each as it arrives."""
    separator = "["
    for row in rows:
        # JSON has no NaN and no Infinity
        numbers = {
            key: _number(value) for key, value in row.items() if isinstance(value, float) and not math.isfinite(value)
        }
        print(separator + _json({**row, **numbers}))  # noqa: T201
        separator = ","
    say("[]" if separator == "[" else "]")


def table(rows: Iterable[Row], columns: Sequence[str] | None = None) -> None:
    """Print rows as a table; where that is wider than the terminal, as one block a row, like psql's \\x.

    Args:
        rows: the first determines the columns if none are given.
        columns: the columns to print, in order.
    """
    from rich.box import SIMPLE_HEAD
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table

    rows = list(rows)
    if not rows:
        say("(no rows)")
        return
    console = Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else 10_000)
    grid = Table(box=SIMPLE_HEAD, pad_edge=False)
    keys = columns or list(rows[0])
    names = [_cell(key) for key in keys]
    cells = [[_cell(row[key]) for key in keys] for row in rows]
    for name, of_column in zip(names, zip(*cells, strict=True), strict=True):
        # what must not be wrapped needs its longest line; for rich the longest word would do
        width = max(cell_len(line) for text in [name, *of_column] for line in text.split("\n"))
        wrapped = name in {"detail", "fix", "statement"}
        grid.add_column(name, no_wrap=not wrapped, min_width=None if wrapped else width, overflow="fold")
    for row_cells in cells:
        grid.add_row(*row_cells)
    # measured without our width, which would be the most that comes out
    if console.measure(grid, options=console.options.update(max_width=10_000)).minimum <= console.width:
        console.print(grid)
        return
    width = max(map(len, names))
    for number, row_cells in enumerate(cells, start=1):
        say(f"-[ {number} ]".ljust(width + 3, "-"))
        for name, text in zip(names, row_cells, strict=True):
            for label, line in zip(itertools.chain([name], itertools.repeat("")), text.split("\n"), strict=False):
                say(f"{label:{width}} | {line}")


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


def _number(value: float) -> str:
    """Return a number that JSON does not have as PostgreSQL writes it."""
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime.date):
        return value.isoformat()
    return str(value)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime.datetime):
        return (value.astimezone() if value.tzinfo else value).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, dict | list):
        return visible(json.dumps(SECRETS.hide_in(value), default=_plain, ensure_ascii=False))
    if isinstance(value, Lines):
        return "\n".join(map(shown, value.split("\n")))
    return shown(value)
