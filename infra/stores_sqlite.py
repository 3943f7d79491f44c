"""The embedded stores: profiles, interactions, cache, quotas and keys in one SQLite file.

Knows the SQL of five ports of tools/stores.py; the sixth, conversations, stands in
infra/stores_sqlite_conversations.py. Does not know what is remembered or why. Opened by
infra/wiring.py; tests/contracts_stores.py holds the behaviour.
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from infra.sqlite_database import IN_MEMORY, Database
from infra.store_records import check_cache_size, check_size, to_text
from infra.stores_sqlite_conversations import SqliteConversations
from tools.stores import (
    ApiKey,
    Cached,
    Interaction,
    InteractionKind,
    NotFound,
    Profile,
    QuotaExceeded,
    StaleVersion,
    Stores,
)

__all__ = ["IN_MEMORY", "SqliteStores"]

SWEEP_EVERY_S = 60.0
"""How often expired values and past quota windows are removed, in the time that callers pass in."""


@dataclass(frozen=True, slots=True)
class SqliteStores(Stores):
    """The six stores on one file."""

    database: Database

    @classmethod
    async def open(cls, path: Path | str = IN_MEMORY) -> "SqliteStores":
        """Open or create; ":memory:" forgets everything on close. Raises: StoreUnavailable."""
        database = await Database.open(path)
        return cls(
            conversations=SqliteConversations(database),
            profiles=SqliteProfiles(database),
            interactions=SqliteInteractions(database),
            cache=SqliteCache(database),
            quotas=SqliteQuotas(database),
            keys=SqliteKeys(database),
            database=database,
        )

    async def close(self) -> None:
        """Finish what is running and close the file."""
        await self.database.close()


class SqliteProfiles:
    """ProfileStore on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, principal: str) -> Profile:
        def work(connection: sqlite3.Connection) -> Profile:
            row = connection.execute(
                "SELECT version, preferences FROM profile WHERE principal = ?", (principal,)
            ).fetchone()
            return Profile(row["version"], json.loads(row["preferences"])) if row else Profile()

        return await self._database.read(work)

    async def put(self, principal: str, profile: Profile) -> Profile:
        preferences = to_text(profile.preferences)
        check_size("profile", preferences)
        saved = replace(profile, version=profile.version + 1)

        def work(connection: sqlite3.Connection) -> None:
            if profile.version == 0:
                changed = connection.execute(
                    "INSERT INTO profile VALUES (?, ?, ?) ON CONFLICT (principal) DO NOTHING",
                    (principal, saved.version, preferences),
                ).rowcount
            else:
                changed = connection.execute(
                    "UPDATE profile SET version = ?, preferences = ? "
                    "WHERE principal = ? AND version = ?",
                    (saved.version, preferences, principal, profile.version),
                ).rowcount
            if not changed:
                raise StaleVersion("the profile was changed meanwhile: read it again and retry")

        await self._database.write(work)
        return saved

    async def delete(self, principal: str) -> None:
        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM profile WHERE principal = ?", (principal,))

        await self._database.write(work)


class SqliteInteractions:
    """InteractionStore on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, principal: str, interactions: Sequence[Interaction]) -> int:
        rows = [
            (
                *(principal, i.key, i.kind, i.movie_id, i.at),
                *(i.value, i.conversation_id, i.turn_id),
            )
            for i in interactions
        ]
        for row in rows:
            check_size("interaction", *(text for text in row if isinstance(text, str)))

        def work(connection: sqlite3.Connection) -> int:
            return connection.executemany(
                "INSERT INTO interaction (principal, key, kind, movie_id, at, value, "
                "conversation_id, turn_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (principal, key) DO NOTHING",
                rows,
            ).rowcount

        return await self._database.write(work) if rows else 0

    async def recent(
        self, principal: str, kinds: Sequence[InteractionKind] = (), limit: int = 1000
    ) -> list[Interaction]:
        marks = ", ".join("?" * len(kinds))
        only = f"AND kind IN ({marks}) " if kinds else ""

        def work(connection: sqlite3.Connection) -> list[Interaction]:
            rows = connection.execute(
                "SELECT key, kind, movie_id, at, value, conversation_id, turn_id FROM interaction "
                f"WHERE principal = ? {only}ORDER BY at DESC, sequence DESC LIMIT ?",
                (principal, *kinds, limit),
            )
            return [Interaction(*row) for row in rows]

        return await self._database.read(work)

    async def delete(self, principal: str) -> int:
        def work(connection: sqlite3.Connection) -> int:
            return connection.execute(
                "DELETE FROM interaction WHERE principal = ?", (principal,)
            ).rowcount

        return await self._database.write(work)


_NEW_CACHED = "value = excluded.value, expires_at = excluded.expires_at, version = version + 1"


class SqliteCache:
    """CacheStore on SQLite; not durable, because a value may vanish at any time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sweep_at = 0.0

    async def get(self, key: str, *, now: float, owner: str = "") -> bytes | None:
        found = await self.versioned(key, now=now, owner=owner)
        return found.value if found else None

    async def versioned(self, key: str, *, now: float, owner: str = "") -> Cached | None:
        if now >= self._sweep_at:
            self._sweep_at = now + SWEEP_EVERY_S
            await self._sweep(now)

        def work(connection: sqlite3.Connection) -> Cached | None:
            row = connection.execute(
                "SELECT value, version FROM cache WHERE owner = ? AND key = ? AND expires_at > ?",
                (owner, key, now),
            ).fetchone()
            return Cached(bytes(row["value"]), row["version"]) if row else None

        return await self._database.read(work)

    async def put(self, key: str, value: bytes, *, expires_at: float, owner: str = "") -> None:
        check_cache_size(value)

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO cache (owner, key, value, expires_at) VALUES (?, ?, ?, ?) "
                f"ON CONFLICT DO UPDATE SET {_NEW_CACHED}",
                (owner, key, value, expires_at),
            )

        await self._database.write(work, durable=False)

    async def put_if_version(
        self,
        key: str,
        value: bytes,
        *,
        version: int,
        expires_at: float,
        now: float,
        owner: str = "",
    ) -> int:
        check_cache_size(value)

        def work(connection: sqlite3.Connection) -> int:
            if version == 0:
                written = connection.execute(
                    "INSERT INTO cache (owner, key, value, expires_at) VALUES (?, ?, ?, ?) "
                    f"ON CONFLICT DO UPDATE SET {_NEW_CACHED} WHERE cache.expires_at <= ?",
                    (owner, key, value, expires_at, now),
                ).rowcount
            else:
                written = connection.execute(
                    "UPDATE cache SET value = ?, expires_at = ?, version = version + 1 "
                    "WHERE owner = ? AND key = ? AND version = ? AND expires_at > ?",
                    (value, expires_at, owner, key, version, now),
                ).rowcount
            if not written:
                raise StaleVersion("the cached value was changed meanwhile: read it again")
            row = connection.execute(
                "SELECT version FROM cache WHERE owner = ? AND key = ?", (owner, key)
            ).fetchone()
            return int(row["version"])

        return await self._database.write(work, durable=False)

    async def delete(self, owner: str) -> int:
        def work(connection: sqlite3.Connection) -> int:
            return connection.execute(
                "DELETE FROM cache WHERE owner = ? AND owner <> ''", (owner,)
            ).rowcount

        return await self._database.write(work)

    async def _sweep(self, now: float) -> None:
        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM cache WHERE expires_at <= ?", (now,))

        await self._database.write(work, durable=False)


