"""Overviews and vocabulary: lengths, openings, filler, names that are not in the vocabulary.

Knows what makes an overview ours and one of a kind. Does not know other texts (check_overlap.py).
Pure. Called by check.py.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from retrieval.movie import fold, words
from retrieval.starter.check_files import Findings, Row, Starter, label

OVERVIEW = (30, 60)
"""Words."""
OPENING = 5
"""Overviews that share so many first words read alike."""
TWINS = 8
"""Nor may two share a run of so many words anywhere."""
NUMBERS = {"moods": (2, 4), "themes": (3, 7)}
FILLER = (
    *("must-see", "must see", "unforgettable", "masterpiece", "edge of your seat"),
    *("critically acclaimed", "heart-pounding", "box office", "instant classic"),
)


def check_overviews(starter: Starter, findings: Findings) -> None:
    """Thirty to sixty words of our own, no two alike."""
    findings.section = "overviews"
    movies = starter.movies
    low, high = OVERVIEW
    lengths = sorted(len(_overview(m).split()) for m in movies)
    findings.say("words: least, median, most", _three(lengths))
    findings.none(f"not {low}-{high} words", _where(movies, lambda m: _outside(m, low, high)))
    findings.none("that begin with their title", _where(movies, _begins_with_title))
    findings.none("with filler", _where(movies, _filler))
    openings = _shared(movies, lambda text: [" ".join(text[:OPENING])])
    findings.none(f"that share their first {OPENING} words", openings)
    runs = _shared(movies, lambda text: [" ".join(r) for r in _runs(text, TWINS)])
    findings.none(f"that share {TWINS} words in a row", runs)


def _overview(row: Row) -> str:
    return str(row.get("overview") or "")


def _where(movies: Iterable[Row], problem: Callable[[Row], str]) -> list[str]:
    told = ((m, problem(m)) for m in movies)
    return [f"{label(m)}: {what}" for m, what in told if what]


def _outside(row: Row, low: int, high: int) -> str:
    n = len(_overview(row).split())
    return "" if low <= n <= high else f"{n} words"


def _begins_with_title(row: Row) -> str:
    text, title = fold(_overview(row)), fold(str(row.get("title")))
    return title if text.startswith(f"{title} ") else ""


def _filler(row: Row) -> str:
    text = _overview(row).casefold()
    return ", ".join(phrase for phrase in FILLER if phrase in text)


def _runs(text: Sequence[str], n: int) -> Iterable[tuple[str, ...]]:
    return (tuple(text[i : i + n]) for i in range(len(text) - n + 1))


def _shared(movies: Iterable[Row], parts: Callable[[list[str]], Iterable[str]]) -> list[str]:
    holders: defaultdict[str, list[str]] = defaultdict(list)
    for m in movies:
        for part in set(parts(words(_overview(m)))):
            holders[part].append(label(m))
    return [f"{part!r}: {', '.join(who)}" for part, who in holders.items() if len(who) > 1]


def _three(ordered: Sequence[int]) -> str:
    return f"{ordered[0]}, {ordered[len(ordered) // 2]}, {ordered[-1]}" if ordered else "none"


def check_tags(starter: Starter, findings: Findings) -> None:
    """Moods and themes from the vocabulary, in number; which names nobody uses."""
    findings.section = "tags"
    for kind, (low, high) in NUMBERS.items():
        known = starter.vocabulary[kind]
        used = Counter(name for row in starter.tags for name in row.get(kind) or ())
        rows = [(row, list(row.get(kind) or ())) for row in starter.tags]
        number = [f"{label(r)}: {len(v)}" for r, v in rows if not low <= len(set(v)) <= high]
        findings.none(f"titles without {low}-{high} {kind}", number)
        strange = [f"{label(r)}: {n}" for r, v in rows for n in v if n not in known]
        findings.none(f"{kind} that are not in the vocabulary", strange)
        unused = [name for name in known if not used[name]]
        findings.say(f"{kind} in the vocabulary, unused", f"{len(known)}, {len(unused)}", unused)
        rare = [f"{name} {used[name]}" for name in known if 0 < used[name] < 3]
        findings.say(f"{kind} used once or twice", len(rare), rare)
    undefined = [
        f"{kind}: {name}"
        for kind, names in starter.vocabulary.items()
        for name, definition in names.items()
        if not definition.strip()
    ]
    findings.none("names without a definition", undefined)
