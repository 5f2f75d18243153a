"""One mirror at a time writes a database: the others wait.

Who leads has two proofs of it. A lock that ends with its process, however it ends: a file's on
SQLite, a connection's on PostgreSQL; whoever gets it knows at once that the one before is gone. And
a number in the database, the epoch, that is one higher for each leader and that every commit names:
one that lost the lead without knowing it, since it was paused or cut off, cannot write any more.

A paused process keeps its lock. So the leader also changes a row, the beat, every second; where
that stands still for EXPIRY_SECONDS of a waiting mirror's own time, that one leads from then on,
and takes the lock when it gets free. What cannot be taken over: a process that is paused in the
midst of a commit holds the database's own lock, on SQLite until it ends, on PostgreSQL until the
server ends its session (`ledger.store.engine`).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from ledger.disks import folder_unusable
from ledger.errors import LedgerError
from ledger.store.bulk import insert_rows
from ledger.store.engine import POSTGRESQL, database_unusable, reading, sqlite_file, writing
from ledger.store.mirror_tables import mirror_lease

BEAT_SECONDS = 1.0
EXPIRY_SECONDS = 10.0
"""For how long a leader's beat stands still before another mirror takes its place."""

_LOOK_SECONDS = 0.2
_ROW = 1
_NOBODY = ""


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock that belongs to a database: how its file ends on SQLite, its number on PostgreSQL."""

    ending: str
    number: int


_LEASE = Lock(".mirror-lock", 0x4D4D4952)  # "MMIR"

BUILDING = Lock(".rebuild-lock", 0x4D524542)  # "MREB"
"""Held by whoever builds new tables; a mirror may follow meanwhile."""


class Stopped(Exception):
    """The process was asked to end."""


class LeaseLost(Exception):
    """Another mirror leads by now; nothing was written."""


def interruptible_sleep(stop: threading.Event) -> Callable[[float], None]:
    """A `time.sleep` that ends with Stopped once `stop` is set."""

    def sleep(seconds: float) -> None:
        if stop.wait(seconds):
            raise Stopped

    return sleep


# --- the lease ----------------------------------------------------------------------------------


class Lease:
    """The right to write the mirror of a database, for as long as nobody else took it."""

    def __init__(self, epoch: int, *, locked: bool) -> None:
        """`locked` says that the lock is held too."""
        self.epoch = epoch
        self.locked = locked
        self._beaten = time.monotonic()

    @property
    def is_due(self) -> bool:
        """Whether a second went by without a sign of life."""
        return time.monotonic() - self._beaten >= BEAT_SECONDS

    def fence(self, connection: Connection) -> None:
        """Begin a transaction that writes: a sign of life, and LeaseLost where it is too late.

        Until the transaction ends nobody can take the lease.
        """
        row = mirror_lease.c
        changed = connection.execute(
            update(mirror_lease).where(row.epoch == self.epoch).values(beat=row.beat + 1)
        )
        if changed.rowcount != 1:
            raise LeaseLost
        self._beaten = time.monotonic()


@contextmanager
def lead(
    engine: Engine, stop: threading.Event, on_wait: Callable[[], None] = lambda: None
) -> Iterator[Lease]:
    """Take the database's lease and keep it. `on_wait` is called once where another holds it.

    Raises Stopped where `stop` is set while it waits, DatabaseUnusable, FolderUnusable, DiskFull.
    """
    with ExitStack() as held:
        lock = open_lock(engine, held, _LEASE)
        lease = _take(engine, stop, lock)
        if lease is None:
            on_wait()
            watch = _Watch()
            while lease is None:
                if stop.wait(_LOOK_SECONDS):
                    raise Stopped
                lease = _take(engine, stop, lock, watch)
        heart = _Heart(engine, lease, lock)
        held.callback(_give_back, engine, lease)
        held.callback(heart.stop)
        heart.start()
        yield lease


@dataclass(frozen=True, slots=True)
class Leader:
    """Who writes the mirror, as the database tells: `holder` is a host and a process, or empty."""

    epoch: int
    beat: int
    locked: bool
    holder: str


def read_leader(connection: Connection) -> Leader:
    """Who leads, or led last; the epoch 0 where nobody ever did."""
    row = connection.execute(select(mirror_lease)).one_or_none()
    if row is None:
        return Leader(0, 0, locked=True, holder=_NOBODY)
    return Leader(row.epoch, row.beat, locked=bool(row.locked), holder=row.holder)


class _Watch:
    """Counts for how long a leader gave no sign of life, in the time of who looks."""

    def __init__(self) -> None:
        self._seen: tuple[int, int] | None = None
        self._silent = 0.0
        self._looked = time.monotonic()

    def has_expired(self, leader: Leader) -> bool:
        """Whether the leader was silent for too long, up to this look."""
        now = time.monotonic()
        # Time in which nobody looked, since this process was paused itself, does not count.
        passed, self._looked = min(now - self._looked, 5 * _LOOK_SECONDS), now
        sign = (leader.epoch, leader.beat)
        self._silent = self._silent + passed if sign == self._seen else 0.0
        self._seen = sign
        return self._silent >= EXPIRY_SECONDS


def _take(
    engine: Engine, stop: threading.Event, lock: Taker, watch: _Watch | None = None
) -> Lease | None:
    """The lease, if it can be had now; the lock is ours afterwards only with it."""
    if stop.is_set():
        raise Stopped
    lease = _take_if_free(engine, lock, watch)
    if lease is None:
        lock.give_back()
    return lease


def _take_if_free(engine: Engine, lock: Taker, watch: _Watch | None) -> Lease | None:
    locked = lock.take()
    try:
        with reading(engine) as connection:
            leader = read_leader(connection)
        gone = leader.holder == _NOBODY or (locked and leader.locked)
        expired = watch is not None and watch.has_expired(leader)
        if not (gone and locked) and not expired:
            return None
        with writing(engine) as connection:
            return _begin_epoch(connection, leader, gone=gone and locked, locked=locked)
    except IntegrityError:
        return None  # two came to an empty table, and the other was first
    except DBAPIError as error:
        raise database_unusable(engine, error) from error


def _begin_epoch(
    connection: Connection, before: Leader, *, gone: bool, locked: bool
) -> Lease | None:
    """Write down that this process leads, unless somebody moved since `before`."""
    epoch, holder = before.epoch + 1, f"{socket.gethostname()}:{os.getpid()}"
    if before.epoch == 0 and read_leader(connection).epoch == 0:
        insert_rows(connection, mirror_lease, [(_ROW, epoch, 0, int(locked), holder)])
        return Lease(epoch, locked=locked)
    row = mirror_lease.c
    statement = update(mirror_lease).where(row.epoch == before.epoch)
    if not gone:
        statement = statement.where(row.beat == before.beat)
    values = {"epoch": epoch, "beat": row.beat + 1, "locked": int(locked), "holder": holder}
    changed = connection.execute(statement.values(values))
    return Lease(epoch, locked=locked) if changed.rowcount == 1 else None


def _give_back(engine: Engine, lease: Lease) -> None:
    """Say that nobody leads, if it is not too late; who finds the lock free knows anyway."""
    row = mirror_lease.c
    statement = update(mirror_lease).where(row.epoch == lease.epoch)
    with contextlib.suppress(DBAPIError, LedgerError), writing(engine) as connection:
        connection.execute(statement.values(holder=_NOBODY))


class _Heart:
    """Gives signs of life while the leader has nothing to commit, and gets the lock if it lacks."""

    def __init__(self, engine: Engine, lease: Lease, lock: Taker) -> None:
        self._engine = engine
        self._lease = lease
        self._lock = lock
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """Beat no more."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(BEAT_SECONDS / 4):
            try:
                if not self._lease.locked and self._lock.take():
                    self._beat(locked=1)
                    self._lease.locked = True
                elif self._lease.is_due:
                    self._lock.take()  # where its connection was lost, this says so
                    self._beat()
            except LeaseLost:
                return  # the next commit will find out
            except (DBAPIError, LedgerError):
                continue  # whoever works on the database tells what is wrong with it

    def _beat(self, **more: int) -> None:
        with writing(self._engine) as connection:
            self._lease.fence(connection)
            if more:
                connection.execute(update(mirror_lease).values(more))


