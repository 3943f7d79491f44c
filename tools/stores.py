"""The store ports: conversations, profiles, interactions, cache, quotas, keys; records and errors.

Knows what must be remembered and which writes are conditional. Does not know SQLite or DynamoDB
(infra/stores_sqlite.py, infra/stores_dynamodb.py); `tests/contracts_stores.py` holds the behaviour
that all implementations must show. Called by tools/, agent/assistant.py and the HTTP routes.

Every method takes the principal ("who is asking"), which comes from a signed session and never from
a message or a tool argument. Times are seconds since 1970 (UTC), passed in by the caller.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

TurnStatus = Literal["running", "completed", "cancelled", "failed"]
InteractionKind = Literal[
    "shown",
    "click",
    "like",
    "dislike",
    "swipe",
    "rating",
    "seen",
    "watch",
    "favourite",
    "skip",
    "share",
    "search",
]
JsonObject = Mapping[str, Any]


class StoreFailure(Exception):
    """A store refused or failed; the message says what to do next."""


class NotFound(StoreFailure):
    """No such record for this principal (somebody else's record is not found either)."""


class ConversationBusy(StoreFailure):
    """Another turn of the conversation is running."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(
            f"another message of this conversation is still being answered; "
            f"try again in {max(1, round(retry_after))} s"
        )
        self.retry_after = retry_after


class TurnSuperseded(StoreFailure):
    """The turn lost its lease: another process took the conversation over; its save is refused."""


class StaleVersion(StoreFailure):
    """A conditional write found a newer version; read again and retry."""


class QuotaExceeded(StoreFailure):
    """The limit of a quota window is reached."""

    def __init__(self, name: str, retry_after: float) -> None:
        super().__init__(f"quota {name!r} is used up; try again in {max(1, round(retry_after))} s")
        self.retry_after = retry_after


class RecordTooLarge(StoreFailure):
    """A record is over the size limit of the store."""


class StoreUnavailable(StoreFailure):
    """The store cannot be reached, read or written."""


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """One turn as kept: the user's message before the run, answer and events after it."""

    turn_id: str
    conversation_id: str
    index: int
    """0 for the first turn."""
    message: str
    status: TurnStatus
    started_at: float
    edits: Sequence[JsonObject] = ()
    finished_at: float | None = None
    answer: str = ""
    """The prose shown, or what there was of it when the turn was cancelled or failed."""
    events: Sequence[JsonObject] = ()
    """The event union as flat JSON, empty while running."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """The versioned head of a conversation, its dialogue state and its turns, oldest first."""

    conversation_id: str
    version: int
    created_at: float
    state: JsonObject = field(default_factory=dict)
    """The dialogue state after the last completed turn, as flat JSON."""
    running_turn: str | None = None
    lease_until: float = 0.0
    turns: Sequence[TurnRecord] = ()


class ConversationStore(Protocol):
    """Conversations: one record per turn plus a versioned head."""

    async def begin_turn(
        self, principal: str, turn: TurnRecord, *, lease_until: float, now: float
    ) -> Conversation:
        """Save the user's message and take the conversation, in one conditional write.

        Creates the conversation when `turn.index` is 0 and it does not exist. When a turn is
        running and its lease is over, that turn is marked failed and this one takes over.
        `turn.index` is replaced by the next free one; the returned conversation holds the earlier
        turns and state.

        Raises: ConversationBusy, NotFound (the conversation is not this principal's),
        RecordTooLarge.
        """
        ...

    async def finish_turn(self, principal: str, turn: TurnRecord, state: JsonObject | None) -> None:
        """Save answer, events and status, and free the conversation; `state` None keeps the old.

        Raises: TurnSuperseded when the conversation was taken over or deleted meanwhile.
        """
        ...

    async def load(self, principal: str, conversation_id: str) -> Conversation:
        """The conversation with its turns. Raises: NotFound."""
        ...

    async def turn(self, principal: str, turn_id: str) -> TurnRecord:
        """One turn with its events. Raises: NotFound."""
        ...

    async def delete(self, principal: str, conversation_id: str) -> None:
        """Remove the conversation and its turns. Raises: NotFound."""
        ...

    async def conversation_ids(self, principal: str) -> list[str]:
        """The ids of all conversations of a principal, oldest first."""
        ...

    async def delete_all(self, principal: str) -> int:
        """Erase every conversation of a principal; how many there were."""
        ...


@dataclass(frozen=True, slots=True)
class Profile:
    """What a person told us to keep; tastes are derived from interactions."""

    version: int = 0
    preferences: JsonObject = field(default_factory=dict)


class ProfileStore(Protocol):
    """One profile per principal."""

    async def get(self, principal: str) -> Profile:
        """The profile; an empty one at version 0 when there is none."""
        ...

    async def put(self, principal: str, profile: Profile) -> Profile:
        """Replace the profile if its stored version is `profile.version`; returns the new one.

        Raises: StaleVersion.
        """
        ...

    async def delete(self, principal: str) -> None:
        """Forget the profile; no error when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Interaction:
    """One thing a person did with a movie. `key` makes a repeated send harmless."""

    key: str
    kind: InteractionKind
    movie_id: str
    at: float
    value: float | None = None
    """Rating 0.5-5, completion 0-1, swipe -1 or 1."""
    conversation_id: str | None = None
    turn_id: str | None = None


class InteractionStore(Protocol):
    """Append-only, idempotent by (principal, key)."""

    async def append(self, principal: str, interactions: Sequence[Interaction]) -> int:
        """Store those whose key is new, all or none; how many were new."""
        ...

    async def recent(
        self, principal: str, kinds: Sequence[InteractionKind] = (), limit: int = 1000
    ) -> list[Interaction]:
        """The newest first; all kinds when none are given."""
        ...

    async def delete(self, principal: str) -> int:
        """Erase everything of a principal; how many there were."""
        ...


@dataclass(frozen=True, slots=True)
class Cached:
    """A cached value; its version moves with every write, and 0 stands for "nothing there"."""

    value: bytes
    version: int


class CacheStore(Protocol):
    """Values that may vanish at any time.

    `owner` is the principal whose value it is, and empty for what belongs to nobody: owners have
    keys of their own, and what they own is erased with them.
    """

    async def get(self, key: str, *, now: float, owner: str = "") -> bytes | None:
        """The value, or None when missing or expired (checked on read)."""
        ...

    async def versioned(self, key: str, *, now: float, owner: str = "") -> Cached | None:
        """The value with its version, for `put_if_version`; None when missing or expired."""
        ...

    async def put(self, key: str, value: bytes, *, expires_at: float, owner: str = "") -> None:
        """Store or replace. Raises: RecordTooLarge over 300 KB."""
        ...

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
        """Store in one conditional write if the version is still this one; the new version.

        Version 0 stores only where nothing is, or what is there has expired.

        Raises: StaleVersion, RecordTooLarge over 300 KB.
        """
        ...

    async def delete(self, owner: str) -> int:
        """Erase the values of an owner; how many there were."""
        ...


class QuotaStore(Protocol):
    """Counters per principal, name and window."""

    async def take(
        self, principal: str, name: str, *, limit: int, window_s: int, now: float, amount: int = 1
    ) -> int:
        """Add `amount` in one conditional write if it stays within `limit`; what is left.

        A negative amount gives back what was taken and not used.

        Raises: QuotaExceeded.
        """
        ...

    async def delete(self, principal: str) -> int:
        """Erase the counters of a principal; how many there were."""
        ...


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of a site that names its own users. The key itself is never kept, only its digest."""

    key_id: str
    name: str
    """What the operator calls it."""
    digest: str
    """SHA-256 of the secret part, in hex: it has 256 random bits, so no salt is needed."""
    created_at: float
    revoked_at: float | None = None


class Keys(Protocol):
    """The API keys, of no person: few, read on every request that carries one."""

    async def create(self, key: ApiKey) -> None:
        """Keep a new key. Raises: StaleVersion when the id is taken."""
        ...

    async def find(self, key_id: str) -> ApiKey | None:
        """The key, revoked or not; None when there is none."""
        ...

    async def list(self) -> list[ApiKey]:
        """Every key, also revoked ones, oldest first."""
        ...

    async def revoke(self, key_id: str, *, now: float) -> ApiKey:
        """Refuse the key from now on; the first time counts. Raises: NotFound."""
        ...


@dataclass(frozen=True, slots=True)
class Stores:
    """The six stores, as wired."""

    conversations: ConversationStore
    profiles: ProfileStore
    interactions: InteractionStore
    cache: CacheStore
    quotas: QuotaStore
    keys: Keys