class SqliteQuotas:
    """QuotaStore on SQLite: fixed windows that start at multiples of their length."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sweep_at = 0.0

    async def take(
        self, principal: str, name: str, *, limit: int, window_s: int, now: float, amount: int = 1
    ) -> int:
        start = int(now // window_s) * window_s
        key = (principal, name, window_s, start)
        sweep = now >= self._sweep_at
        if sweep:
            self._sweep_at = now + SWEEP_EVERY_S

        def work(connection: sqlite3.Connection) -> int:
            if sweep:
                connection.execute("DELETE FROM quota WHERE window_start + window_s <= ?", (now,))
            taken = (
                amount <= limit
                and connection.execute(
                    "INSERT INTO quota VALUES (?, ?, ?, ?, ?) "
                    "ON CONFLICT DO UPDATE SET used = used + excluded.used "
                    "WHERE used + excluded.used <= ?",
                    (*key, amount, limit),
                ).rowcount
            )
            if not taken:
                raise QuotaExceeded(name, retry_after=start + window_s - now)
            used: int = connection.execute(
                "SELECT used FROM quota WHERE principal = ? AND name = ? AND window_s = ? "
                "AND window_start = ?",
                key,
            ).fetchone()["used"]
            return limit - used

        return await self._database.write(work, durable=False)

    async def delete(self, principal: str) -> int:
        def work(connection: sqlite3.Connection) -> int:
            return connection.execute(
                "DELETE FROM quota WHERE principal = ?", (principal,)
            ).rowcount

        return await self._database.write(work)


class SqliteKeys:
    """Keys on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, key: ApiKey) -> None:
        def work(connection: sqlite3.Connection) -> None:
            created = connection.execute(
                "INSERT INTO api_key VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (key.key_id, key.name, key.digest, key.created_at, key.revoked_at),
            ).rowcount
            if not created:
                raise StaleVersion(f"there is a key {key.key_id} already: make another one")

        await self._database.write(work)

    async def find(self, key_id: str) -> ApiKey | None:
        def work(connection: sqlite3.Connection) -> ApiKey | None:
            row = connection.execute("SELECT * FROM api_key WHERE key_id = ?", (key_id,)).fetchone()
            return ApiKey(*row) if row else None

        return await self._database.read(work)

    async def list(self) -> list[ApiKey]:
        def work(connection: sqlite3.Connection) -> list[ApiKey]:
            rows = connection.execute("SELECT * FROM api_key ORDER BY created_at, key_id")
            return [ApiKey(*row) for row in rows]

        return await self._database.read(work)

    async def revoke(self, key_id: str, *, now: float) -> ApiKey:
        def work(connection: sqlite3.Connection) -> ApiKey:
            connection.execute(
                "UPDATE api_key SET revoked_at = coalesce(revoked_at, ?) WHERE key_id = ?",
                (now, key_id),
            )
            row = connection.execute("SELECT * FROM api_key WHERE key_id = ?", (key_id,)).fetchone()
            if row is None:
                raise NotFound(f"there is no API key {key_id}: see usher keys list")
            return ApiKey(*row)

        return await self._database.write(work)
