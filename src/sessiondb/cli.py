"""The entry point: the group of commands, the one place that catches errors, and the signals."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import click
import click.shell_completion

from sessiondb import output
from sessiondb.commands import Options, common_options, demo, links, migrations, records, trainer
from sessiondb.errors import Exit, PlatformRefusedError, SessiondbError, UsageError
from sessiondb.passwords import SECRETS, is_whole, kind_of, without_passwords


class _Group(click.Group):
    """Suggests our command for a word of another migration tool."""

    OTHERS: ClassVar = {
        "help": "--help",
        "version": "--version",
        **dict.fromkeys(["up", "migrate", "upgrade", "deploy", "install", "init"], "apply"),
        **dict.fromkeys(["down", "downgrade", "revert", "uninstall"], "rollback --to ID"),
        **dict.fromkeys(["log", "history", "current", "info"], "status"),
        **dict.fromkeys(["verify", "validate", "doctor"], "check"),
        **dict.fromkeys(["why"], "explain"),
    }

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] in self.OTHERS:
            ctx.fail(f"No such command '{args[0]}'. Run: sessiondb {self.OTHERS[args[0]]}")
        return super().resolve_command(ctx, args)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
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


class _Bash(click.shell_completion.BashComplete):
    """Quotes a name for bash, which would run what looks like a command in it; zsh and fish do this themselves."""

    source_template = click.shell_completion.BashComplete.source_template.replace(
        "COMPREPLY+=($value)",
        r"""case ${COMP_WORDS[COMP_CWORD]} in
                \"*) value=$(sed -e 's/[\\"`$]/\\&/g' -e "s/!/\"'!'\"/g" <<< "$value") ;;
                \'*) value=$(sed "s/'/'\\\\''/g" <<< "$value") ;;
                *) value=$(printf '%%q' "$value") ;;
            esac
            COMPREPLY+=("$value")""",
    ).replace("read type", "read -r type")


click.shell_completion.add_completion_class(_Bash)

_signals: list[int] = []


def _open_streams() -> None:
    """Have all three streams; a supervisor may have closed some, which are None then."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = Path(os.devnull).open("r" if name == "stdin" else "w", encoding="utf-8")  # noqa: SIM115  (till the end)
            setattr(sys, name, nowhere)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without accents shows what it can


def main() -> NoReturn:  # noqa: PLR0912  (a branch for each way to exit)
    """Run the command line and exit with one of the codes of :class:`sessiondb.errors.Exit`."""
    _hide_passwords()
    _remember_passwords()
    signal.signal(signal.SIGTERM, _terminate)
    _open_streams()
    # it logs an error that it ignores, for instance in the rollback of a transaction that SIGINT ended
    logging.getLogger("psycopg").addHandler(logging.NullHandler())
    options = Options()
    try:
        code = cli.main(standalone_mode=False, obj=options)
        sys.stdout.flush()
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.ClickException as error:
        code = error.exit_code
        _remember_words()
        if _wants_json(options):
            _fail(options, SessiondbError(" ".join(error.format_message().split())), code)
        else:
            _show(error)
    except SessiondbError as error:
        code = _fail(options, error)
    except click.Abort as error:
        # click says "from None" of a Ctrl-C or an end of input at a question, whose line is not ended
        if error.__cause__ is None and error.__context__:
            output.note("")
        if isinstance(error.__cause__ or error.__context__, KeyboardInterrupt):
            code = Exit.TERMINATED if _signals else Exit.INTERRUPTED
            then = "run the command again to resume" if error.__cause__ else "nothing was done"
            _fail(options, SessiondbError(f"{code.name.lower()}; {then}"), code)
        else:
            code = _fail(options, SessiondbError("not confirmed, so nothing was done", "Answer y, or add --yes."))
    except UnicodeEncodeError:
        code = _fail(options, UsageError(f"{_misencoded()} is not valid UTF-8", "Use a terminal with a UTF-8 locale."))
    except (OSError, SystemExit) as error:
        # click exits when the reader of our output is gone, which is no error for a command that only reads
        is_closed = isinstance(error, BrokenPipeError | SystemExit)
        code = Exit.DONE if is_closed and not options.changes else Exit.ERROR
        if code != Exit.DONE:
            why = "its reader has closed it" if isinstance(error, SystemExit) else error.strerror
            then = (
                "Its changes to the database stay: sessiondb status." if options.changes else "Free some space there."
            )
            _fail(options, SessiondbError(f"the output cannot be written: {why}", then))
        output.write_no_more(sys.stdout)
    except Exception as error:  # a bug of ours, but still one sentence
        hint = "This is a bug in sessiondb. Its maintainers need the command and the output of sessiondb status."
        code = _fail(options, SessiondbError(f"unexpected {type(error).__name__}: {error}", hint))
    sys.exit(int(code or 0))


def _wants_json(options: Options) -> bool:
    """Return whether errors are to be JSON, even if the command line could not be parsed."""
    return options.json or bool(re.search(r"(^|\n)--format[\n=]json(\n|$)", "\n".join(sys.argv[1:])))


def _fail(options: Options, error: SessiondbError, code: int | None = None) -> int:
    """Print why the command ends, for people or as a JSON object on one line, and return its exit code."""
    code = error.exit_code if code is None else code
    cause = error.__cause__ if options.verbose else None
    why = f"{type(cause).__name__}: {cause}" if cause else None
    if _wants_json(options):
        told = [without_passwords(text) if text else None for text in ("\n".join(error.lines), error.hint, why)]
        said: dict[str, Any] = dict(zip(("message", "hint", "cause"), told, strict=True)) | {"exit_code": int(code)}
        if isinstance(error, PlatformRefusedError):
            said["findings"] = [finding.as_json() for finding in error.findings]
        output.note_json({"error": said})
        return code
    output.note(f"sessiondb: {error.lines[0]}")
    for line in error.lines[1:]:
        output.note(line)
    for what, text in (("hint", error.hint), ("cause", why)):
        if text:
            output.note(f"  {what}: {text}")
    return code


def _show(error: click.ClickException) -> None:
    """Show how a command is used, and what is wrong on one line, whatever an argument contains."""
    said = io.StringIO()
    error.show(said)
    message = error.format_message()
    is_help = isinstance(error, getattr(click.exceptions, "NoArgsIsHelpError", ()))  # click 8.2 has it
    text = said.getvalue() if is_help else said.getvalue().replace(message, " ".join(message.split()))
    for line in text.rstrip("\n").split("\n"):
        output.note(line)


def _remember_words() -> None:
    """Hide passwords in pieces: the shell may have split one at its blanks."""
    words = [
        "\n" if word[:1] == "-" or word in cli.commands or (before in ("-d", "--dsn") and is_whole(word)) else word
        for before, word in zip(sys.argv, sys.argv[1:], strict=False)
    ]
    SECRETS.remember(" ".join(words).split("\n"))


def _hide_passwords() -> None:
    """Overwrite, as mysql does, the arguments that ps shows and that may hold a password; works on Linux only."""
    with contextlib.suppress(OSError):
        # the 48th value, the address of the arguments; the second, in brackets, may hold blanks
        address = int(Path("/proc/self/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[45])
        arguments = Path("/proc/self/cmdline").read_bytes()
        with Path("/proc/self/mem").open("r+b", buffering=0) as memory:
            for match in re.finditer(rb"[^\0]+", arguments):
                if re.search(rb"pass|pwd|secret|scram|:.*@|://.*:", match.group(), re.DOTALL | re.IGNORECASE):
                    memory.seek(address + match.start())
                    memory.write(b"x" * len(match.group()))


def _remember_passwords() -> None:
    """Hide what may be a password in any argument and in any variable that is read."""
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
    """Return the option whose value is not valid UTF-8, or else the value with escapes."""
    for before, argument in zip(sys.argv, sys.argv[1:], strict=False):
        if any("\ud800" <= character <= "\udfff" for character in argument):
            option = re.match(r"--[\w-]+|-\w", before)
            return f"the value of {option.group()}" if option else ascii(argument)
    return "an argument"


def _terminate(signum: int, frame: Any) -> NoReturn:
    """End as SIGINT does: psycopg then cancels the running statement."""
    _signals.append(signum)
    raise KeyboardInterrupt
