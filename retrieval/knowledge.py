"""Knowledge files: what people say of films, keyed by title and year, joined to any catalogue.

    tags.jsonl.gz        {"title", "year", "imdb"?, "tmdb"?, "moods", "themes", "keywords",
    "attributes",
                         "fame"}: merged into the movies, the catalogue's own value wins field by
                         field
    neighbours.jsonl.gz  {"title", "year", "imdb"?, "neighbours": [{"title", "year", "imdb"?},
    ...]} archetypes.jsonl.gz  {"request", "tags": {...}, "films": [{"title", "year"}, ...]}
    comention.json.gz    {"films": [{"title", "year", "imdb"?, "n"}, ...], "pairs": [[i, j, n],
    ...],
                         "dialogues": [8 bytes of SHA-256 in hex, ...]}

Lists are best first. A joined file is keyed by the movie ids of one catalogue and stored in its
index; `Neighbours`, `Archetypes` and `CoMention` read it back. A missing file is simply absent.
Does not know indexes or scoring. Called by jobs/ (join) and infra/wiring.py (load).
"""

import gzip
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval.catalogs.sources import CatalogError, json_rows, reading
from retrieval.movie import ATTRIBUTES, Movie
from retrieval.title_join import TitleJoin

Encode = Callable[[Sequence[str]], npt.NDArray[np.float32]]

TAGS = "tags.jsonl.gz"
NEIGHBOURS = "neighbours"
ARCHETYPES = "archetypes"
COMENTION = "comention"
"""Names under which an index stores the joined files."""
FILES = {
    NEIGHBOURS: "neighbours.jsonl.gz",
    ARCHETYPES: "archetypes.jsonl.gz",
    COMENTION: "comention.json.gz",
}


@dataclass(frozen=True, slots=True)
class Joined:
    """A knowledge file in the ids of one catalogue, ready to be stored."""

    name: str
    content: bytes = field(repr=False)
    sha: str
    """SHA-256 of the file it was made from."""
    entries: int = 0
    """Lines (or films) of the file..."""
    matched: int = 0
    """... and how many of them are in the catalogue."""


@dataclass(frozen=True)
class Neighbours:
    """Written lists of "loved X, what else": {movie_id: ids, best first}."""

    lists: Mapping[str, tuple[str, ...]]

    @classmethod
    def load(cls, content: bytes) -> "Neighbours":
        return cls({i: tuple(ids) for i, ids in json.loads(gzip.decompress(content)).items()})


@dataclass(frozen=True)
class Archetypes:
    """Common requests and the films that people name for them, best first."""

    requests: tuple[str, ...]
    tags: tuple[Mapping[str, Any], ...]
    lists: tuple[tuple[str, ...], ...]
    vectors: npt.NDArray[np.float32]
    """(n, d): the requests, encoded as the index's movies are."""

    @classmethod
    def load(cls, content: bytes) -> "Archetypes":
        arrays, entries = _unpack(content)
        return cls(
            requests=tuple(e["request"] for e in entries),
            tags=tuple(e["tags"] for e in entries),
            lists=tuple(tuple(e["ids"]) for e in entries),
            vectors=arrays["vectors"],
        )


@dataclass(frozen=True)
class CoMention:
    """How often films are named, and named together, in conversations."""

    ids: tuple[str, ...]
    mentions: npt.NDArray[np.int32]
    """(n,): in how many conversations each film is named."""
    pairs: npt.NDArray[np.int32]
    """(p, 2): places in `ids`, each unordered pair once."""
    counts: npt.NDArray[np.int32]
    """(p,): in how many conversations both are named."""
    dialogues: frozenset[str]
    """8-byte SHA-256 prefixes (hex) of the ids of the conversations that were counted."""

    @classmethod
    def load(cls, content: bytes) -> "CoMention":
        arrays, head = _unpack(content)
        return cls(
            ids=tuple(head["ids"]),
            mentions=arrays["mentions"],
            pairs=arrays["pairs"],
            counts=arrays["counts"],
            dialogues=frozenset(head["dialogues"]),
        )


def join_tags(folder: Path, join: TitleJoin) -> tuple[dict[str, Mapping[str, Any]], Joined | None]:
    """{movie_id: its tags} of the tags file; None when there is no file."""
    path = folder / TAGS
    if not path.exists():
        return {}, None
    rows = _json_lines(path)
    found: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        movie_id = join.find(row)
        if movie_id is not None:
            found.setdefault(movie_id, row)
    return found, Joined("tags", b"", _sha(path), len(rows), len(found))


