"""The nouns of retrieval: a movie, what may be asked of it, and what comes back.

Knows the fields of a movie, the clauses of a constraint and what "holds" means, once, for every
index and for the verifier. Does not know how an index stores or finds anything, nor chat, users or
HTTP. Called by everything in retrieval/, by tools/ and by agent/.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal, NamedTuple, get_args

Kind = Literal["movie", "series"]

GENRES: tuple[str, ...] = (
    *("action", "adventure", "animation", "biography", "comedy", "crime", "documentary", "drama"),
    *("family", "fantasy", "history", "horror", "music", "musical", "mystery", "noir", "romance"),
    *("science fiction", "sport", "thriller", "war", "western"),
)
"""The controlled genre names; loaders translate other spellings ("Sci-Fi", "Children") to these."""

Attribute = Literal[
    "violence",
    "scariness",
    "sadness",
    "humour",
    "romance",
    "complexity",
    "pace",
    "family_friendly",
]
ATTRIBUTES: tuple[Attribute, ...] = get_args(Attribute)
"""Graded 0 (none) to 3 (a lot)."""


@dataclass(frozen=True, slots=True)
class PredictedTag:
    """A tag that a model guessed: never read by hard filters, counts half in ranking."""

    kind: Literal["mood", "theme", "attribute"]
    name: str
    p: float
    grade: int | None = None
    """Of an attribute: 0-1 is little, 2-3 a lot, with probability `p`."""


@dataclass(frozen=True, slots=True)
class Movie:
    """One catalogue record. Only `movie_id` and `title` are always there."""

    movie_id: str
    """Opaque, kept as the source has it."""
    title: str
    alt_titles: tuple[str, ...] = ()
    year: int | None = None
    kind: Kind | None = None
    genres: tuple[str, ...] = ()
    directors: tuple[str, ...] = ()
    cast: tuple[str, ...] = ()
    """Billing order."""
    runtime_min: int | None = None
    language: str | None = None
    """ISO 639-1 of the main original language."""
    country: tuple[str, ...] = ()
    """ISO 3166 alpha-2, main one first."""
    certificate: str | None = None
    """US rating (G, PG, PG-13, R, NC-17, TV-...); other systems are kept as they are."""
    overview: str = ""
    themes: tuple[str, ...] = ()
    moods: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    attributes: Mapping[str, int] = field(default_factory=dict)
    """{attribute: 0-3}, see `ATTRIBUTES`."""
    fame: int | None = None
    """1-5: how many people know it."""
    popularity: float | None = None
    rating: float | None = None
    """0-10."""
    imdb: str | None = None
    tmdb: int | None = None
    movielens: int | None = None
    awards: tuple[str, ...] = ()
    poster_url: str | None = None
    trailer_url: str | None = None
    available_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """{country: streaming services}."""
    predicted_tags: tuple[PredictedTag, ...] = ()

    def label(self) -> str:
        """`Title (Year)`, the way people write it."""
        return f"{self.title} ({self.year})" if self.year else self.title


# --- keys: the same text always folds to the same key, here and in every index -------------------

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_ARTICLE = re.compile(r"^(the|a|an|le|la|les|l|el|los|las|il|der|die|das) ")


def words(text: str) -> list[str]:
    """Lower-case words without accents; "Amélie's" gives ["amelie's"]."""
    if text.isascii():  # most text: four times quicker, and the same
        return _WORD.findall(text.casefold())
    folded = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    return _WORD.findall("".join(c for c in folded if not unicodedata.combining(c)))


@lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """The comparison key of a name or tag: words joined by one space, no punctuation."""
    return " ".join(w.replace("'", "") for w in words(text))


@lru_cache(maxsize=65536)
def title_key(title: str) -> str:
    """The comparison key of a title: articles moved or leading are dropped, & is and."""
    moved = re.sub(r"^(.*), (The|A|An|Le|La|Les|L'|El|Il|Der|Die|Das)$", r"\2 \1", title.strip())
    key = fold(moved.replace("&", " and "))
    shorter = _ARTICLE.sub("", key)
    return shorter or key


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Strip a plural ending, so that "zombies" finds "zombie"; nothing cleverer."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + ("ie" if word.endswith("bies") else "y")
    if len(word) > 4 and word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def stems(text: str) -> tuple[str, ...]:
    """The stemmed words of a text, in order."""
    return tuple([stem(w.removesuffix("'s")) for w in words(text)])


# --- constraints: a conjunction of clauses --------------------------------------------------------

MatchField = Literal[
    "genre",
    "mood",
    "theme",
    "keyword",
    "topic",
    "person",
    "director",
    "actor",
    "language",
    "country",
    "certificate",
    "kind",
    "service",
]
RangeField = Literal["year", "runtime"] | Attribute


@dataclass(frozen=True, slots=True)
class Match:
    """True of a movie that is known to have one of `values` in `field`.

    Values are folded (`fold`). `topic` looks at genres, themes, moods and keywords together.
    `service` values are service names, in any country, or "us:netflix" for one country.
    """

    field: MatchField
    values: frozenset[str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", frozenset(fold_service(v) for v in self.values))


@dataclass(frozen=True, slots=True)
class Range:
    """True of a movie whose `field` is known and within min..max, both included."""

    field: RangeField
    min: int | None = None
    max: int | None = None


Clause = Match | Range


@dataclass(frozen=True, slots=True)
class Constraints:
    """What every result must satisfy.

    Each clause of `require` must hold on a known value. No clause of `exclude` may hold; a `Match`
    on genre, mood, theme, keyword or topic also excludes movies with the word in keywords or
    overview.
    """

    require: tuple[Clause, ...] = ()
    exclude: tuple[Clause, ...] = ()
    only_ids: frozenset[str] | None = None
    exclude_ids: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.require or self.exclude or self.exclude_ids or self.only_ids is not None)

    def without(self, clause: Clause) -> "Constraints":
        """The same constraints less one clause."""
        return replace(
            self,
            require=tuple(c for c in self.require if c != clause),
            exclude=tuple(c for c in self.exclude if c != clause),
        )


WORD_FIELDS: frozenset[str] = frozenset({"genre", "mood", "theme", "keyword", "topic"})
"""Fields whose exclusion also looks for the word itself in keywords and overview."""


def fold_service(value: str) -> str:
    """Fold a value; "US:Netflix" keeps its colon."""
    country, colon, service = value.partition(":")
    return f"{fold(country)}:{fold(service)}" if colon else fold(value)


def values_of(movie: Movie, name: MatchField) -> frozenset[str]:
    """The folded known values of one field; empty when unknown."""
    match name:
        case "person":
            found: Iterable[str] = (*movie.cast, *movie.directors)
        case "director":
            found = movie.directors
        case "actor":
            found = movie.cast
        case "genre":
            found = movie.genres
        case "mood":
            found = movie.moods
        case "theme":
            found = movie.themes
        case "keyword":
            found = movie.keywords
        case "topic":
            found = (*movie.genres, *movie.themes, *movie.moods, *movie.keywords)
        case "country":
            found = movie.country
        case "service":
            pairs = [(c, s) for c, services in movie.available_on.items() for s in services]
            return frozenset(v for c, s in pairs for v in (fold(s), f"{fold(c)}:{fold(s)}"))
        case "language" | "certificate" | "kind":
            value = getattr(movie, name)
            found = (value,) if value else ()
    return _folded(tuple(found))


@lru_cache(maxsize=32768)
def _folded(found: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(fold, found))  # each turn asks it of the same 200 movies again


def number_of(movie: Movie, name: RangeField) -> int | None:
    """The known value of a range field, or None."""
    if name == "year":
        return movie.year
    if name == "runtime":
        return movie.runtime_min
    return movie.attributes.get(name)


def is_known(movie: Movie, clause: Clause) -> bool:
    """Whether the movie has any value to test the clause on."""
    if isinstance(clause, Range):
        return number_of(movie, clause.field) is not None
    return bool(values_of(movie, clause.field))


def holds(movie: Movie, clause: Clause) -> bool:
    """Whether the clause is known to be true of the movie."""
    if isinstance(clause, Range):
        number = number_of(movie, clause.field)
        if number is None:
            return False
        above = clause.min is None or number >= clause.min
        return above and (clause.max is None or number <= clause.max)
    return not clause.values.isdisjoint(values_of(movie, clause.field))


def is_excluded_by(movie: Movie, clause: Clause) -> bool:
    """Whether an exclusion hits: the clause holds, or its word stands in keywords or overview."""
    if holds(movie, clause):
        return True
    if isinstance(clause, Range) or clause.field not in WORD_FIELDS:
        return False
    told = _told(movie.keywords, movie.overview)
    return any(phrase in told for phrase in _phrases(clause.values))


@lru_cache(maxsize=8192)
def _told(keywords: tuple[str, ...], overview: str) -> str:
    """What a movie is said to be about, as stems between spaces: each turn asks it of 50 movies."""
    return f" {' '.join(stems(' ; '.join((*keywords, overview))))} "


@lru_cache(maxsize=8192)
def _phrases(values: frozenset[str]) -> tuple[str, ...]:
    """Values as they would stand in `_told`; those without a word cannot."""
    return tuple(f" {said} " for value in values if (said := " ".join(stems(value))))


def satisfies(movie: Movie, constraints: Constraints) -> bool:
    """The one definition of "fits": every index filter must select exactly these movies."""
    if movie.movie_id in constraints.exclude_ids:
        return False
    if constraints.only_ids is not None and movie.movie_id not in constraints.only_ids:
        return False
    # Plain loops: each turn asks this of some 400 movies, mostly about one clause.
    for clause in constraints.require:
        if not holds(movie, clause):
            return False
    for clause in constraints.exclude:
        if is_excluded_by(movie, clause):
            return False
    return True


# --- asking and answering -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Taste:
    """What is known of a person beyond this conversation: movie ids with signed weights."""

    likes: Mapping[str, float] = field(default_factory=dict)
    """{movie_id: weight > 0}."""
    dislikes: Mapping[str, float] = field(default_factory=dict)
    seen: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Seed:
    """A movie that the user named as an example; `ago` = how many named movies ago (0 = last)."""

    movie_id: str
    ago: int = 0


@dataclass(frozen=True, slots=True)
class Wish:
    """A soft preference: movies with this value rank higher (weight > 0) or lower (< 0)."""

    field: MatchField
    value: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Query:
    """One request to the retriever."""

    text: str = ""
    """The user's words, as said; empty when only seeds or constraints are known."""
    said: str = ""
    """The last message whole, with titles and small talk: read for its intents where somebody wants
    to know them (the plain endpoints), never searched."""
    seeds: tuple[Seed, ...] = ()
    wishes: tuple[Wish, ...] = ()
    leanings: tuple[Clause, ...] = ()
    """What films should rather be, without having to: "recent", "about space"."""
    constraints: Constraints = Constraints()
    turned_down: frozenset[str] = frozenset()
    """Movies refused by name: part of what was asked; `exclude_ids` holds them as well."""
    proposals: tuple[str, ...] = ()
    """Movie ids that a model proposed, best first (already grounded)."""
    known_item: bool = False
    """True for "what was that film where ...": found by description, whoever else likes it."""


class Evidence(NamedTuple):
    """Why a candidate is here: which leg, at which rank (1 = best), from which seed or field.

    A tuple, because a search makes 600 of them: a frozen dataclass takes more than twice the time.
    """

    leg: str
    rank: int
    score: float
    source: str = ""
    """A seed's movie_id, "field:value", or an archetype's request; empty for plain legs."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A movie with its fused score (higher is better) and the evidence behind it."""

    movie: Movie
    score: float
    evidence: tuple[Evidence, ...] = ()
