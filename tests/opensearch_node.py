"""The OpenSearch that tests run against, if there is one, and indexes of their own in it.

OPENSEARCH_URL names it (loopback: a node, or a tunnel to one); without it, 127.0.0.1:9200 is tried.
`.ci/run` starts the node of ../shared/opensearch. Every index is named for one test and deleted.
"""

import json
import os
import urllib.error
import urllib.request
import uuid
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import pytest

from contracts_index import DIMENSION
from infra.opensearch_client import address_of, connect
from infra.settings import Settings, load
from retrieval.encoder import EncoderIdentity
from retrieval.index import Row
from retrieval.opensearch import writer
from retrieval.opensearch.layout import (
    Features,
    Generation,
    Json,
    Meta,
    generations,
    mapping_version,
)
from retrieval.opensearch_index import OpenSearchIndex, Server

ENCODER = EncoderIdentity("test", "0123456789abcdef", DIMENSION)
DEFAULT = "http://127.0.0.1:9200"
URL = os.environ.get("OPENSEARCH_URL") or DEFAULT


@cache
def version() -> str | None:
    """Of the server at URL; None when none answers there."""
    try:
        with urllib.request.urlopen(URL, timeout=3) as answer:
            found = json.load(answer)["version"]
    except (OSError, urllib.error.URLError, ValueError, KeyError):
        return None
    return str(found["number"]) if found.get("distribution") == "opensearch" else None


needs_opensearch = pytest.mark.skipif(version() is None, reason=f"no OpenSearch at {URL}")


def summary() -> str:
    """For the last lines of a test run."""
    if version():
        return f"OpenSearch {version()} at {URL}"
    return (
        f"no OpenSearch at {URL}: its tests were skipped "
        "(start ../shared/opensearch/start.sh, or set OPENSEARCH_URL)"
    )


def settings_at(url: str = URL, **more: Any) -> Settings:
    return load(index="opensearch", opensearch_url=url, **more)


def server(url: str = URL) -> Server:
    """A connection; whoever asks closes it."""
    address = address_of(settings_at(url))
    return Server(connect(address), address.shown)


def new_alias() -> str:
    return f"usher-test-{uuid.uuid4().hex[:10]}"


async def make_generation(
    to: Server,
    alias: str,
    encoder: EncoderIdentity,
    rows: Sequence[Row] = (),
) -> Generation:
    """A new current generation with these rows."""
    found = Features((3, 0))
    meta = Meta(
        encoder_name=encoder.name,
        encoder_sha=encoder.sha,
        dimension=encoder.dimension,
        built_at="2024-01-01T00:00:00+00:00",
        source="tests",
        mapping=mapping_version(),
        engine="lucene",
    )
    made = await writer.create(to.send, alias, meta, found)
    await writer.bulk(to.send, made.movies, [writer.put_action(row, found) for row in rows])
    await writer.log_change(to.send, made, found, "built")
    await to.send("POST", f"/{made.movies},{made.knowledge}/_refresh", timeout_s=30)
    await writer.switch(to.send, alias, made)
    return made


async def remove_all(to: Server, alias: str) -> None:
    names = ",".join(await writer.indexes(to.send, alias))
    if names:
        await to.send("DELETE", f"/{names}", timeout_s=30)


async def made(alias: str, encoder: EncoderIdentity, rows: Sequence[Row] = ()) -> Generation:
    """A generation made on a connection of its own."""
    to = server()
    try:
        return await make_generation(to, alias, encoder, rows)
    finally:
        await to.close()


async def gone(alias: str) -> None:
    """Nothing is left of an alias."""
    to = server()
    try:
        await remove_all(to, alias)
    finally:
        await to.close()


@asynccontextmanager
async def emptied(
    alias: str, encoder: EncoderIdentity, executor: Executor, features: Features | None = None
) -> AsyncIterator[OpenSearchIndex]:
    """The index behind an alias, as if it had just been made with no movie in it."""
    to = server()
    try:
        everything: Json = {"query": {"match_all": {}}}
        both = f"{alias},{alias}-knowledge"
        await to.send("POST", f"/{both}/_refresh", timeout_s=30)
        path, at_once = f"/{both}/_delete_by_query", {"refresh": "true"}
        await to.send("POST", path, everything, at_once, timeout_s=30)
        index = OpenSearchIndex(to, alias, encoder, executor, features)
        [current] = generations(alias, await writer.indexes(to.send, alias))
        found = await index.views.features()
        await writer.log_change(to.send, Generation(current), found, "emptied")
        yield index
    finally:
        await to.close()


@asynccontextmanager
async def opened(
    encoder: EncoderIdentity, executor: Executor, rows: Sequence[Row] = ()
) -> AsyncIterator[OpenSearchIndex]:
    """An index of its own for one test."""
    alias = new_alias()
    to = server()
    try:
        await make_generation(to, alias, encoder, rows)
        yield OpenSearchIndex(to, alias, encoder, executor)
    finally:
        await remove_all(to, alias)
        await to.close()
