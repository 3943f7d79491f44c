"""A movie as JSON and back: the one stored form, used by every index and by Usher catalogue files.

Knows the field names of `Movie`. Does not check anything a person typed: catalog.py validates
first. Called by the indexes, retrieval/knowledge.py and retrieval/jobs/.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from retrieval.movie import Movie, PredictedTag

FIELD_NAMES: tuple[str, ...] = tuple(f.name for f in fields(Movie))
_SEQUENCES = frozenset(f.name for f in fields(Movie) if f.default == ())


def to_record(movie: Movie) -> dict[str, Any]:
    """The fields that have a value, as plain JSON types."""
    record: dict[str, Any] = {"movie_id": movie.movie_id, "title": movie.title}
    for name in FIELD_NAMES[2:]:
        value = getattr(movie, name)
        if value not in (None, (), {}):
            record[name] = value
    if movie.attributes:
        record["attributes"] = dict(movie.attributes)
    if movie.available_on:
        record["available_on"] = {c: list(names) for c, names in movie.available_on.items()}
    if movie.predicted_tags:
        record["predicted_tags"] = [
            {"kind": t.kind, "name": t.name, "p": t.p}
            | ({} if t.grade is None else {"grade": t.grade})
            for t in movie.predicted_tags
        ]
    return record


def from_record(record: Mapping[str, Any]) -> Movie:
    """The movie that `to_record` was given; unknown keys are ignored."""
    known = {name: record[name] for name in FIELD_NAMES if name in record}
    for name in _SEQUENCES.intersection(known):
        known[name] = tuple(known[name])
    if "available_on" in known:
        known["available_on"] = {c: tuple(names) for c, names in known["available_on"].items()}
    if "predicted_tags" in known:
        known["predicted_tags"] = tuple(PredictedTag(**tag) for tag in known["predicted_tags"])
    return Movie(**known)


def to_json(movie: Movie) -> bytes:
    """One line of UTF-8 JSON."""
    return json.dumps(to_record(movie), ensure_ascii=False, separators=(",", ":")).encode()


def from_json(line: bytes) -> Movie:
    """The movie of one line of `to_json`."""
    return from_record(json.loads(line))
