"""The entry point: the group of commands, the one place that catches errors, and the signals."""

from __future__ import annotations

import contextlib
import io
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from sessiondb import output
from sessiondb.commands import Options, common_options, demo, links, migrations, records, trainer
from sessiondb.errors import Exit, SessiondbError
from sessiondb.passwords import SECRETS, is_whole, kind_of


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@common_options()
@click.version_option(package_name="sessiondb")
def cli() -> None:
    """Link the enrolments and submissions of a learning platform to its training sessions.

    \b
    Example:
      sessiondb -d postgresql://owner@db.example/platform apply
      sessiondb status
    """


for command in (
    migrations.apply,
    links.backfill,
    links.check,
    demo.demo,
    links.explain,
    records.course,
    records.member,
    records.org,
    migrations.plan,
    migrations.rollback,
    records.session,
    links.show,
    migrations.status,
    trainer.trainer,
):
    cli.add_command(command)


_signals: list[int] = []


def main() -> NoReturn:  # noqa: PLR0912  (a branch for each way to end)
    """Run the command line and exit with one of the codes of :class:`sessiondb.errors.Exit`."""
    _hide_passwords()
    _remember_passwords()
    signal.signal(signal.SIGTERM, _terminate)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without accents shows what it can
    options = Options()
    try:
        code = cli.main(standalone_mode=False, obj=options)
        sys.stdout.flush()
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.ClickException as error:
        _show(error)
        code = error.exit_code
    except SessiondbError as error:
        first, *others = error.lines
        for line in (f"sessiondb: {first}", *others):
            output.note(line)
        if error.hint:
            output.note(f"  hint: {error.hint}")
        if options.verbose and error.__cause__:
            output.note(f"  cause: {type(error.__cause__).__name__}: {error.__cause__}")
        code = error.exit_code
    except click.Abort as error:
        # click says "from None" of a Ctrl-C at a question
        if isinstance(error.__cause__ or error.__context__, KeyboardInterrupt):
            code = Exit.TERMINATED if _signals else Exit.INTERRUPTED
            output.note(f"sessiondb: {code.name.lower()}; run the command again to go on")
        else:
            code = Exit.ERROR
            output.note("sessiondb: not confirmed, so nothing was done")
            output.note("  hint: Answer y, or add --yes.")
    except UnicodeEncodeError:
        output.note(f"sessiondb: {_misencoded()} is not valid UTF-8")
        output.note("  hint: Use a terminal with a UTF-8 locale.")
        code = Exit.USAGE
    except (OSError, SystemExit) as error:
        # click ends itself where the reader of our output has seen enough, which is no error of one who only reads
        is_closed = isinstance(error, BrokenPipeError | SystemExit)
        code = Exit.DONE if is_closed and not options.changes else Exit.ERROR
        if code != Exit.DONE:
            why = "its reader is gone" if isinstance(error, SystemExit) else error.strerror
            output.note(f"sessiondb: the output cannot be written: {why}")
            output.note(
                "  hint: What it did to the database stays: sessiondb status."
                if options.changes
                else "  hint: Make room where it goes."
            )
        output.write_no_more(sys.stdout)
    except Exception as error:  # a defect of ours; still one sentence
        output.note(f"sessiondb: unexpected {type(error).__name__}: {error}")
        output.note("  hint: this is a defect in sessiondb; please report it with the command that you ran.")
        code = Exit.ERROR
    sys.exit(int(code or 0))


def _show(error: click.ClickException) -> None:
    """Show how a command is used, and on one line, whatever is in an argument, what is wrong."""
    # the shell may have cut a password at its blanks
    words = [
        "\n" if word[:1] == "-" or word in cli.commands or (before in ("-d", "--dsn") and is_whole(word)) else word
        for before, word in zip(sys.argv, sys.argv[1:], strict=False)
    ]
    SECRETS.remember(" ".join(words).split("\n"))
    said = io.StringIO()
    error.show(said)
    message = error.format_message()
    for line in said.getvalue().rstrip("\n").replace(message, " ".join(message.split())).split("\n"):
        output.note(line)


def _hide_passwords() -> None:
    """Overwrite, as mysql does, what ps shows of arguments that may hold a password; only Linux lets us."""
    with contextlib.suppress(OSError):
        # the 48th value, the address of the arguments; the second, in brackets, may hold blanks
        address = int(Path("/proc/self/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[45])
        arguments = Path("/proc/self/cmdline").read_bytes()
        with Path("/proc/self/mem").open("r+b", buffering=0) as memory:
            for match in re.finditer(rb"[^\0]+", arguments):
                if re.search(rb"pass|pwd|secret|:.*@|://.*:", match.group(), re.DOTALL | re.IGNORECASE):
                    memory.seek(address + match.start())
                    memory.write(b"x" * len(match.group()))


def _remember_passwords() -> None:
    """Have the output leave out what may be a password in any argument and in any variable that is read."""
    SECRETS.clear()
    option = ""
    for argument in sys.argv[1:]:
        name, equals, value = argument.partition("=") if argument.startswith("--") else (argument[:2], "", argument[2:])
        if option in ("-d", "--dsn"):
            SECRETS.remember_address(argument)
        elif name in ("-d", "--dsn") and value:
            SECRETS.remember_address(value)
        else:
            SECRETS.remember([argument], "prose" if {option, name} & {"--title", "--name"} else "argument")
        option = "" if equals else argument
    for name, value in os.environ.items():
        if name in ("SESSIONDB_DATABASE_URL", "DATABASE_URL"):
            SECRETS.remember_address(value)
        elif name.startswith("PG") and name != "PGPASSWORD":
            SECRETS.remember([value], kind_of(name.removeprefix("PG")))


def _misencoded() -> str:
    """Return the option whose value is not valid UTF-8, or that value with escapes."""
    for before, argument in zip(sys.argv, sys.argv[1:], strict=False):
        if any("\ud800" <= character <= "\udfff" for character in argument):
            option = re.match(r"--[\w-]+|-\w", before)
            return f"the value of {option.group()}" if option else ascii(argument)
    return "an argument"


def _terminate(signum: int, frame: Any) -> NoReturn:
    """End as SIGINT does: psycopg cancels the running statement for it."""
    _signals.append(signum)
    raise KeyboardInterrupt
