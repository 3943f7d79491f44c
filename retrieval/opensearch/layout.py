"""How an OpenSearch index of movies is laid out: names, mapping, what a server can do.

Knows generations (an index of movies and its companion of knowledge, switched together by two
aliases), the versioned mapping beside this file and which server versions differ. Does not know
HTTP, documents or queries. Pure. Called by the other opensearch_*.py files.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from retrieval.index import IndexFailure

Json = dict[str, Any]
Engine = Literal["lucene", "faiss"]

MAPPING = "mapping.json"
OLDEST = (2, 19)
"""The oldest that is maintained."""
_PLAIN_BM25 = (3, 0)
"""From here on BM25 lacks the factor k1 + 1 that tantivy and older servers have."""
_K1_PLUS_1 = 2.2
SPACE = "innerproduct"
"""Vectors are unit, so this is the cosine; unlike `cosinesimil` it takes a zero vector too."""

EF_CONSTRUCTION = 64
"""Neighbours looked at when a vector joins the graph. The default of 100 takes half as much more of
the node's time to write catalogue_core (39 s of processor to 26 on our slowest machine), for .02 of
the true 200; looking for more neighbours gets more than that back (legs.MORE_NEIGHBOURS)."""


@dataclass(frozen=True, slots=True)
class Features:
    """What the server at hand can do."""

    version: tuple[int, int] | None
    """None on Serverless, which does not say."""
    own_ids: bool = True
    """Whether documents may have our ids; Serverless vector collections give their own."""
    refresh: bool = True
    """Whether a change can be made visible at once; Serverless takes up to a minute."""

    @property
    def bm25_scale(self) -> float:
        """Brings BM25 scores to those of the local index, beside which title boosts are set."""
        return _K1_PLUS_1 if self.version is not None and self.version >= _PLAIN_BM25 else 1.0


SERVERLESS = Features(None, own_ids=False, refresh=False)


def features_of(root: Json) -> Features:
    """From the answer to GET /. Raises: IndexFailure for servers that are not ours."""
    version = root.get("version", {})
    number, distribution = str(version.get("number", "")), version.get("distribution")
    found = re.match(r"(\d+)\.(\d+)", number)
    if distribution != "opensearch" or found is None:
        raise IndexFailure(
            f"this is no OpenSearch ({distribution or 'another product'} {number}): "
            "name the address of an OpenSearch 2.19 or newer"
        )
    at_hand = int(found[1]), int(found[2])
    if at_hand < OLDEST:
        raise IndexFailure(f"OpenSearch {number} is too old: 2.19 or newer is needed")
    return Features(at_hand)


# --- names ----------------------------------------------------------------------------------------

_COMPANION = "-knowledge"


@dataclass(frozen=True, slots=True)
class Generation:
    """The two indexes of one build."""

    movies: str

    @property
    def knowledge(self) -> str:
        """The companion index."""
        return self.movies + _COMPANION


def knowledge_alias(alias: str) -> str:
    """The second alias; both are switched in one step."""
    return alias + _COMPANION


def generation_of(knowledge_index: str) -> Generation:
    """The generation that a companion index belongs to."""
    return Generation(knowledge_index.removesuffix(_COMPANION))


def new_generation(alias: str, existing: list[str], token: str) -> Generation:
    """The next name: numbered for people, with a random part so that none is ever used twice."""
    numbers = [int(name.rsplit("-", 2)[1]) for name in generations(alias, existing)]
    return Generation(f"{alias}-{max(numbers, default=0) + 1:06d}-{token}")


def generations(alias: str, indexes: list[str]) -> list[str]:
    """The movie indexes of this alias among index names, oldest first."""
    ours = re.compile(rf"{re.escape(alias)}-\d{{6,}}-[0-9a-f]{{8}}")
    return sorted(name for name in indexes if ours.fullmatch(name))


# --- bodies ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Meta:
    """What an index says of itself, in the `_meta` of its mapping."""

    encoder_name: str
    encoder_sha: str
    dimension: int
    built_at: str
    source: str
    mapping: int
    engine: str


def read_meta(mapping: Json) -> Meta | None:
    """The `_meta` of an index; None when the index is not one of ours."""
    found = mapping.get("_meta", {}).get("usher")
    if not found:
        return None
    return Meta(**{name: found[name] for name in Meta.__slots__})


@cache
def _bodies() -> str:
    return files("retrieval.opensearch").joinpath(MAPPING).read_text("utf-8")


def mapping_version() -> int:
    """Of the file; an index of another version is built anew."""
    return int(json.loads(_bodies())["version"])


def movies_body(meta: Meta, features: Features) -> Json:
    """What creates the index of movies."""
    body: Json = json.loads(_bodies())["movies"]
    body["mappings"]["_meta"] = {"usher": {name: getattr(meta, name) for name in Meta.__slots__}}
    method: Json = {"name": "hnsw", "engine": meta.engine, "space_type": SPACE}
    method["parameters"] = {"ef_construction": EF_CONSTRUCTION}
    vector = body["mappings"]["properties"]["vector"]
    vector |= {"dimension": meta.dimension, "method": method}
    return _settled(body, features)


def knowledge_body(features: Features) -> Json:
    """What creates the companion index."""
    body: Json = json.loads(_bodies())["knowledge"]
    return _settled(body, features)


def _settled(body: Json, features: Features) -> Json:
    if not features.refresh:
        # Shards, replicas and refreshes are the service's own business there.
        body["settings"]["index"] = {"knn": True} if "vector" in str(body["mappings"]) else {}
    return body


def mapping_differences(actual: Json, meta: Meta, features: Features) -> list[str]:
    """Fields whose type is not that of the mapping file, for `usher doctor`."""
    expected = movies_body(meta, features)["mappings"]["properties"]
    return sorted(_differences(expected, actual.get("properties", {}), ""))


def _differences(expected: Json, actual: Json, prefix: str) -> list[str]:
    found: list[str] = []
    for name, field in expected.items():
        there = actual.get(name, {})
        if "properties" in field:
            found += _differences(field["properties"], there.get("properties", {}), f"{name}.")
        elif there.get("type", "object" if "enabled" in there else None) != field["type"]:
            found.append(prefix + name)
        elif field["type"] == "knn_vector" and there.get("dimension") != field["dimension"]:
            found.append(f"{prefix}{name} (dimension)")
    return found
