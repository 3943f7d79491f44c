"""The served MovieIndex: one alias of OpenSearch, read and changed over HTTP.

Knows the client's errors and the one retry loop, which generation is the current one, and what may
be kept between requests. Does not know how to connect or sign (infra/opensearch_client.py hands it
a ready client), nor the query language (opensearch/legs.py, opensearch/filter.py) or how things are
written (opensearch/writer.py). Opened by infra/wiring.py.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import Executor
from typing import Any, TypeVar

import numpy as np
from opensearchpy import AsyncOpenSearch
from opensearchpy.exceptions import (
    AuthenticationException,
    AuthorizationException,
    ConnectionError,
    NotFoundError,
    SerializationError,
    TransportError,
)

from retrieval.encoder import EncoderIdentity
from retrieval.index import (
    Changed,
    Hits,
    IndexFailure,
    IndexMissing,
    IndexStats,
    IndexUnavailable,
    Leg,
    ListLeg,
    Row,
    check_row,
)
from retrieval.movie import Clause, Constraints, Movie
from retrieval.opensearch import document, writer
from retrieval.opensearch.document import MOVIE, PACKED
from retrieval.opensearch.filter import all_of, filter_of, ids_query, known_query
from retrieval.opensearch.layout import Features, Json
from retrieval.opensearch.legs import Scale, Scored, Search, bare_line, line_of, split_barred
from retrieval.opensearch.lists import Listed, fits_body, unknown_to
from retrieval.opensearch.view import (
    BUSY,
    FRESH_S,
    Inspection,
    View,
    Views,
    hits_in,
    is_lacking,
    refused,
    whole,
)

T = TypeVar("T")

READ_S = 3.0
"""Seconds a read may take; the server itself stops a search after 2."""
TRIES = 2
"""Of a read: a turn has seconds, not minutes."""
WAIT_S = 0.1
"""Before the second try; doubled for each further one, give or take half."""
KEPT = 20_000
"""Movies, and vectors, kept of one revision, about 80 MB; beyond that all go and come again."""
CHUNK = 500
"""Records in one answer."""


class Server:
    """The one way to OpenSearch: time-outs, tries and errors that say what to do."""

    def __init__(self, client: AsyncOpenSearch, address: str) -> None:
        self._client = client
        self.address = address

    async def send(
        self,
        method: str,
        path: str,
        body: Json | str | None = None,
        params: dict[str, Any] | None = None,
        timeout_s: float = READ_S,
        tries: int = TRIES,
    ) -> Any:
        """The answer, parsed. Raises: IndexFailure, IndexMissing, IndexUnavailable."""
        lines = {"content-type": "application/x-ndjson"} if isinstance(body, str) else None
        for attempt in range(tries):
            if attempt:
                await asyncio.sleep(WAIT_S * 2 ** (attempt - 1) * (0.5 + random.random()))
            try:
                return await self._client.transport.perform_request(
                    method,
                    path,
                    params={**(params or {}), "request_timeout": timeout_s},
                    body=body,
                    headers=lines,
                )
            except (ConnectionError, SerializationError) as error:
                problem = type(error).__name__
            except TransportError as error:
                if error.status_code not in BUSY:
                    raise self._failure(error) from error
                problem = f"status {error.status_code}"
        raise IndexUnavailable(
            f"OpenSearch at {self.address} does not answer ({problem}): "
            "see that it runs and that the address is right, then try again"
        )

    def _failure(self, error: TransportError) -> IndexFailure:
        if isinstance(error, NotFoundError):
            return IndexMissing(f"OpenSearch at {self.address}: {_reason(error)}")
        if isinstance(error, AuthenticationException | AuthorizationException):
            return IndexFailure(
                f"OpenSearch at {self.address} refuses us ({error.status_code}): "
                "check the credentials and what they may do"
            )
        return IndexFailure(f"OpenSearch at {self.address}: {_reason(error)} ({error.status_code})")

    async def close(self) -> None:
        await self._client.close()


def _reason(error: TransportError) -> str:
    """What the server says: the asynchronous client hands on its answer unread."""
    try:
        return str(json.loads(error.error)["error"]["root_cause"][0]["reason"])
    except (ValueError, LookupError, TypeError):
        return " ".join(str(error.error).split())[:200]


class OpenSearchIndex:
    """MovieIndex over an alias that jobs/build_opensearch.py made."""

    def __init__(
        self,
        server: Server,
        alias: str,
        encoder: EncoderIdentity | None,
        executor: Executor,
        features: Features | None = None,
    ) -> None:
        """Nothing is sent before the first call.

        `encoder` is the one whose vectors are used; the server is asked for `features` not given.
        """
        self.server = server
        self.alias = alias
        self.views = Views(server.send, server.address, alias, encoder, features)
        self._executor = executor

    # --- searching --------------------------------------------------------------------------------

    async def search(self, legs: Sequence[Leg], constraints: Constraints, k: int) -> list[Hits]:
        return await self._reading(lambda view: self._search(view, legs, constraints, k))

    async def _search(
        self, view: View, legs: Sequence[Leg], constraints: Constraints, k: int
    ) -> list[Hits]:
        features = await self.views.features()
        filtered, barred = split_barred(constraints)
        scale = Scale(view.top_log_popularity, features.bm25_scale)
        search = Search(filter_of(filtered), barred, k, scale)
        fits = view.lists.fits(search.wanted)
        asked = [
            Listed(leg, view.lists.order(leg.scores), fits, barred, k)
            if isinstance(leg, ListLeg)
            else Scored(leg, search)
            for leg in legs
        ]
        scored = [one for one in asked if isinstance(one, Scored) and one.line is not None]
        lists = [one for one in asked if isinstance(one, Listed)]
        await self._round(view, scored, lists, search)
        # Further rounds only where a long list was filtered so hard that its best are too few.
        while unknown_to(lists):
            await self._round(view, [], lists, search)
        return [one.result() for one in asked]

    async def _round(
        self, view: View, scored: Sequence[Scored], lists: Sequence[Listed], search: Search
    ) -> None:
        """One multi-search: the legs that the server scores, and what all lists want to know."""
        lines = list(dict.fromkeys(one.line for one in scored if one.line is not None))
        unknown = unknown_to(lists)
        if unknown:
            lines.append(bare_line(fits_body(unknown, search.wanted)))
        known = {line: view.answers[line] for line in lines if line in view.answers}
        new = [line for line in lines if line not in known]
        known |= zip(new, await self._many(view, new) if new else [], strict=True)
        for one in scored:
            assert one.line is not None
            answer = known[one.line]
            if one.lasting and not is_lacking(answer):
                view.keep_answer(one.line, answer)
            one.take(hits_in(answer), is_lacking(answer))
        if unknown:
            there = {hit["sort"][0] for hit in hits_in(known[lines[-1]])}
            fits = {i: i in there for i in unknown}
            for each in lists:
                each.take(fits, is_lacking(known[lines[-1]]))

    async def _many(self, view: View, lines: Sequence[str]) -> list[Json]:
        """One multi-search; a part that failed is an answer with an error, never all of them."""
        body = "".join("{}\n" + line for line in lines)
        params = {
            "filter_path": "responses.*.hits.sort,responses.hits.total,responses.timed_out,"
            "responses._shards,responses.error,responses.status"
        }
        answer = await self.server.send("POST", f"/{view.generation.movies}/_msearch", body, params)
        answers: list[Json] = answer["responses"]
        errors = [one for one in answers if "error" in one]
        if len(errors) == len(answers):
            raise refused(errors[0])
        return answers

    async def count(self, constraints: Constraints) -> int:
        [count] = await self._counts([all_of(filter_of(constraints))])
        return count

    async def unknown(self, constraints: Constraints, clause: Clause) -> tuple[int, int]:
        others = all_of(filter_of(constraints.without(clause)))
        known, every = await self._counts([all_of(others, known_query(clause)), others])
        return every - known, every

    async def _counts(self, queries: Sequence[Json]) -> list[int]:
        """A count has no place for "perhaps": a partial one is an error."""
        bodies = [{"query": query, "size": 0, "track_total_hits": True} for query in queries]
        lines = [line_of(body) for body in bodies]
        answers = await self._reading(lambda view: self._many(view, lines))
        for answer in answers:
            whole(answer)
        return [int(answer["hits"]["total"]["value"]) for answer in answers]

    # --- records ----------------------------------------------------------------------------------

    async def get(self, movie_ids: Sequence[str]) -> dict[str, Movie]:
        return await self._reading(
            lambda view: self._records(view, view.movies, movie_ids, MOVIE, document.movie_of)
        )

    async def vectors(self, movie_ids: Sequence[str]) -> dict[str, np.ndarray]:
        return await self._reading(
            lambda view: self._records(view, view.vectors, movie_ids, PACKED, document.vector_of)
        )

    async def _records(
        self,
        view: View,
        kept: dict[str, T],
        movie_ids: Sequence[str],
        name: str,
        decode: Callable[[Json], T],
    ) -> dict[str, T]:
        lacking = [i for i in dict.fromkeys(movie_ids) if i not in kept]
        fetched: dict[str, T] = {}
        for at in range(0, len(lacking), CHUNK):
            chunk = lacking[at : at + CHUNK]
            body = {"query": ids_query(chunk), "size": 2 * len(chunk)}
            body["_source"] = ["movie_id", name]
            answer = whole(await self._find(view, body))
            sources = [hit["_source"] for hit in hits_in(answer)]
            fetched |= {source["movie_id"]: decode(source) for source in sources}
        found = {
            i: kept[i] if i in kept else fetched[i] for i in movie_ids if i in kept or i in fetched
        }
        if len(kept) + len(fetched) > KEPT:
            kept.clear()
        kept.update(fetched)
        return found

    async def _find(self, view: View, body: Json) -> Json:
        params = {"filter_path": "hits.hits._source,hits.hits.sort,timed_out,_shards,aggregations"}
        path = f"/{view.generation.movies}/_search"
        answer: Json = await self.server.send("POST", path, body, params)
        return answer

    async def scan(self) -> AsyncIterator[Movie]:
        """Every movie, by id, kept while there is room; changes made meanwhile may be seen."""
        view = await self.views.look(FRESH_S)
        body: Json = {"query": {"match_all": {}}, "size": CHUNK, "sort": [{"movie_id": "asc"}]}
        loop = asyncio.get_running_loop()
        while True:
            room = max(len(view.movies), len(view.vectors)) + CHUNK <= KEPT
            body["_source"] = ["movie_id", MOVIE, PACKED] if room else ["movie_id", MOVIE]
            if not (hits := hits_in(whole(await self._find(view, body)))):
                return
            sources = [hit["_source"] for hit in hits]
            movies, vectors = await loop.run_in_executor(self._executor, document.decoded, sources)
            if room:
                view.movies.update(movies)
                view.vectors.update(vectors)
            for movie in movies.values():
                yield movie
            body["search_after"] = hits[-1]["sort"]

    # --- changes ----------------------------------------------------------------------------------

    async def upsert(self, rows: Sequence[Row]) -> None:
        """All rows become visible together; after an error the same call completes the rest."""
        view, features = await self.views.look(0), await self.views.features()
        last = {row.movie.movie_id: row for row in rows}
        for movie_id, row in last.items():
            check_row(row, view.meta.dimension)
            writer.check_id(movie_id)
        if not last:
            return
        loop = asyncio.get_running_loop()
        actions = await loop.run_in_executor(
            self._executor, lambda: [writer.put_action(row, features) for row in last.values()]
        )
        written = await writer.put(self.server.send, view.generation.movies, actions, features)
        await self._changed(view, f"{len(last)} put", list(last))
        writer.check_taken(written)

    async def delete(self, movie_ids: Sequence[str]) -> int:
        view, features = await self.views.look(0), await self.views.features()
        ids = list(dict.fromkeys(movie_ids))
        if not ids:
            return 0
        gone = await writer.remove(self.server.send, view.generation.movies, ids, features)
        if gone:
            await self._changed(view, f"{gone} deleted", ids)
        return gone

    async def _changed(self, view: View, what: str, movie_ids: list[str]) -> None:
        features, told = await self.views.features(), writer.told(movie_ids)
        await writer.log_change(self.server.send, view.generation, features, what, **told)
        self.views.changed(view)

    # --- knowledge --------------------------------------------------------------------------------

    async def knowledge(self, name: str) -> bytes | None:
        view = await self.views.look(FRESH_S)
        if (entry := (await self._files(view)).get(name)) is None:
            return None
        named = {"term": {"stored_as": entry["stored_as"]}}
        parts = {"term": {"entry": "part"}}
        hits = await self._entries(view, all_of(named, parts), {"part": "asc"})
        return document.file_of_parts([hit["_source"] for hit in hits])

    async def put_knowledge(self, name: str, content: bytes, sha: str) -> None:
        view, features = await self.views.look(0), await self.views.features()
        await writer.put_file(self.server.send, view.generation, features, name, content, sha)
        self.views.changed(view)

    async def _files(self, view: View) -> dict[str, Json]:
        """{name: the newest entry about it}."""
        query = all_of({"term": {"entry": "change"}}, {"exists": {"field": "name"}})
        hits = await self._entries(view, query, {"at": "asc"})
        return {hit["_source"]["name"]: hit["_source"] for hit in hits}

    async def _entries(self, view: View, query: Json, order: Json) -> list[Json]:
        body = {"query": query, "size": 1_000, "sort": [order]}
        path = f"/{view.generation.knowledge}/_search"
        return hits_in(whole(await self.server.send("POST", path, body)))

    async def stats(self) -> IndexStats:
        view = await self.views.look(FRESH_S)
        known = {"terms": {"field": "known", "size": 100}}
        counting = {"size": 0, "track_total_hits": True, "aggs": {"known": known}}
        path = f"/{view.generation.movies}/_search"
        answer = whole(await self.server.send("POST", path, counting))
        files = await self._files(view)
        return IndexStats(
            movies=answer["hits"]["total"]["value"],
            encoder_name=view.meta.encoder_name,
            encoder_sha=view.meta.encoder_sha,
            dimension=view.meta.dimension,
            revision=view.revision,
            built_at=view.meta.built_at,
            source=view.meta.source,
            known={b["key"]: b["doc_count"] for b in answer["aggregations"]["known"]["buckets"]},
            knowledge={name: entry["sha"] for name, entry in files.items()},
        )

    async def inspect(self) -> Inspection:
        """For `usher doctor`: version, engine, and where the mapping is not ours."""
        return await self.views.inspect()

    # --- revisions --------------------------------------------------------------------------------

    async def revision(self) -> str:
        return (await self.views.look(FRESH_S)).revision

    async def changed_since(self, revision: str) -> Changed | None:
        return await self.views.changed_since(revision)

    async def _reading(self, read: Callable[[View], Awaitable[T]]) -> T:
        """Read from the generation in view; once more when a rebuild has removed it meanwhile."""
        view = await self.views.in_view()
        try:
            return await read(view)
        except IndexMissing:
            return await read(await self.views.look(0))

    async def close(self) -> None:
        await self.server.close()