# --- locks --------------------------------------------------------------------------------------


@contextmanager
def holding(
    engine: Engine, lock: Lock, stop: threading.Event, on_wait: Callable[[], None]
) -> Iterator[None]:
    """Hold a lock, after waiting for it. Raises Stopped where `stop` is set while it waits."""
    with ExitStack() as held:
        opened = open_lock(engine, held, lock)
        if not opened.take():
            on_wait()
            while not opened.take():
                if stop.wait(_LOOK_SECONDS):
                    raise Stopped
        yield


class Taker(Protocol):
    """What takes a lock and gives it back."""

    def take(self) -> bool:
        """Try to take the lock; whether it is ours now."""
        ...

    def give_back(self) -> None:
        """Let others take it."""
        ...


def open_lock(engine: Engine, held: ExitStack, lock: Lock) -> Taker:
    """A lock of a database, ours from the time it is taken until `held` closes.

    Raises DatabaseUnusable, FolderUnusable and DiskFull.
    """
    if engine.dialect.name == POSTGRESQL:
        return _AdvisoryLock(engine, held, lock)
    return _FileLock(lock_file(engine, lock), held)


def lock_file(engine: Engine, lock: Lock) -> Path:
    """Where a lock of a SQLite database is."""
    database = sqlite_file(engine)
    return database.with_name(database.name + lock.ending)


class _FileLock:
    def __init__(self, path: Path, held: ExitStack) -> None:
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise folder_unusable(path.parent, error) from error
        held.callback(os.close, self._descriptor)

    def take(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def give_back(self) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)


# Several mirrors may stand in schemas of their own, and so have leases of their own.
_ADVISORY = "SELECT pg_{}(:lock, hashtext(current_schema()))"


class _AdvisoryLock:
    def __init__(self, engine: Engine, held: ExitStack, lock: Lock) -> None:
        self._engine = engine
        self._number = lock.number
        self._connection = _own_connection(engine, held)
        self._ours = False

    def take(self) -> bool:
        if self._ours:  # a second lock would have to be given back twice
            self._ask("SELECT 1")
        else:
            self._ours = self._ask(_ADVISORY.format("try_advisory_lock"))
        return self._ours

    def give_back(self) -> None:
        if self._ours:
            self._ask(_ADVISORY.format("advisory_unlock"))
            self._ours = False

    def _ask(self, statement: str) -> bool:
        try:
            found = self._connection.execute(text(statement), {"lock": self._number})
            return bool(found.scalar_one())
        except DBAPIError as error:
            raise database_unusable(self._engine, error) from error


def _own_connection(engine: Engine, held: ExitStack) -> Connection:
    """A connection outside transactions; closed for good at the end, since its locks go with it."""
    try:
        connection = held.enter_context(engine.connect())
    except DBAPIError as error:
        raise database_unusable(engine, error) from error
    held.callback(connection.invalidate)
    connection.execution_options(isolation_level="AUTOCOMMIT")
    return connection
