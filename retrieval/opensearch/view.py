"""Which generation of an OpenSearch index is the current one, and what a process keeps of it.

Knows revisions: the generation behind the alias and the number of entries in its log of changes.
Does not know the client (it is handed a `Send`), nor searches. Called by opensearch_index.py.
"""

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from retrieval.encoder import EncoderIdentity
from retrieval.index import (
    Changed,
    EncoderMismatch,
    IndexCorrupt,
    IndexFailure,
    IndexMissing,
    IndexUnavailable,
)
from retrieval.movie import Movie
from retrieval.opensearch.layout import (
    Features,
    Generation,
    Json,
    Meta,
    features_of,
    generation_of,
    knowledge_alias,
    mapping_differences,
    mapping_version,
    read_meta,
)
from retrieval.opensearch.lists import Lists

LOOK_S = 1.0
"""Seconds that looking for a new revision may take."""
FRESH_S = 0.5
"""A revision seen so recently is believed when one is asked for..."""
STALE_S = 3.0
"""... and by searches: together with the look of infra/wiring.py each second, below 5 s."""
ANSWERS = 200
"""Answers kept of one revision: popular movies by filter, about 20 kB each."""
UNKNOWN = -1
"""The place of an entry on Serverless, which shows what is written up to a minute after the log."""
KEPT_MARKS, LONGEST_GAP = 16, 500
"""Of how many last revisions it can be said what changed since, and how many changes may lie
between: after more, everything is read anew."""
BUSY = frozenset({429, 502, 503, 504})
"""Statuses that may pass."""


class Send(Protocol):
    """One request with its own time-out and tries; raises IndexFailure and its kinds."""

    async def __call__(
        self,
        method: str,
        path: str,
        body: Json | str | None = None,
        params: Json | None = None,
        timeout_s: float = ...,
        tries: int = ...,
    ) -> Any: ...


# --- answers --------------------------------------------------------------------------------------


def is_partial(answer: Json) -> bool:
    """Whether a 200 says only a part of the truth."""
    return bool(answer.get("timed_out")) or answer.get("_shards", {}).get("failed", 0) > 0


def is_lacking(answer: Json) -> bool:
    """Whether one answer of a multi-search is partial or none at all."""
    return is_partial(answer) or "error" in answer


def hits_in(answer: Json) -> list[Json]:
    """The hits of one answer; none at all when `filter_path` left them out."""
    return list(answer.get("hits", {}).get("hits", []))


def whole(answer: Json) -> Json:
    """The answer, where a part of it would be wrong. Raises: IndexFailure and its kinds."""
    if "error" in answer:
        raise refused(answer)
    if is_partial(answer):
        raise IndexUnavailable("OpenSearch answered only in part: try again")
    return answer


def refused(answer: Json) -> IndexFailure:
    """The error behind one answer of a multi-search."""
    reason = f"{answer['error'].get('type')}: {answer['error'].get('reason')}"
    if answer.get("status") == 404:
        return IndexMissing(reason)
    if answer.get("status") in BUSY:
        return IndexUnavailable(f"OpenSearch is too busy ({reason}): try again")
    return IndexFailure(f"OpenSearch refused a search ({reason})")


# --- revisions ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class View:
    """One revision as this process sees it, and what it keeps of it."""

    generation: Generation
    counter: int
    place: int
    """Of the newest entry of the log, in the order in which they were written."""
    meta: Meta
    top_log_popularity: float
    seen_at: float
    """`time.monotonic()` when it was last known to be the newest."""
    movies: dict[str, Movie] = field(default_factory=dict)
    vectors: dict[str, np.ndarray] = field(default_factory=dict)
    answers: dict[str, Json] = field(default_factory=dict)
    """{line of a multi-search: its whole answer}."""
    lists: Lists = field(default_factory=Lists)

    def keep_answer(self, line: str, answer: Json) -> None:
        """Remember; never anything partial."""
        if len(self.answers) >= ANSWERS:
            self.answers.clear()
        self.answers[line] = answer

    @property
    def revision(self) -> str:
        return f"{self.generation.movies}.{self.counter}"

    def is_fresh(self, age_s: float) -> bool:
        return time.monotonic() - self.seen_at < age_s


@dataclass(frozen=True, slots=True)
class Inspection:
    """What `usher doctor` says of an index beyond its stats."""

    version: str
    generation: str
    engine: str
    differences: tuple[str, ...]
    """Fields whose mapping is not the one of this version of Usher."""


