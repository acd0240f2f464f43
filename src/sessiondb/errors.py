"""The errors that a user can act on; the command line prints them and exits with their codes."""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


class Exit(enum.IntEnum):
    """The exit codes of every command."""

    DONE = 0
    ERROR = 1
    USAGE = 2
    PENDING = 3
    FINDINGS = 4
    REFUSED = 5
    LOCKED = 6
    INCOMPLETE = 7
    INTERRUPTED = 130
    TERMINATED = 143


class SessiondbError(Exception):
    """An error that one sentence can explain.

    Args:
        message: one sentence that names the cause.
        hint: what to do about it, if anything.
    """

    exit_code = Exit.ERROR

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint

    @property
    def lines(self) -> list[str]:
        """The message as it is printed; text from the database is not split into lines."""
        return [str(self)]


class UsageError(SessiondbError):
    """The command was given something that it does not accept."""

    exit_code = Exit.USAGE


class UnclearNameError(SessiondbError):
    """Several things match a name, or none does.

    Args:
        message: one sentence that quotes the name.
        candidates: possible matches, each with its id and names.
        hint: what to do about it.
        exit_code: of the command.
    """

    def __init__(self, message: str, candidates: Sequence[str], hint: str, exit_code: Exit = Exit.ERROR) -> None:
        super().__init__(message, hint)
        self.candidates = candidates
        self.exit_code = exit_code

    @property
    def lines(self) -> list[str]:
        """The message as it is printed, with a line for each candidate."""
        return [str(self) + (":" if self.candidates else ""), *(f"  {candidate}" for candidate in self.candidates)]


@dataclass(frozen=True)
class Finding:
    """A result of a check."""

    check: str  # the name of the check, which is the name of its SQL file
    level: str  # ``error``, ``warning`` or ``info``
    object: str  # the database object or table
    detail: str  # one sentence on what is wrong
    fix: str  # the statement, command or step that fixes it, and what it does; see :attr:`fixes`

    @property
    def has_lines(self) -> bool:
        """Whether the detail has several lines, as a diff has; elsewhere a line break is part of a name or a row."""
        return self.check == "installed_objects"

    @property
    def fixes(self) -> list[tuple[str, str]]:
        """The fix as pairs: what to do, and the command or statement for it; either may be empty."""
        lines = self.fix.split("\n") if self.check in _SEVERAL_FIXES else _NEXT.split(self.fix)
        found = [_COMMAND.fullmatch(line) for line in lines]
        return [
            (match["what"] or "", ready_to_paste(match["command"])) if match else (line, "")
            for match, line in zip(found, lines, strict=True)
        ]

    @property
    def fix_line(self) -> str:
        """The fix on one line."""
        return "; ".join(": ".join(filter(None, fix)) for fix in self.fixes).replace(";; ", "; ")

    def as_json(self) -> dict[str, Any]:
        """Return the finding as a JSON object."""
        return asdict(self)


def ready_to_paste(command: str) -> str:
    """Return a command for a shell as it is, or a statement for psql with its semicolon."""
    return command if command.startswith("sessiondb") else command.removesuffix(";") + ";"


STATEMENTS = "ALTER|CALL|COMMENT|COMMIT|CREATE|DO|DROP|GRANT|INSERT|REVOKE|ROLLBACK|SELECT|SET|UPDATE"
"""What a statement to paste begins with, as a regular expression for Python and for PostgreSQL."""

_COMMAND = re.compile(
    rf"(?:(?P<what>(?!(?:{STATEMENTS}) )[^:]+): )?(?P<command>(?:sessiondb|{STATEMENTS}) .+)", re.DOTALL
)

_NEXT = re.compile(rf"""\n(?=(?:Then|Or|If)\b[^:\n]*: (?:sessiondb|{STATEMENTS}) )(?=(?:[^"]*"[^"]*")*[^"]*\Z)""")
"""The end of a line of a fix that has a next one; within quotes, or before other words, it is part of a name."""

_SEVERAL_FIXES = {
    "links_of_other_course",
    "links_without_membership",
    "links_without_session",
    "sessions_without_members",
    "shadowed_sessions",
    "unlinked_rows",
}
"""The checks whose fix may also have lines that only continue it."""


class PlatformRefusedError(SessiondbError):
    """Preflight found that the migrations cannot or must not run on this platform.

    Args:
        findings: everything that was found, including warnings.
        heading: what is refused.
    """

    exit_code = Exit.REFUSED

    def __init__(self, findings: Sequence[Finding], heading: str = "preflight refuses this platform") -> None:
        self.heading = heading
        self.findings = sorted(findings, key=lambda finding: finding.level != "error")
        super().__init__("\n".join(self.lines))

    @property
    def lines(self) -> list[str]:
        """The message as it is printed, with a line for each finding, and those of its fix."""
        lines = [f"{self.heading}; nothing was changed:"]
        for f in self.findings:
            first, *others = (": ".join(filter(None, fix)) for fix in f.fixes)
            lines += [f"  {'' if f.level == 'error' else f.level + ': '}{f.detail}", f"    fix: {first}"]
            lines += [f"    {other}" for other in others]
        return lines


class LockNotObtainedError(SessiondbError):
    """Another run holds the advisory lock, or a table lock was not obtained within the budget."""

    exit_code = Exit.LOCKED


class StoppedError(SessiondbError):
    """The connection was lost; the same command resumes where it stopped."""

    exit_code = Exit.INCOMPLETE