def with_tags(movie: Movie, tags: Mapping[str, Any] | None) -> Movie:
    """The movie with the tags it lacks; what the catalogue says itself stays."""
    if not tags:
        return movie
    added: dict[str, Any] = {}
    for name in ("moods", "themes", "keywords"):
        if not getattr(movie, name) and tags.get(name):
            added[name] = tuple(str(v) for v in tags[name])
    if not movie.attributes and tags.get("attributes"):
        grades = tags["attributes"]
        added["attributes"] = {a: int(grades[a]) for a in ATTRIBUTES if grades.get(a) is not None}
    if movie.fame is None and tags.get("fame"):
        added["fame"] = int(tags["fame"])
    return replace(movie, **added)


def join_files(folder: Path, join: TitleJoin, encode: Encode) -> list[Joined]:
    """The knowledge files that are there, joined."""
    makers = {NEIGHBOURS: _neighbours, ARCHETYPES: _archetypes, COMENTION: _comention}
    joined = []
    for name, make in makers.items():
        path = folder / FILES[name]
        if path.exists():
            content, entries, matched = make(path, join, encode)
            joined.append(Joined(name, content, _sha(path), entries, matched))
    return joined


def _neighbours(path: Path, join: TitleJoin, encode: Encode) -> tuple[bytes, int, int]:
    rows = _json_lines(path)
    lists: dict[str, list[str]] = {}
    for row in rows:
        movie_id = join.find(row)
        if movie_id is not None:
            ids = [i for i in join.all(row["neighbours"]) if i != movie_id]
            lists.setdefault(movie_id, ids)
    return gzip.compress(json.dumps(lists).encode(), mtime=0), len(rows), len(lists)


def _archetypes(path: Path, join: TitleJoin, encode: Encode) -> tuple[bytes, int, int]:
    rows = _json_lines(path)
    entries = [
        {"request": str(r["request"]), "tags": r.get("tags") or {}, "ids": join.all(r["films"])}
        for r in rows
    ]
    entries = [entry for entry in entries if entry["ids"]]
    vectors = encode([str(entry["request"]) for entry in entries])
    return _pack(entries, vectors=vectors), len(rows), len(entries)


def _comention(path: Path, join: TitleJoin, encode: Encode) -> tuple[bytes, int, int]:
    with reading(path):
        whole = json.loads(gzip.decompress(path.read_bytes()))
    place: list[int] = []
    ids: dict[str, int] = {}
    mentions: list[int] = []
    for film in whole["films"]:
        movie_id = join.find(film)
        if movie_id is None:
            place.append(-1)
            continue
        at = ids.setdefault(movie_id, len(ids))
        mentions += [0] * (len(ids) - len(mentions))
        # Two spellings of one film count as one.
        mentions[at] += int(film["n"])
        place.append(at)
    counts: dict[tuple[int, int], int] = {}
    for i, j, n in whole["pairs"]:
        a, b = sorted((place[i], place[j]))
        if a >= 0 and a != b:
            counts[a, b] = counts.get((a, b), 0) + int(n)
    content = _pack(
        {"ids": list(ids), "dialogues": whole["dialogues"]},
        mentions=np.array(mentions, dtype=np.int32),
        pairs=np.array(list(counts), dtype=np.int32).reshape(-1, 2),
        counts=np.array(list(counts.values()), dtype=np.int32),
    )
    return content, len(place), sum(at >= 0 for at in place)


def _json_lines(path: Path) -> list[Mapping[str, Any]]:
    rows = []
    for number, row in json_rows(path):
        if isinstance(row, ValueError):
            raise CatalogError(f"{path} line {number} {row}: restore the file as it shipped")
        rows.append(row)
    return rows


def _sha(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def _pack(head: Any, **arrays: npt.NDArray[Any]) -> bytes:
    out = io.BytesIO()
    head_bytes = np.frombuffer(json.dumps(head).encode(), dtype=np.uint8)
    np.savez_compressed(out, allow_pickle=False, head=head_bytes, **arrays)
    return out.getvalue()


def _unpack(content: bytes) -> tuple[dict[str, npt.NDArray[Any]], Any]:
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    return arrays, json.loads(arrays.pop("head").tobytes())
