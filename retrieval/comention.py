"""Counting which films people name together: the numbers behind co-mention and popularity.

Knows how a conversation becomes counts, how its id becomes a prefix, and the shape of the artifact
that ships. Does not know files, catalogues or how a count becomes a score (neighbours.py). Pure.
Called by jobs/count_comentions.py, which makes `starter/comention.json.gz`, and by `python -m evals
rank`, which counts without the conversations it measures on.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from itertools import combinations
from typing import Any

import numpy as np

from retrieval.knowledge import CoMention

PREFIX_BYTES = 8
"""Of the SHA-256 of a conversation's id: enough to tell whether it was counted, not to name it."""


def prefix(dialogue_id: str) -> str:
    """The mark that a counted conversation leaves in the artifact: 16 hex digits."""
    return hashlib.sha256(dialogue_id.encode()).hexdigest()[: 2 * PREFIX_BYTES]


def count(dialogues: Iterable[tuple[str, Collection[str]]]) -> CoMention:
    """Count conversations given as (id, films named in it).

    A film counts once per conversation, however often it is named there. Films and pairs stand in
    sorted order, so that the same conversations always give the same bytes.
    """
    mentions: Counter[str] = Counter()
    together: Counter[tuple[str, str]] = Counter()
    prefixes = set()
    for dialogue_id, films in dialogues:
        named = sorted(set(films))
        mentions.update(named)
        together.update(combinations(named, 2))
        prefixes.add(prefix(dialogue_id))
    ids = sorted(mentions)
    place = {film: i for i, film in enumerate(ids)}
    pairs = sorted((place[a], place[b], n) for (a, b), n in together.items())
    table = np.array(pairs, dtype=np.int32).reshape(-1, 3)
    return CoMention(
        ids=tuple(ids),
        mentions=np.array([mentions[film] for film in ids], dtype=np.int32),
        pairs=table[:, :2],
        counts=table[:, 2],
        dialogues=frozenset(prefixes),
    )


def artifact(
    counts: CoMention, films: Mapping[str, Mapping[str, Any]], source: str
) -> dict[str, Any]:
    """The counts as they ship: only numbers, no text.

    Args:
        counts: what `count` returned.
        films: {id: {"title", "year", "imdb"?}} of every counted film.
        source: whose conversations these were, and under which licence.
    """
    rows = zip(counts.ids, counts.mentions.tolist(), strict=True)
    pairs = np.column_stack([counts.pairs, counts.counts])
    return {
        "source": source,
        "films": [{**films[film], "n": n} for film, n in rows],
        "pairs": pairs.tolist(),
        "dialogues": sorted(counts.dialogues),
    }


def films_named(dialogue: Mapping[str, Any]) -> dict[str, str]:
    """{movie_id: name} of one conversation in the ReDial layout (README of the shared data)."""
    turns = dialogue.get("turns") or ()
    named = (movie for turn in turns for movie in turn.get("movies") or ())
    return {str(m["movie_id"]): str(m["name"]) for m in named if m.get("movie_id")}
