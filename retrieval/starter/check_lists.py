"""Neighbour lists, request archetypes and co-mention counts: their form, and the graph they make.

Knows how long a list is and who may stand in it. Does not know whether a list is any good: that is
measured (`python -m evals signal`). Pure. Called by check.py.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from retrieval.movie import title_key
from retrieval.starter.check_files import Findings, Row, Starter, label
from retrieval.title_join import YEARS_APART, TitleJoin

NEIGHBOURS = (15, 20)
FRANCHISE = 5
"""Titles of one list that open with the same two words."""
SHORTEST_SERIES = 5
"""Letters; "It" is no series."""
SEQUELS = 3
"""Guessed from titles that open with the film's own; "The Dark Knight" is not seen as a Batman."""
ARCHETYPES, FILMS = 300, 25
TAG_NAMES = {"genres", "moods", "era", "audience", "other"}
AUDIENCES = {None, "family", "kids", "teens", "friends", "date", "grandparents"}
ERA = re.compile(r"recent|classic|\d{3}0s")
ATTRIBUTION = ("ReDial", "CC BY 4.0")
PREFIX = re.compile(r"[0-9a-f]{16}")


def check_neighbours(starter: Starter, join: TitleJoin, findings: Findings) -> None:
    """Each list on its own."""
    findings.section = "neighbours"
    low, high = NEIGHBOURS
    findings.say("lists, of which for titles of the starter", _owned(starter))
    lengths = [(row, len(row["neighbours"])) for row in starter.lists]
    wrong = [f"{label(row)}: {n}" for row, n in lengths if not low <= n <= high]
    findings.none(f"lists not of {low}-{high} films", wrong)
    findings.none("lists that name the film itself", list(_selves(starter.lists)))
    twice = [f"{label(row)}: {who}" for row in starter.lists for who in _twice(row["neighbours"])]
    findings.none("films named twice in a list", twice)
    many = [f"{label(row)}: {who}" for row in starter.lists for who in _franchises(row)]
    findings.none(f"more than {FRANCHISE} films of one franchise in a list", many)
    sequels = [f"{label(r)}: {n}" for r in starter.lists if (n := _sequels(r)) > SEQUELS]
    findings.none(f"lists with more than {SEQUELS} sequels of their film", sequels)
    bad = [f"{label(r)}: {n}" for r in starter.lists for n in r["neighbours"] if not _formed(n)]
    findings.none("neighbours without title and year", bad)
    check_graph(starter, join, findings)


def _owned(starter: Starter) -> str:
    titles = {label(m) for m in starter.movies}
    return f"{len(starter.lists):,}, {sum(label(r) in titles for r in starter.lists):,}"


def _same(a: Row, b: Row) -> bool:
    if a.get("imdb") and b.get("imdb"):
        return bool(a["imdb"] == b["imdb"])
    near = abs(int(a["year"]) - int(b["year"])) <= YEARS_APART
    return near and title_key(str(a["title"])) == title_key(str(b["title"]))


def _formed(row: Row) -> bool:
    return bool(row.get("title")) and 1890 <= int(row.get("year") or 0) <= 2026


def _selves(lists: Iterable[Row]) -> Iterable[str]:
    for row in lists:
        if any(_same(row, other) for other in row["neighbours"]):
            yield label(row)


def _twice(films: Sequence[Row]) -> Iterable[str]:
    for i, film in enumerate(films):
        if any(_same(film, earlier) for earlier in films[:i]):
            yield label(film)


def _franchises(row: Row) -> Iterable[str]:
    heads = Counter(" ".join(title_key(n["title"]).split()[:2]) for n in row["neighbours"])
    yield from (f"{n} of {head!r}" for head, n in heads.items() if n > FRANCHISE and " " in head)


def _sequels(row: Row) -> int:
    series = re.sub(r" (\d+|i{2,3}|iv|vi{0,3})$", "", title_key(row["title"].partition(":")[0]))
    if len(series) < SHORTEST_SERIES:
        return 0
    keys = [title_key(n["title"]) for n in row["neighbours"]]
    return sum(key == series or key.startswith(f"{series} ") for key in keys)


