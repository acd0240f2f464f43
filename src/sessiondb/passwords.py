"""Passwords in what the user gave: found anywhere, and removed from everything that is printed.

A database address may be given in the wrong place: as a schema, as a title, in PGDATABASE. Error messages would repeat
it, completely or in the pieces into which libpq splits it. So each argument and each variable is searched for what may
be a password in any notation, and that is removed from all output. In text from elsewhere, such as the statement of
another session, only the usual notations are recognised.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal
from urllib.parse import unquote

HIDDEN = "..."

Kind = Literal["argument", "prose", "host", "name"]
"""What a text is: any argument; prose, such as a title; a host; or the name of a user or database."""

_KEY = r"[\"']?[\w.-]{0,40}(?:pass(?:word|wd|phrase)?|pwd|secret|scram_\w+_key)[\"']?"
_QUOTED = r"'(?:[^'\\]|\\.|'')*'?|\"(?:[^\"\\]|\\.)*\"?"
_ASSIGNED = re.compile(
    rf"(?<!\w){_KEY}(?:\s*=\s*|(?<=[\"'])\s*:\s*)"
    rf"(?P<value>{_QUOTED}|.*?(?=\s+\w+\s*=|;\s*\w+\s*=|&\w+=|$))",
    re.IGNORECASE | re.MULTILINE,
)
_PGPASS = re.compile(r"^(?:\\.|[^:\\\n])*:(?:\d+|\*):(?:(?:\\.|[^:\\\n])*:){2}(?P<value>.+)$", re.MULTILINE)

# what libpq reads as intended: user and password, hosts with ports, a database, parameters
_HOST = r"(?:\[[^\]]*\]|[^:/?@,\[\]\s]*)(?::\d*)?"
_SOUND = re.compile(
    rf"(?:(?P<user>[^/@:\s]*)(?P<colon>:(?P<password>[^/@\s]*))?@)?{_HOST}(?:,{_HOST})*(?:/[^@?\s]*)?"
    r"(?:\?(?:\w+=[^&\s]*(?:&\w+=[^&\s]*)*)?)?"
)
_POSTGRESQL = re.compile(r"postgres(?:ql)?(?:\+\w+)?://", re.IGNORECASE)
_IPV6 = re.compile(r"[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*(%\w+)?", re.IGNORECASE)


def kind_of(parameter: str) -> Kind:
    """Return the kind of value of a libpq parameter, by the name of the parameter or of its PG* variable."""
    kinds: dict[str, Kind] = {"host": "host", "hostaddr": "host", "port": "host", "options": "argument"}
    return kinds.get(parameter.lower(), "name")


def is_sound(uri: str) -> bool:
    """Return whether libpq reads a URI as intended, and takes no part of a password for something else."""
    return bool(_SOUND.fullmatch(uri.partition("://")[2]))


def found(text: str, kind: Kind = "argument") -> Iterator[tuple[int, int]]:
    """Yield the positions of possible passwords in a text that the user gave: start and end."""
    for match in _ASSIGNED.finditer(text):
        start, end = match.span("value")
        if text[start:end][:1] in ("'", '"'):
            start, end = start + 1, end - (end > start + 1 and text[end - 1] == text[start])
        yield start, end
    for match in _PGPASS.finditer(text):
        yield match.span("value")
    for match in re.finditer(
        r"(?<=://)\S+" if kind == "prose" and not _POSTGRESQL.search(text) else "(?<=://).+", text
    ):
        yield from _of_address(text, *match.span(), kind)
    if "://" in text:
        return
    scheme = re.match(r"(?:[\w+.-]*:(?=/))?/{0,2}", text)
    start = scheme.end() if scheme else 0
    if kind == "host":
        is_address = not _IPV6.fullmatch(text) and ("@" in text or not text.startswith("/"))
    else:
        is_address = text.rfind("@") > text.find(":", start) >= 0 and (kind != "prose" or not re.search(r"\s", text))
    if is_address:
        yield from _of_address(text, start, len(text), kind)
    elif kind == "name" and ":" in text:
        yield text.index(":") + 1, len(text)


def _of_address(text: str, start: int, end: int, kind: Kind) -> Iterator[tuple[int, int]]:
    """Yield the position of the password in an address without a scheme, between these positions."""
    address = text[start:end]
    sound = _SOUND.fullmatch(address)
    if sound:
        if sound["colon"]:
            yield start + sound.start("password"), start + sound.end("password")
        elif ":" in unquote(sound["user"] or ""):
            yield start, start + sound.end("user")
        return
    # anything from the first colon to the last @ may be part of it
    colon, last = address.find(":"), address.rfind("@")
    if 0 <= colon < last:
        yield start + colon + 1, start + last
    elif colon >= 0 and (kind != "prose" or _POSTGRESQL.search(text)):
        yield start + colon + 1, end


def is_whole(address: str) -> bool:
    """Return whether an address, which a shell may have split at a blank, seems to be complete."""
    return is_sound(address) if "://" in address else not _ASSIGNED.match(address)


def is_address(text: str) -> bool:
    """Return whether a text is a database address with a password, or part of one."""
    is_spelled_out = (
        "://" in text or _ASSIGNED.search(text) or _PGPASS.search(text) or re.fullmatch(r"\S+:\S+@\S+", text)
    )
    return bool(is_spelled_out) and any(found(text))


class Secrets:
    """What is removed from the output; initially nothing."""

    def __init__(self) -> None:
        self._after: list[tuple[str, str]] = []
        self._anywhere: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def clear(self) -> None:
        """Forget everything, for the next command line."""
        self.__init__()  # type: ignore[misc]

    def remember(self, texts: Iterable[str], kind: Kind = "argument") -> None:
        """Hide the passwords in these texts, wherever they appear."""
        for text in {spelled for given in texts for spelled in (given, " ".join(given.split()))}:
            for start, end in found(text, kind):
                self._after.append((text[max(start - 16, 0) : start], text[start:end]))
                self._anywhere |= _spellings(text[start:end])
        self._pattern = None

    def remember_address(self, text: str) -> None:
        """Hide the password of an address that is in the right place, but only next to the rest of the address.

        It is printed nowhere else, and may be a common word such as postgres.
        """
        self._after += [(text[max(start - 16, 0) : start], text[start:end]) for start, end in found(text)]

    def hide(self, text: str) -> str:
        """Return a text without the remembered passwords, and without the beginning of one that was cut off."""
        for before, value in self._after:
            at = text.find(before) if before else -1
            while at >= 0:
                begin = at + len(before)
                length = next((n for n, (a, b) in enumerate(zip(text[begin:], value, strict=False)) if a != b), None)
                length = min(len(value), len(text) - begin) if length is None else length
                if length > 1 or length == len(value):
                    text = text[:begin] + HIDDEN + text[begin + length :]
                at = text.find(before, begin)
        if not self._anywhere:
            return text
        if self._pattern is None:
            values = sorted(self._anywhere, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(_pattern, values)), re.IGNORECASE)
        return self._pattern.sub(HIDDEN, text)

    def hide_in(self, value: Any) -> Any:
        """Return a JSON value without them in any of its strings."""
        if not self._after and not self._anywhere:
            return value
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, Mapping):
            return {key: self.hide_in(of_key) for key, of_key in value.items()}
        if isinstance(value, list | tuple):
            return [self.hide_in(element) for element in value]
        return value


SECRETS = Secrets()
"""Those of the running command; :func:`sessiondb.cli.main` fills it."""


def _spellings(value: str) -> set[str]:
    """Return how a message may show a password, and the pieces into which libpq or the shell may split it."""
    given = {value, value.strip(), unquote(value), re.sub(r"\\(.)", r"\1", value), value.replace("''", "'")}
    given |= {" ".join(one.split()) for one in given}
    for one in [*given]:
        given |= {repr(one)[1:-1], ascii(one)[1:-1], one.replace("'", "''"), one.replace('"', '""')}
    pieces = {piece for one in given for piece in re.split(r"[\s:/@?&=;,'\"\\\[\]#%]+", one)}
    return {one for one in given if len(one.strip()) >= 3} | {piece for piece in pieces if len(piece) >= 4}


def _pattern(value: str) -> str:
    """Return a pattern for a value; a word matches only as a whole word."""
    return rf"(?<!\w){value}(?!\w)" if value.isalpha() and len(value) < 12 else re.escape(value)


def without_passwords(text: str) -> str:
    """Return a text from elsewhere without the passwords in it that are in a usual notation."""
    text = re.sub(r"(://[^\s:/\[]*:)(?!\d+(?:[/?,\s\"')]|$))(?:\S*(?=@)|[^\s\"']+)", rf"\1{HIDDEN}", text)
    return re.sub(rf"((?<!\w){_KEY}\s*=\s*)(?:{_QUOTED}|[^\s;&]+)", rf"\1{HIDDEN}", text, flags=re.IGNORECASE)
