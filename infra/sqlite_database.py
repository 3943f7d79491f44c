"""One SQLite file behind one thread: transactions, migrations and errors that say what to do.

Knows connections, durability and the schema's version. Does not know what the tables mean (the
stores in infra/stores_sqlite.py and infra/stores_sqlite_conversations.py do). One connection in a
thread of its own, so that the event loop never waits for a disk; other processes may use the file.
"""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from tools.stores import StoreUnavailable

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

IN_MEMORY = ":memory:"
BUSY_TIMEOUT_S = 5.0
"""How long a write waits for another process; writes take milliseconds."""
APPLICATION_ID = 0x55534852
"""'USHR' in the file's header: an unrelated SQLite file is refused, not filled with tables."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE conversation (
             conversation_id TEXT PRIMARY KEY,
             principal TEXT NOT NULL,
             version INTEGER NOT NULL,
             created_at REAL NOT NULL,
             state TEXT NOT NULL,
             running_turn TEXT,
             lease_until REAL NOT NULL)""",
        """CREATE TABLE turn (
             turn_id TEXT PRIMARY KEY,
             conversation_id TEXT NOT NULL
               REFERENCES conversation (conversation_id) ON DELETE CASCADE,
             position INTEGER NOT NULL,
             message TEXT NOT NULL,
             status TEXT NOT NULL,
             started_at REAL NOT NULL,
             edits TEXT NOT NULL,
             finished_at REAL,
             answer TEXT NOT NULL,
             events TEXT NOT NULL,
             UNIQUE (conversation_id, position))""",
        """CREATE TABLE profile (
             principal TEXT PRIMARY KEY,
             version INTEGER NOT NULL,
             preferences TEXT NOT NULL)""",
        """CREATE TABLE interaction (
             sequence INTEGER PRIMARY KEY AUTOINCREMENT,
             principal TEXT NOT NULL,
             key TEXT NOT NULL,
             kind TEXT NOT NULL,
             movie_id TEXT NOT NULL,
             at REAL NOT NULL,
             value REAL,
             conversation_id TEXT,
             turn_id TEXT,
             UNIQUE (principal, key))""",
        "CREATE INDEX interaction_recent ON interaction (principal, at, sequence)",
        "CREATE TABLE cache (key TEXT PRIMARY KEY, value BLOB NOT NULL, expires_at REAL NOT NULL)",
        "CREATE INDEX cache_expiry ON cache (expires_at)",
        """CREATE TABLE quota (
             principal TEXT NOT NULL,
             name TEXT NOT NULL,
             window_s INTEGER NOT NULL,
             window_start INTEGER NOT NULL,
             used INTEGER NOT NULL,
             PRIMARY KEY (principal, name, window_s, window_start))""",
    ),
    (
        # A cached value may belong to a person, and goes when that person is erased.
        "DROP TABLE cache",
        """CREATE TABLE cache (
             owner TEXT NOT NULL,
             key TEXT NOT NULL,
             value BLOB NOT NULL,
             expires_at REAL NOT NULL,
             PRIMARY KEY (owner, key))""",
        "CREATE INDEX cache_expiry ON cache (expires_at)",
    ),
    (
        "ALTER TABLE cache ADD COLUMN version INTEGER NOT NULL DEFAULT 1",
        """CREATE TABLE api_key (
             key_id TEXT PRIMARY KEY,
             name TEXT NOT NULL,
             digest TEXT NOT NULL,
             created_at REAL NOT NULL,
             revoked_at REAL)""",
    ),
)
"""Entry n takes a file from `user_version` n to n + 1. Append only: none ever changes."""


