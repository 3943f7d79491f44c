"""What a person's interactions say about their taste.

Knows how likes, ratings and swipes become signed weights. Does not know who asks: the principal is
given. Called by toolbox.py. Pure but for the tool, which reads and writes the stores.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from retrieval.movie import Taste
from tools.stores import Interaction, InteractionStore, ProfileStore, StaleVersion

_LIKED: dict[str, float] = {"like": 1.0, "favourite": 1.5, "share": 0.5}
_SEEN_KINDS = frozenset({"seen", "rating", "watch"})
_WATCHED = 0.8
"""Completion from which a watched movie counts as seen."""


def taste_of(interactions: Iterable[Interaction]) -> Taste:
    """The taste behind interactions given newest first; the newest word on a movie wins."""
    likes: dict[str, float] = {}
    dislikes: dict[str, float] = {}
    seen: set[str] = set()
    judged: set[str] = set()
    for event in interactions:
        if event.kind in _SEEN_KINDS and (event.kind != "watch" or (event.value or 0) >= _WATCHED):
            seen.add(event.movie_id)
        weight = _weight(event)
        if weight == 0.0 or event.movie_id in judged:
            continue
        judged.add(event.movie_id)
        (likes if weight > 0 else dislikes)[event.movie_id] = abs(weight)
    return Taste(likes, dislikes, frozenset(seen))


def _weight(event: Interaction) -> float:
    if event.kind in _LIKED:
        return _LIKED[event.kind]
    if event.kind == "dislike":
        return -1.0
    if event.kind == "rating" and event.value is not None:
        return (event.value - 2.75) / 2.25  # .5-5 stars to -1..1
    if event.kind == "swipe" and event.value is not None:
        return 1.0 if event.value > 0 else -1.0
    return 0.0


@dataclass(frozen=True, slots=True)
class ProfileTaste(Taste):
    """The taste of one person, as it was at a version of the profile."""

    principal: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True)
class ProfileTool:
    """Reads tastes and appends interactions."""

    interactions: InteractionStore
    profiles: ProfileStore

    async def taste(self, principal: str) -> ProfileTaste:
        """The taste of a person; an empty one for somebody new."""
        # The version first: what is recorded meanwhile may then be in the taste of an older
        # version, which is never asked for again, but is never missing from a newer one.
        version = (await self.profiles.get(principal)).version
        taste = taste_of(await self.interactions.recent(principal))
        return ProfileTaste(taste.likes, taste.dislikes, taste.seen, principal, version)

    async def record(self, principal: str, interactions: Sequence[Interaction]) -> int:
        """Append interactions and move the profile's version; how many were new."""
        new = await self.interactions.append(principal, interactions)
        if new:
            profile = await self.profiles.get(principal)
            with suppress(StaleVersion):  # somebody moved it since: that does as well
                await self.profiles.put(principal, profile)
        return new
