"""The catalogue as one process sees it: names to link, knowledge to vote from, known fields.

Knows when the index has changed and brings its tables up to date in the background of a turn. Does
not know conversations. Called by toolbox.py; one per process.
"""

import asyncio
import gc
import logging
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field

from retrieval.film_facts import FilmRow
from retrieval.index import IndexFailure, IndexUnavailable, MovieIndex
from retrieval.movie import Movie
from retrieval.neighbours import Knowledge
from retrieval.nlu.lexicon import Lexicon
from retrieval.nlu.lexicon_builder import Names

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tables:
    """Everything derived from one revision of the index."""

    revision: str
    lexicon: Lexicon
    knowledge: Knowledge
    known: Mapping[str, int] = field(default_factory=dict)
    """{field: how many movies have a value}."""
    films: "Films" = field(default_factory=lambda: Films())
    """What the tables of the next revision are made from."""


@dataclass(frozen=True)
class Films:
    """What each film gives to the tables."""

    names: Names = field(default_factory=Names)
    rows: Mapping[str, FilmRow] = field(default_factory=dict)
    """By movie id, in order."""

    def changed(self, put: Collection[Movie], gone: Collection[str]) -> "Films":
        """The films after some were added or replaced and others went."""
        rows = {i: row for i, row in self.rows.items() if i not in gone}
        rows |= {movie.movie_id: FilmRow.of(movie) for movie in put}
        if len(rows) > len(self.rows) - len(self.rows.keys() & gone):
            rows = dict(sorted(rows.items()))
        return Films(self.names.changed(put, gone), rows)


class Catalogue:
    """Tables of the index's current revision, rebuilt when it moves."""

    def __init__(
        self,
        index: MovieIndex,
        executor: Executor,
        load: Callable[[Mapping[str, bytes]], Knowledge],
        names: tuple[str, ...],
    ) -> None:
        """Args: `load` turns the index's knowledge files `names` into votes."""
        self._index = index
        self._executor = executor
        self._load = load
        self._names = names
        self._tables: Tables | None = None
        self._refreshing: asyncio.Task[Tables] | None = None

    @property
    def current(self) -> Tables | None:
        """The tables at hand, without a look at the index; None before the first call."""
        return self._tables

    async def tables(self) -> Tables:
        """The current tables: built by the first call; the old ones serve while new are built."""
        try:
            revision = await self._index.revision()
        except IndexUnavailable:
            if self._tables is None:
                raise
            return self._tables  # what cannot be searched now, the search itself will say
        if self._tables is not None and self._tables.revision == revision:
            return self._tables
        if self._refreshing is None:
            self._refreshing = asyncio.create_task(self._build(revision))
            self._refreshing.add_done_callback(self._keep)
        if self._tables is None:
            return await asyncio.shield(self._refreshing)
        return self._tables

    async def watch(self, every_s: float) -> None:
        """Look for a new revision for ever, so that one counts in seconds even where nobody talks.

        Only an index that other processes change needs it.
        """
        said = ""
        while True:
            await asyncio.sleep(every_s)
            try:
                await self.tables()
                said = ""
            except IndexFailure as failure:
                if str(failure) != said:  # an outage is one line, not one a second
                    logger.warning("the catalogue cannot be watched: %s", failure)
                said = str(failure)

    async def close(self) -> None:
        """Let go of tables that are being read: they would open a closed index again."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.gather(self._refreshing, return_exceptions=True)
        gc.unfreeze()

    def _keep(self, done: asyncio.Task[Tables]) -> None:
        self._refreshing = None
        if done.cancelled():
            return
        failure = done.exception()
        if failure is None:
            first, self._tables = self._tables is None, done.result()
            _settle(first)
        else:  # the old tables go on serving; the next turn tries again
            logger.warning("the catalogue's names could not be read anew: %s", failure)

    async def _build(self, revision: str) -> Tables:
        """From the tables at hand and what changed since; from everything where that is unknown.

        Whatever changes meanwhile is seen or not, and looked at again after the next revision.
        """
        old = self._tables
        changed = await self._index.changed_since(old.revision) if old else None
        if old is None or changed is None:
            before, gone = Films(), frozenset[str]()
            put = [movie async for movie in self._index.scan()]
        else:
            there = await self._index.get(sorted(changed.movie_ids))
            before, put, gone = old.films, list(there.values()), changed.movie_ids - there.keys()
        known = old.knowledge if old and changed and not changed.knowledge else None
        found = {} if known else {name: await self._index.knowledge(name) for name in self._names}
        stats = await self._index.stats()

        def derive() -> Tables:
            films = before.changed(put, gone)
            content = {name: file for name, file in found.items() if file is not None}
            knowledge = (known or self._load(content)).with_films(films.rows)
            return Tables(revision, films.names.lexicon(), knowledge, stats.known, films)

        return await asyncio.get_running_loop().run_in_executor(self._executor, derive)


def _settle(first: bool) -> None:
    """Keep the garbage collector away from the tables.

    They are none, and looking through them stops every turn for 0.1 s (the starter's, measured).
    Old tables go with the last turn that reads them: nothing in them leads back to itself, so no
    collection has to look through the frozen ones (0.2 s of catalogue_core's, at every change).
    """
    if not first:
        gc.collect()  # else what is garbage by now would be frozen too
    gc.freeze()