class Views:
    """The newest view of one alias."""

    def __init__(
        self,
        send: Send,
        address: str,
        alias: str,
        encoder: EncoderIdentity | None,
        features: Features | None,
    ) -> None:
        self._send = send
        self._address = address
        self._alias = alias
        self._encoder = encoder
        self._features = features
        self._view: View | None = None
        self._looking = asyncio.Lock()
        self._marks: dict[str, tuple[int, int]] = {}
        """{revision: (counter, place)} of the last views."""

    async def features(self) -> Features:
        """What the server can do; asked once. Raises: IndexFailure."""
        if self._features is None:
            self._features = features_of(await self._send("GET", "/"))
        return self._features

    async def look(self, age_s: float) -> View:
        """The newest view, or one that was it at most `age_s` seconds ago. Raises: IndexFailure."""
        view = self._view
        if view is not None and view.is_fresh(age_s):
            return view
        asked_at = time.monotonic()
        async with self._looking:
            view = self._view
            # Somebody else may have looked while this one waited.
            if view is None or view.seen_at < asked_at:
                view = self._view = await self._newest(view)
            return view

    async def in_view(self) -> View:
        """A view new enough to search; an older one when no newer can be had just now."""
        try:
            return await self.look(STALE_S)
        except IndexUnavailable:
            if self._view is None:
                raise
            return self._view

    def changed(self, view: View) -> None:
        """We changed it ourselves: look again before anything else, and keep nothing."""
        self._view = replace(
            view, seen_at=float("-inf"), movies={}, vectors={}, answers={}, lists=Lists()
        )

    async def changed_since(self, revision: str) -> Changed | None:
        """What to look at again; None where the log does not say. Raises: IndexFailure."""
        view, mark = await self.look(FRESH_S), self._marks.get(revision)
        if mark is None or revision.rpartition(".")[0] != view.generation.movies:
            return None
        return await self._told(view, *mark)

    async def _told(self, view: View, counter: int, place: int) -> Changed | None:
        """What the log of a view's generation says since an earlier counter and place."""
        later = {"range": {"_seq_no": {"gt": place, "lte": view.place}}}
        query = {"bool": {"filter": [{"term": {"entry": "change"}}, later]}}
        body = {"query": query, "size": LONGEST_GAP, "_source": ["movie_ids", "name"]}
        path = f"/{view.generation.knowledge}/_search"
        entries = [hit["_source"] for hit in hits_in(whole(await self._send("POST", path, body)))]
        # An entry that became visible after a later one would be missed: the number tells.
        told = all("movie_ids" in entry or "name" in entry for entry in entries)
        if not told or len(entries) != view.counter - counter:
            return None
        ids = frozenset(i for entry in entries for i in entry.get("movie_ids", ()))
        return Changed(ids, any("name" in entry for entry in entries))

    async def inspect(self) -> Inspection:
        """Compare the mapping with ours. Raises: IndexFailure."""
        features, view = await self.features(), await self.look(0)
        name = view.generation.movies
        actual = (await self._send("GET", f"/{name}/_mapping"))[name]["mappings"]
        version = "Serverless" if features.version is None else "{}.{}".format(*features.version)
        differences = mapping_differences(actual, view.meta, features)
        return Inspection(version, name, view.meta.engine, tuple(differences))

    async def _newest(self, old: View | None) -> View:
        await self.features()
        seen_at = time.monotonic()
        generation, counter, place = await self._head()
        if old is not None and (old.generation, old.counter) == (generation, counter):
            return replace(old, seen_at=seen_at)
        if old is not None and old.generation == generation:
            meta = old.meta
        else:
            meta = await self._meta(generation, running=old is not None)
        view = View(generation, counter, place, meta, await self._top(generation), seen_at)
        if old is not None and old.generation == generation:
            view = await self._with_kept(view, old)
        if place != UNKNOWN:
            last = list(self._marks.items())[1 - KEPT_MARKS :]
            self._marks = dict([*last, (view.revision, (counter, place))])
        return view

    async def _with_kept(self, view: View, old: View) -> View:
        """The new view with all that was kept of the old one and is as it was."""
        if not old.movies and not old.vectors or UNKNOWN in (old.place, view.place):
            return view
        changed = await self._told(view, old.counter, old.place)
        if changed is None:
            return view
        gone = changed.movie_ids
        return replace(
            view,
            movies={i: movie for i, movie in old.movies.items() if i not in gone},
            vectors={i: vector for i, vector in old.vectors.items() if i not in gone},
            lists=old.lists.without(gone),
        )

    async def _head(self) -> tuple[Generation, int, int]:
        """The current generation, how many changes it has had, and the place of the last."""
        change = {"term": {"entry": "change"}}
        body: Json = {"query": change, "size": 1, "track_total_hits": True, "_source": False}
        if (await self.features()).refresh:
            body["sort"] = [{"_seq_no": "desc"}]
        path = f"/{knowledge_alias(self._alias)}/_search"
        try:
            answer = whole(await self._send("POST", path, body, timeout_s=LOOK_S, tries=1))
        except IndexMissing:
            raise IndexMissing(self._absent()) from None
        hits = hits_in(answer)
        if not hits:
            raise IndexMissing(self._absent())
        [place] = hits[0].get("sort", [UNKNOWN])
        return generation_of(hits[0]["_index"]), int(answer["hits"]["total"]["value"]), place

    def _absent(self) -> str:
        return (
            f"there is no index {self._alias} in OpenSearch at {self._address}: "
            "build one with usher index build --catalog FILE"
        )

    async def _meta(self, generation: Generation, running: bool) -> Meta:
        answer = await self._send("GET", f"/{generation.movies}/_mapping")
        meta = read_meta(answer[generation.movies]["mappings"])
        if meta is None or meta.mapping != mapping_version():
            raise IndexCorrupt(
                f"{generation.movies} was not built by this version of Usher: "
                "build it again with usher index build --catalog FILE"
            )
        mine = self._encoder
        if mine and (meta.encoder_sha, meta.dimension) != (mine.sha, mine.dimension):
            step = "start this process again" if running else "usher index build --catalog FILE"
            raise EncoderMismatch(
                f"{generation.movies} was built with the encoder {meta.encoder_name} "
                f"({meta.encoder_sha[:12]}, {meta.dimension} numbers), "
                f"not {mine.name} ({mine.sha[:12]}, {mine.dimension}): use that encoder, or {step}"
            )
        return meta

    async def _top(self, generation: Generation) -> float:
        body = {"size": 0, "aggs": {"top": {"max": {"field": "log_popularity"}}}}
        answer = whole(await self._send("POST", f"/{generation.movies}/_search", body))
        return float(answer["aggregations"]["top"]["value"] or 0.0)