def check_graph(starter: Starter, join: TitleJoin, findings: Findings) -> None:
    """The lists as links between titles of the starter."""
    links: dict[str, list[str]] = {}
    for row in starter.lists:
        movie_id = join.find(row)
        if movie_id is not None:
            links[movie_id] = [i for i in join.all(row["neighbours"]) if i != movie_id]
    names = {str(m["movie_id"]): label(m) for m in starter.movies}
    groups = _components(names, links)
    apart = [", ".join(names[i] for i in sorted(g)[:20]) for g in groups[1:]]
    findings.at_most("parts of the graph of links", len(groups), 1, apart)
    incoming = Counter(i for ids in links.values() for i in ids)
    counts = np.array([incoming[i] for i in names] or [0])
    spread = np.percentile(counts, [10, 25, 50, 75, 90, 99]).astype(int).tolist()
    most = [f"{names[i]} {n}" for i, n in incoming.most_common(10)]
    findings.say("incoming links at 10/25/50/75/90/99 %", " / ".join(map(str, spread)))
    findings.say("most incoming links", int(counts.max()), most)
    unnamed = [names[i] for i in names if not incoming[i]]
    findings.say("titles that no list names", len(unnamed), unnamed)
    named = [len(row["neighbours"]) for row in starter.lists if join.find(row)]
    inside = sum(map(len, links.values())) / max(1, sum(named))
    findings.say("share of links that stay in the starter", inside)


def _components(nodes: Iterable[str], links: Mapping[str, Sequence[str]]) -> list[frozenset[str]]:
    """The parts of the undirected graph, the largest first."""
    near: dict[str, set[str]] = {node: set() for node in nodes}
    for a, others in links.items():
        for b in others:
            near[a].add(b)
            near[b].add(a)
    left, groups = set(near), []
    while left:
        group, edge = set(), {min(left)}
        while edge:
            group |= edge
            edge = {b for a in edge for b in near[a]} - group
        left -= group
        groups.append(frozenset(group))
    return sorted(groups, key=lambda g: (-len(g), min(g)))


def check_archetypes(starter: Starter, findings: Findings) -> None:
    """Requests that differ, each with its tags and its films."""
    findings.section = "archetypes"
    rows = starter.archetypes
    findings.at_least("requests", len({r["request"].casefold() for r in rows}), ARCHETYPES)
    requests = Counter(r["request"].casefold() for r in rows)
    findings.none("requests that occur twice", [r for r, n in requests.items() if n > 1])
    number = [f"{r['request']}: {len(r['films'])}" for r in rows if len(r["films"]) != FILMS]
    findings.none(f"requests without {FILMS} films", number)
    twice = [f"{r['request']}: {who}" for r in rows for who in _twice(r["films"])]
    findings.none("films named twice for a request", twice)
    strange = [f"{r['request']}: {tag}" for r in rows for tag in _strange(r["tags"], starter)]
    findings.none("tags that are not in the vocabulary", strange)


def _strange(tags: Mapping[str, Any], starter: Starter) -> Iterable[str]:
    if set(tags) != TAG_NAMES:
        yield f"keys {sorted(tags)}, not {sorted(TAG_NAMES)}"
    for kind in ("genres", "moods"):
        known = starter.vocabulary[kind]
        yield from (f"{kind}: {name}" for name in tags.get(kind) or () if name not in known)
    if not _is_era(tags.get("era")):
        yield f"era: {tags['era']}"
    if tags.get("audience") not in AUDIENCES:
        yield f"audience: {tags['audience']}"


def _is_era(era: Any) -> bool:
    if isinstance(era, list):
        return len(era) == 2 and all(y is None or 1890 <= y <= 2030 for y in era)
    return era is None or bool(ERA.fullmatch(str(era)))


def check_comention(starter: Starter, findings: Findings) -> None:
    """Counts with attribution, and nothing else: no text, no dialogue ids."""
    findings.section = "co-mention"
    found = starter.comention
    films, pairs = found.get("films") or (), found.get("pairs") or ()
    dialogues = found.get("dialogues") or ()
    findings.say("films, pairs, dialogues", f"{len(films):,}, {len(pairs):,}, {len(dialogues):,}")
    source = str(found.get("source"))
    lacking = [name for name in ATTRIBUTION if name not in source]
    findings.none("names missing from the attribution", lacking)
    other = sorted(set(found) - {"source", "films", "pairs", "dialogues"})
    keys = {key for film in films for key in film} - {"title", "year", "imdb", "tmdb", "n"}
    findings.none("entries that are no counts", [*other, *sorted(keys)])
    ids = [str(d) for d in dialogues if not PREFIX.fullmatch(str(d))]
    findings.none("dialogues that are no prefix of a hash", ids or [] if dialogues else ["none"])
    bad = [str(p) for p in pairs if not _is_pair(p, len(films))]
    findings.none("pairs that count nothing", bad)


def _is_pair(pair: Any, films: int) -> bool:
    whole = isinstance(pair, list) and len(pair) == 3 and all(isinstance(x, int) for x in pair)
    return whole and 0 <= pair[0] < films and 0 <= pair[1] < films and pair[2] > 0