class Database:
    """An open file. Every method may be called from any task or event loop."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite")
        self._level = ""
        """How the last write was synchronised; of the one thread alone."""

    @classmethod
    async def open(cls, path: Path | str) -> "Database":
        """Open or create, and migrate. Raises: StoreUnavailable."""
        database = cls(str(path))
        try:
            await asyncio.get_running_loop().run_in_executor(database._thread, database._connect)
        except StoreUnavailable:
            database._thread.shutdown(wait=False)
            raise
        return database

    async def read(self, work: Work[T]) -> T:
        """Run `work` on one consistent snapshot."""
        return await self._run(lambda connection: _transact(connection, "BEGIN", work))

    async def write(self, work: Work[T], *, durable: bool = True) -> T:
        """Run `work` in one write transaction; an exception in it undoes everything.

        A durable write survives a power cut (fsync before it returns), any write a killed process.
        """
        level = "FULL" if durable else "NORMAL"

        def transact(connection: sqlite3.Connection) -> T:
            if level != self._level:
                connection.execute(f"PRAGMA synchronous = {level}")
                self._level = level
            return _transact(connection, "BEGIN IMMEDIATE", work)

        return await self._run(transact)

    async def close(self) -> None:
        """Wait for what is running, then close the file; closing twice is harmless."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, connection.close)
        self._thread.shutdown(wait=False)

    async def _run(self, work: Work[T]) -> T:
        connection = self._connection
        if connection is None:
            raise StoreUnavailable(f"the store {self.path} is closed: the service is shutting down")

        def guarded() -> T:
            try:
                return work(connection)
            except sqlite3.Error as error:
                raise unavailable(self.path, error) from error

        return await asyncio.get_running_loop().run_in_executor(self._thread, guarded)

    def _connect(self) -> None:
        connection: sqlite3.Connection | None = None
        try:
            if self.path != IN_MEMORY:
                _create_private(Path(self.path))
            connection = sqlite3.connect(
                self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=True
            )
            connection.row_factory = sqlite3.Row
            _use_wal(connection)
            connection.execute("PRAGMA foreign_keys = ON")
            # Erased conversations are overwritten in the file, not just unlinked.
            connection.execute("PRAGMA secure_delete = ON")
            _transact(connection, "BEGIN IMMEDIATE", lambda c: _migrate(c, self.path))
        except sqlite3.Error as error:
            _close_quietly(connection)
            raise unavailable(self.path, error) from error
        except OSError as error:
            reason = error.strerror or str(error)
            raise StoreUnavailable(
                f"cannot create the store {self.path} ({reason}): {_CHOOSE_HOME}"
            ) from error
        except StoreUnavailable:
            _close_quietly(connection)
            raise
        self._connection = connection


def _transact(connection: sqlite3.Connection, begin: str, work: Work[T]) -> T:
    connection.execute(begin)
    try:
        result = work(connection)
        connection.execute("COMMIT")
    finally:
        # Only after an error; and then SQLite may have rolled back by itself, as on a full disk.
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
    return result


def _create_private(path: Path) -> None:
    """Conversations are personal: only the owner may read the file, its -wal and its -shm."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL; this alone ignores the busy timeout when two processes open a new file."""
    give_up = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            busy = _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
            if not busy or time.monotonic() > give_up:
                raise
            time.sleep(0.02)


def _migrate(connection: sqlite3.Connection, path: str) -> None:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    owner: int = connection.execute("PRAGMA application_id").fetchone()[0]
    tables: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if owner != APPLICATION_ID and tables:
        raise StoreUnavailable(f"{path} is a database of another program; {_CHOOSE_HOME}")
    if version > len(MIGRATIONS):
        raise StoreUnavailable(
            f"{path} was written by a newer Usher (schema {version}, this one knows "
            f"{len(MIGRATIONS)}): upgrade Usher, or {_CHOOSE_HOME}"
        )
    for statements in MIGRATIONS[version:]:
        for statement in statements:
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


_CHOOSE_HOME = "set USHER_HOME to a folder that Usher may write to"
_NEXT_STEPS = {
    sqlite3.SQLITE_READONLY: f"it is read-only; make it writable or {_CHOOSE_HOME}",
    sqlite3.SQLITE_CANTOPEN: f"it cannot be opened; check its permissions or {_CHOOSE_HOME}",
    sqlite3.SQLITE_PERM: f"access is denied; check its permissions or {_CHOOSE_HOME}",
    sqlite3.SQLITE_FULL: "the disk is full; free some space and try again",
    sqlite3.SQLITE_IOERR: "the disk reports an error; check its free space and health",
    sqlite3.SQLITE_BUSY: "another process holds it locked; close that one or try again",
    sqlite3.SQLITE_LOCKED: "another process holds it locked; close that one or try again",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; move it away or restore a backup",
    sqlite3.SQLITE_NOTADB: "the file is not an Usher store; move it away or restore a backup",
}


def unavailable(path: str, error: sqlite3.Error) -> StoreUnavailable:
    """The port's error for one of SQLite's, with the next step."""
    step = _NEXT_STEPS.get(_code(error), "see the cause and try again")
    return StoreUnavailable(f"the store {path} cannot be used ({error}): {step}")


def _code(error: sqlite3.Error) -> int:
    """The primary result code: the low byte of the extended one."""
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def _close_quietly(connection: sqlite3.Connection | None) -> None:
    if connection is not None:
        with suppress(sqlite3.Error):
            connection.close()
