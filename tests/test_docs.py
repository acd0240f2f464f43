"""README, guides and --help say what is true; `python tests/test_docs.py --write` renews the transcripts of pages."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import metadata
from itertools import zip_longest
from pathlib import Path

import click
import pytest
from conftest import PlatformDatabase
from platforms import PLATFORMS
from test_explain import REASONS

import sessiondb.cli
from sessiondb.errors import Exit

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS_PAGE = ROOT / "docs" / "commands.md"
GUIDES = [ROOT / "docs" / name for name in ("guide.en.md", "guide.fr.md")]
WRITE = "SESSIONDB_WRITE_DOCS"

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?:[+-]\d\d:\d\d)?)?")
DURATION = re.compile(r"\b\d+(?:\.\d+)? (?:ms|s|min)\b")
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
TRANSCRIPT = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
PLACE = re.compile(r"([dD])atabase\s+\S+\s+on\s+\S+:\d+,\s+as\s+role\s+\S+?([.:]?)(?=\s)")
PROMPT = re.compile(r"^(?:\$ (?:.*\\\n)*.*|platform=> .*(?:\nplatform-> .*)*)$", re.MULTILINE)


def command() -> str:
    """The command as pip installed it beside the running Python."""
    found = shutil.which("sessiondb", path=str(Path(sys.executable).parent))
    assert found, "install the checkout: pip install -e '.[test]'"
    return found


def environment(**added: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "COLUMNS"} | added


# transcripts


@dataclass
class Terminal:
    """The reference platform at a terminal in Paris, where the transcripts of pages are played.

    Ids and times differ from run to run. A page keeps those that it has, and every id of the page stands for
    one and the same id here; so what is played again and comes out the same is the page as it was.
    """

    database: PlatformDatabase
    columns: int
    ids: dict[str, str] = field(default_factory=dict)
    """Ids here to ids of the page."""

    def play(self, transcript: str) -> str:
        """The transcript with what its commands print now; an output cut by `...` is cut there again."""
        prompts = PROMPT.findall(transcript)
        assert transcript.startswith(prompts[0])
        outputs = [output.strip("\n") for output in PROMPT.split(transcript)[1:]]
        steps: list[str] = []
        for prompt, output in zip(prompts, outputs, strict=True):
            printed = self._renamed(_cut_like(output, self._run(self._here(prompt))), output)
            kept = output if _timeless(printed) == _timeless(output) else printed
            steps += filter(None, (prompt, kept))
        return "\n".join([*steps, ""])

    def _run(self, prompt: str) -> str:
        if prompt.startswith("platform=> "):
            with self.database.connect() as connection:
                row = connection.execute(re.sub(r"^platform[=-]> ", "", prompt, flags=re.MULTILINE).encode()).fetchone()
            return f"  {row[0]}" if row else "  (no row)"
        program, *arguments = shlex.split(prompt.removeprefix("$ ").replace("\\\n", " "))
        assert program == "sessiondb"
        code, printed = at_terminal(self.database.conninfo(), self.columns, *arguments)
        assert code == 0, f"{prompt} ended with {code}:\n{printed}"
        return PLACE.sub(r"\1atabase platform on db.example:5432, as role owner\2", printed)

    def _here(self, text: str) -> str:
        here = {page: ours for ours, page in self.ids.items()}
        return UUID.sub(lambda match: here.get(match[0], match[0]), text)

    def _renamed(self, printed: str, output: str) -> str:
        """With the ids of the page; new ones are those that are in the same place there."""
        if _shape(printed) == _shape(output):
            for ours, page in zip(UUID.findall(printed), UUID.findall(output), strict=True):
                if page not in self.ids.values():
                    self.ids.setdefault(ours, page)
        return UUID.sub(lambda match: self.ids.setdefault(match[0], match[0]), printed)


def at_terminal(conninfo: str, columns: int, *arguments: str) -> tuple[int, str]:
    """Exit code and stdout, which is a terminal; or stderr, if that is all there is."""
    ours, theirs = pty.openpty()
    with tempfile.TemporaryFile() as stderr:
        process = subprocess.Popen(
            [command(), *arguments],
            env=environment(DATABASE_URL=conninfo, COLUMNS=str(columns), LINES="50", TERM="xterm", TZ="Europe/Paris"),
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=stderr,
        )
        os.close(theirs)
        printed = b"".join(iter(lambda: _read(ours), b""))
        os.close(ours)
        code = process.wait(timeout=60)
        stderr.seek(0)
        text = ESCAPE.sub("", (printed or stderr.read()).decode())
    return code, "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says EIO when the other end is closed
        return b""


def _cut_like(output: str, printed: str) -> str:
    """The printed lines, with as many before and after a line `...` as there are in the page."""
    head, dots, tail = output.partition("\n...")
    if not dots:
        return printed
    lines, first, last = printed.split("\n"), head.count("\n") + 1, len(tail.strip("\n").splitlines())
    return "\n".join([*lines[:first], "...", *lines[len(lines) - last :]])


def _timeless(text: str) -> str:
    return DURATION.sub("<duration>", TIME.sub("<time>", text))


def _shape(text: str) -> str:
    return UUID.sub("<id>", _timeless(text))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pages", "columns"),
    [(GUIDES, 100), ([COMMANDS_PAGE], 80), ([ROOT / "README.md"], 80)],
    ids=["guides", "commands", "README"],
)
@pytest.mark.parametrize("platform", [PLATFORMS["reference"]], indirect=True, ids=str)
def test_the_pages_show_what_the_commands_print(platform_db: PlatformDatabase, pages: list[Path], columns: int) -> None:
    first, *others = (TRANSCRIPT.findall(page.read_text(encoding="utf-8")) for page in pages)
    writing = os.environ.get(WRITE)
    assert writing or all(other == first for other in others), "both guides have the same transcripts"

    terminal = Terminal(platform_db, columns)
    played = [terminal.play(transcript) for transcript in first]

    if writing:
        for page in pages:
            texts = TRANSCRIPT.split(page.read_text("utf-8"))
            page.write_text("".join(map("".join, zip_longest(texts, played, fillvalue=""))), "utf-8")
        return
    assert played == first, f"if this is how it should be: python {Path(__file__).relative_to(ROOT)} --write"


def test_the_page_of_commands_has_them_all_at_80_columns() -> None:
    text = COMMANDS_PAGE.read_text("utf-8")

    elsewhere = {"trainer"}  # docs/trainer.md has its pages
    assert [name for name in LEAVES if name not in elsewhere and f"$ sessiondb {name}" not in text] == []
    transcripts = "\n".join(TRANSCRIPT.findall(text))
    # a fix is one line, ready to paste; what is said of one thing may be longer than the terminal, which wraps it
    ready = re.compile(r"\$ |  sessiondb |User |To be rolled back|Next: |Run: |  \"|The links of|\[\{")
    assert [line for line in transcripts.splitlines() if len(line) > 80 and not ready.match(line)] == []


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_a_guide_is_short_and_names_every_code_and_reason(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")

    assert len(text.splitlines()) <= 215
    assert [code.value for code in Exit if not re.search(rf"^\|.*\b{code.value}\b.*\|", text, re.MULTILINE)] == []
    assert [reason for reason in REASONS if f"`{reason}`" not in text] == []
    assert "python tests/test_docs.py --write" in text


def test_links_between_the_pages_lead_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/*.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8"))]

    assert [f"{page.name}: {link}" for page, link in links if not (page.parent / link).exists()] == []


# README


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 120


def test_the_readmes_two_commands_set_up_all_that_they_need() -> None:
    """What they do, .ci/run sees to; here, that it runs the one of them and that the extras exist."""
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    demo, tests = re.findall(r"(?<=^```sh\n)python3 -m venv .*(?=\n```$)", README, re.MULTILINE)
    picked = re.search(r"grep -E '(.+)' README\.md", ci)

    assert picked
    assert re.findall(f"{picked[1]}.*", README, re.MULTILINE) == [tests]
    assert demo.endswith(" && .venv/bin/sessiondb demo")
    assert tests.endswith(" && .venv/bin/pytest -q -n auto")
    extras = re.findall(r"pip\" install .*\[(\w+)\]|pip install .*\[(\w+)\]", "\n".join((ci, demo, tests)))
    assert len(extras) == 4
    assert {a or b for a, b in extras} <= set(metadata("sessiondb").get_all("Provides-Extra") or [])


@pytest.mark.slow
def test_the_readmes_transcript_is_from_the_demo() -> None:
    transcript = re.search(r"(?<=^```text\n).*?(?=^```$)", README, re.MULTILINE | re.DOTALL)
    assert transcript
    wanted = [line for line in UUID.sub("<id>", transcript[0]).splitlines() if line not in ("", "...")]

    run = subprocess.run([command(), "demo"], env=environment(), capture_output=True, text=True, check=True)

    told = iter(UUID.sub("<id>", run.stdout).splitlines())
    for line in wanted:
        pattern = re.escape(line).replace(re.escape("..."), ".*")
        assert any(re.fullmatch(pattern, of_demo) for of_demo in told), f"not in the demo, or not in this order: {line}"


# commands


def commands(group: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, group
    for name, of_group in group.commands.items():
        if isinstance(of_group, click.Group):
            yield from commands(of_group, *path, name)
        else:
            yield (*path, name), of_group


COMMANDS = dict(commands(sessiondb.cli.cli))
LEAVES = [" ".join(path) for path, of_path in COMMANDS.items() if not isinstance(of_path, click.Group)]


@pytest.mark.parametrize("name", LEAVES)
def test_the_readme_names_every_command(name: str) -> None:
    assert re.search(rf"`(?:sessiondb )?{name}[` ]", README)


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: " ".join(path) or "sessiondb")
def test_a_command_explains_itself_within_100_columns(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")

    sessiondb.cli.cli.main([*path, "--help"], "sessiondb", standalone_mode=False)

    helped = capsys.readouterr().out
    assert [line for line in helped.splitlines() if len(line) > 100] == []
    assert "\n  Example:\n    sessiondb " in helped
    options = [option for option in COMMANDS[path].params if isinstance(option, click.Option)]
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_comes_out_of_the_installed_command(shell: str) -> None:
    def complete(what: str, **words: str) -> str:
        run = subprocess.run(
            [command()],
            env=environment(_SESSIONDB_COMPLETE=f"{shell}_{what}", **words),
            capture_output=True,
            text=True,
            check=True,
        )
        assert run.stderr == ""
        return run.stdout

    assert f"_SESSIONDB_COMPLETE={shell}_complete" in complete("source")
    typed = {"fish": {"COMP_WORDS": "sessiondb se", "COMP_CWORD": "se"}}
    offered = complete("complete", **typed.get(shell, {"COMP_WORDS": "sessiondb se", "COMP_CWORD": "1"}))
    assert re.findall(r"plain[,\n](\w+)", offered) == ["session"]
    typed = {"fish": {"COMP_WORDS": "sessiondb check links_of", "COMP_CWORD": "links_of"}}
    offered = complete("complete", **typed.get(shell, {"COMP_WORDS": "sessiondb check links_of", "COMP_CWORD": "2"}))
    assert re.findall(r"plain[,\n](\w+)", offered) == ["links_of_other_course"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_tab_key_completes_after_the_line_of_the_guides(shell: str, tmp_path: Path) -> None:
    """At a terminal, for a user who has configured nothing yet."""
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    (line,) = {
        line
        for guide in GUIDES
        for line in guide.read_text("utf-8").splitlines()
        if f"={shell}_source sessiondb" in line
    }
    path = f"{Path(command()).parent}{os.pathsep}{os.environ['PATH']}"
    home = str(tmp_path)
    env = environment(PATH=path, HOME=home, ZDOTDIR=home, XDG_CONFIG_HOME=f"{home}/.config", TERM="xterm")
    subprocess.run([shell, "-c", line], env=env, check=True)
    # without it fish writes completions for all manual pages of the machine: ten seconds of a processor, 14,000 files
    (tmp_path / ".local/share/fish/generated_completions").mkdir(parents=True)

    ours, theirs = pty.openpty()
    interactive = ["setsid", "--ctty", shell, "-i"]
    with (
        os.fdopen(ours, "r+b", buffering=0) as terminal,
        subprocess.Popen(interactive, env=env, stdin=theirs, stdout=theirs, stderr=theirs) as process,
    ):
        os.close(theirs)
        terminal.write(b"sessiondb check links_of\t")
        shown = b""
        until = time.monotonic() + 30
        while b"_other_course" not in shown and time.monotonic() < until:
            if select.select([terminal], [], [], 1)[0]:
                shown += terminal.read(65536)
        process.kill()

    assert b"_other_course" in shown, shown.decode(errors="replace")


# files


def test_no_file_names_a_directory_of_one_machine_or_a_registry() -> None:
    """A clone must work on any machine."""
    git = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others"]
    listed = subprocess.run([*git, "--exclude-standard"], capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a clone")
    paths = [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    wrong = re.compile(
        r"(?<![\w.}])/(?:home|root|Users|work|opt|mnt|srv)/\w"
        r"|\b(?:pypi|pythonhosted|anaconda|npmjs|yarnpkg|crates|docker|ghcr|gcr|quay|rubygems|golang)\.(?:org|io|com)\b"
    )

    assert len(paths) > 50
    assert [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1)
        if wrong.search(line)
    ] == []


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(f"usage: {sys.argv[0]} --write")
    pytest_ = [sys.executable, "-m", "pytest", "-q", __file__, "-k", "test_the_pages_show"]
    sys.exit(subprocess.call(pytest_, env=environment(**{WRITE: "1"})))
