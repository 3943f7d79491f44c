"""How many titles there are of what: decades, genres, languages, countries; and file sizes.

Knows the quotas. Does not know words or lists. Pure. Called by check.py.
"""

import re
from collections import Counter
from collections.abc import Iterable

from retrieval.movie import ATTRIBUTES, GENRES
from retrieval.starter.check_files import Findings, Row, Starter, label

TITLES, SERIES, NEWEST = 2400, 100, 150
BYTES = 2_000_000
PER_GENRE, ANIMATION_OR_FAMILY, DOCUMENTARIES = 60, 200, 40
MAJOR = tuple(g for g in GENRES if g not in ("documentary", "noir"))
"""Documentaries have a quota of their own; noir is a style of few decades."""
FOREIGN, COUNTRIES = 0.15, 25
DECADES = range(1920, 2030, 10)
PER_DECADE = 10
CERTIFICATES = {
    "movie": {"G", "PG", "PG-13", "R", "NC-17", "NR"},
    "series": {"TV-Y", "TV-Y7", "TV-G", "TV-PG", "TV-14", "TV-MA", "NR"},
}


def check_counts(starter: Starter, findings: Findings) -> None:
    """Titles, series, sizes, and each quota."""
    findings.section = "counts"
    movies = starter.movies
    findings.at_least("titles", len(movies), TITLES)
    findings.at_most("series", sum(m.get("kind") == "series" for m in movies), SERIES)
    sizes = [f"{name}: {size:,}" for name, size in starter.sizes.items()]
    findings.at_most("bytes of all files", sum(starter.sizes.values()), BYTES, sizes)
    findings.at_least("titles of 2016-2025", _between(movies, 2016, 2025), NEWEST)
    for decade in DECADES:
        findings.at_least(f"{decade}s", _between(movies, decade, decade + 9), PER_DECADE)
    genres = Counter(g for m in movies for g in m.get("genres") or ())
    for genre in MAJOR:
        findings.at_least(genre, genres[genre], PER_GENRE)
    findings.at_least("documentary", genres["documentary"], DOCUMENTARIES)
    findings.say("noir", genres["noir"])
    young = sum(not {"animation", "family"}.isdisjoint(m.get("genres") or ()) for m in movies)
    findings.at_least("animation or family", young, ANIMATION_OR_FAMILY)
    foreign = [m for m in movies if m.get("language") != "en"]
    languages = Counter(m.get("language") for m in foreign)
    findings.at_least(
        "not in English", len(foreign) / max(1, len(movies)), FOREIGN, _top(languages)
    )
    countries = Counter(c for m in foreign for c in (m.get("country") or ())[:1])
    findings.at_least("countries of these", len(countries), COUNTRIES, _top(countries))
    fame = Counter(row.get("fame") for row in starter.tags)
    findings.say("fame 5 / 4 / 3 / 2 / 1", " / ".join(str(fame[f]) for f in range(5, 0, -1)))


def _between(movies: Iterable[Row], first: int, last: int) -> int:
    return sum(first <= (m.get("year") or 0) <= last for m in movies)


def _top(counter: Counter[object]) -> list[str]:
    return [", ".join(f"{name} {n}" for name, n in counter.most_common())]


def check_rows(starter: Starter, refused: list[str], findings: Findings) -> None:
    """Every row is complete, unique, and has its tags and its list."""
    findings.section = "rows"
    findings.none("rows that the loader refuses", refused)
    findings.none("rows with a fact missing or misshapen", list(_misshapen(starter.movies)))
    repeated = [f"{what} twice" for what in _repeated(starter)]
    findings.none("ids or titles that occur twice", repeated)
    titles = {label(m): m.get("imdb") for m in starter.movies}
    for name, rows in (("tags", starter.tags), ("neighbours", starter.lists)):
        keys = {label(row): row.get("imdb") for row in rows}
        findings.none(f"titles without {name}", sorted(set(titles) - set(keys)))
        other = [t for t, imdb in titles.items() if t in keys and keys[t] != imdb]
        findings.none(f"{name} under another IMDb id", other)
    strangers = sorted({label(row) for row in starter.tags} - set(titles))
    findings.none("tags of no title", strangers)


def _misshapen(movies: Iterable[Row]) -> Iterable[str]:
    for m in movies:
        kind = str(m.get("kind"))
        shapes = {
            "kind": kind in CERTIFICATES,
            "certificate": m.get("certificate") in CERTIFICATES.get(kind, ()),
            "language": re.fullmatch("[a-z]{2}", str(m.get("language"))),
            "country": all(re.fullmatch("[A-Z]{2}", c) for c in m.get("country") or ("",)),
            "year": 1890 <= (m.get("year") or 0) <= 2026,
            "runtime_min": 3 <= (m.get("runtime_min") or 0) <= 600,
            "imdb": re.fullmatch(r"tt\d{7,8}", m.get("imdb") or "tt0000000"),
            "directors": m.get("directors"),
            "cast": len(m.get("cast") or ()) <= 6,
            "genres": 1 <= len(m.get("genres") or ()) <= 4 and set(m["genres"]) <= set(GENRES),
        }
        yield from (f"{label(m)}: {name}: {m.get(name)}" for name, ok in shapes.items() if not ok)


def _repeated(starter: Starter) -> Iterable[str]:
    for name in ("movie_id", "imdb"):
        counted = Counter(m[name] for m in starter.movies if m.get(name))
        yield from (str(value) for value, n in counted.items() if n > 1)
    for name, rows in (
        ("movies", starter.movies),
        ("tags", starter.tags),
        ("lists", starter.lists),
    ):
        labels = Counter(label(row) for row in rows)
        yield from (f"{name}: {value}" for value, n in labels.items() if n > 1)


def check_grades(starter: Starter, findings: Findings) -> None:
    """Attributes 0-3, all eight; fame 1-5."""
    findings.section = "tags"
    ungraded = []
    for row in starter.tags:
        grades = row.get("attributes") or {}
        whole = set(grades) == set(ATTRIBUTES) and all(g in (0, 1, 2, 3) for g in grades.values())
        if not whole or row.get("fame") not in (1, 2, 3, 4, 5):
            ungraded.append(f"{label(row)}: {grades}, fame {row.get('fame')}")
    findings.none("titles without eight grades 0-3 and a fame 1-5", ungraded)
    for name in ATTRIBUTES:
        grades = Counter((row.get("attributes") or {}).get(name) for row in starter.tags)
        findings.say(f"{name} 0 / 1 / 2 / 3", " / ".join(str(grades[g]) for g in range(4)))
