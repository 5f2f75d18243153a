"""A PostgreSQL cluster of our own, in a temporary folder, run by a user other than root."""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ledger.processes import ChildProcess, wait_until
from tests.support.ports import free_port

# Nothing of it must outlive a crash, so it need not wait for the disk.
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "shared_buffers": "64MB",
    # A checkpoint deletes what it needs no more: erasing is searched for in the log, too.
    "wal_recycle": "off",
}


class Cluster:
    """A running cluster that makes databases."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._numbers = itertools.count(1)

    def url(self, database: str) -> str:
        """A SQLAlchemy URL."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self._port}/{database}"

    def new_database(self, template: str = "") -> str:
        """The URL of an empty database, or of a copy of the one at a URL that nobody uses now."""
        name = f"test_{next(self._numbers)}"
        source = template.rpartition("/")[2] or "template0"
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{source}" ENCODING UTF8')
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Drop a database, and whoever is connected to it."""
        self._run(f'DROP DATABASE "{url.rpartition("/")[2]}" WITH (FORCE)')

    def answers(self) -> bool:
        """Whether it takes connections."""
        try:
            self._run("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, statement: str) -> None:
        with psycopg.connect(
            host="127.0.0.1", port=self._port, user="postgres", autocommit=True
        ) as connection:
            connection.execute(statement.encode())


def find_postgres() -> Path | None:
    """The folder of `initdb` and `postgres`: Debian's newest, else where PATH leads."""
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])
    )
    if installed:
        return installed[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path is not None else None


@contextlib.contextmanager
def cluster_or_skip() -> Iterator[Cluster]:
    """A new cluster. Where PostgreSQL is not there, a person's test is skipped, and CI's fails."""
    programs = find_postgres()
    if programs is None:
        reason = "PostgreSQL (initdb) is not on this machine"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with running_cluster(programs) as cluster:
        yield cluster


@contextlib.contextmanager
def running_cluster(programs: Path) -> Iterator[Cluster]:
    """A new cluster on a free port, removed at the end."""
    # Not pytest's own temporary folder: that one is root's alone where root runs the tests.
    folder = Path(tempfile.mkdtemp(prefix="moonlake-postgres-"))
    try:
        prefix = _as_other_user(folder)
        data = folder / "data"
        subprocess.run(
            [
                *prefix,
                *(str(programs / "initdb"), "--pgdata", str(data), "--username", "postgres"),
                *("--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
            ],
            cwd=folder,
            check=True,
            capture_output=True,
        )
        port = free_port()
        command = [
            *prefix,
            *(str(programs / "postgres"), "-D", str(data), "-p", str(port), "-k", str(folder)),
            *(f"--{name}={value}" for name, value in _SETTINGS.items()),
        ]
        log = folder / "log"
        with ChildProcess("PostgreSQL", command, folder=folder, log=log) as process:
            cluster = Cluster(port)
            ready = wait_until(lambda: process.has_ended or cluster.answers(), seconds=60)
            assert ready, f"PostgreSQL did not answer: {process.last_words()}"
            assert not process.has_ended, f"PostgreSQL {process.ending}: {process.last_words()}"
            yield cluster
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as_other_user(folder: Path) -> list[str]:
    """PostgreSQL refuses to be root; give the folder to another user and run as that one."""
    if os.geteuid() != 0:
        return []
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    setpriv = shutil.which("setpriv")
    if setpriv is not None:
        return [
            *(setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"),
            # Changing users clears what ChildProcess asked for.
            *("--pdeathsig", "KILL", "--"),
        ]
    runuser = shutil.which("runuser")
    assert runuser is not None, "root needs setpriv or runuser to start PostgreSQL"
    return [runuser, "-u", user.pw_name, "--"]
