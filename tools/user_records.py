"""Everything that the stores keep about one person, as one document; and its erasure.

Knows the store ports of what is a person's. Does not know where they keep anything, nor who may
ask: the caller has checked that. Called by `usher user export | erase` (infra/cli_stores.py).
"""

from contextlib import suppress
from dataclasses import asdict, dataclass

from tools.stores import JsonObject, NotFound, Stores

ALL = 10**9
"""More interactions than anybody has."""


async def export(stores: Stores, principal: str) -> JsonObject:
    """Conversations with their turns and events, profile and interactions, as JSON values.

    Left out: quota counters and cached values, which are kept for hours and say nothing more.
    """
    conversations = []
    for conversation_id in await stores.conversations.conversation_ids(principal):
        with suppress(NotFound):  # deleted meanwhile
            found = await stores.conversations.load(principal, conversation_id)
            conversations.append(asdict(found))
    interactions = await stores.interactions.recent(principal, limit=ALL)
    return {
        "principal": principal,
        "profile": asdict(await stores.profiles.get(principal)),
        "conversations": conversations,
        "interactions": [asdict(one) for one in reversed(interactions)],
    }


@dataclass(frozen=True, slots=True)
class Erased:
    """How many records there were."""

    conversations: int
    interactions: int
    cached: int
    counters: int


async def erase(stores: Stores, principal: str) -> Erased:
    """Forget a person in every store; repeatable. A turn that still runs is not saved any more."""
    conversations = await stores.conversations.delete_all(principal)
    await stores.profiles.delete(principal)
    return Erased(
        conversations=conversations,
        interactions=await stores.interactions.delete(principal),
        cached=await stores.cache.delete(principal),
        counters=await stores.quotas.delete(principal),
    )
