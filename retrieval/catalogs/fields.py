"""One row of a catalogue, as strings or JSON values, to a checked `Movie`.

Knows how each field may be written and what is refused. Does not know files or formats. A refused
value refuses the row (BadValue): half a record would be silently wrong. Called by catalog.py and
catalogs/sources.py.
"""

import ast
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from retrieval.catalogs import names
from retrieval.movie import ATTRIBUTES, Movie, PredictedTag

MAX_TEXT = 20_000
"""Characters of an overview that are kept."""
MAX_TITLE = 500
MAX_LIST = 200
"""Entries of a list field that are kept."""
FIRST_YEAR, LAST_YEAR = 1870, 2100
MAX_RUNTIME = 10_000
"""Minutes; the longest films run several days."""

_ARTICLE = re.compile(
    r"^(?P<rest>[^,]+(?:,.+?)??), "
    r"(?P<article>The|A|An|Le|La|Les|L'|El|Los|Las|Il|Lo|Der|Die|Das|Un|Une)(?P<more>:.*)?$"
)
_YEAR = re.compile(r"(?<!\d)(1[89]\d\d|20\d\d|2100)(?!\d)")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class BadValue(ValueError):
    """A row cannot be read; the message names the column and the value."""


def movie_of(row: Mapping[str, Any], mapping: Mapping[str, str], films_only: bool) -> Movie:
    """The movie of a row; `mapping` gives a column for a field where the names differ."""
    found = _by_field(row, mapping)
    movie_id = _text(found.get("movie_id"))
    title = _text(found.get("title")) or next(iter(_strings(found.get("alt_titles", []))), "")
    if not movie_id:
        raise BadValue("no movie_id")
    if not title:
        raise BadValue("no title")
    if len(title) > MAX_TITLE or len(movie_id) > MAX_TITLE:
        raise BadValue(f"movie_id or title longer than {MAX_TITLE} characters")
    fields: dict[str, Any] = {}
    for name, parse in _PARSERS.items():
        value = found.get(name)
        if value is not None:
            fields[name] = _parsed(name, parse, value)
    if films_only and "kind" not in found:
        fields["kind"] = "movie"
    told = names.told_genres(fields.get("keywords", ()))
    if told:
        fields["genres"] = tuple(dict.fromkeys((*fields.get("genres", ()), *told)))
    title = natural_title(title)
    alternatives = (natural_title(t) for t in fields.pop("alt_titles", ()))
    alt_titles = tuple(dict.fromkeys(t for t in alternatives if t != title))
    return Movie(movie_id, title, alt_titles, **fields)


def unused_columns(row: Mapping[str, Any], mapping: Mapping[str, str]) -> set[str]:
    """The columns that no field reads."""
    fields = _columns_of(tuple(row), _frozen(mapping))
    return set(row) - {column for _, columns in fields for column in columns}


def check_columns(columns: Iterable[str], mapping: Mapping[str, str]) -> list[str]:
    """Which of movie_id and title no column gives."""
    given = {name for name, _ in _columns_of(tuple(columns), _frozen(mapping))}
    return [name for name in ("movie_id", "title") if name not in given]


def natural_title(title: str) -> str:
    """A title as people say it: "The Matrix" for "Matrix, The"."""
    moved = _ARTICLE.match(title)
    if not moved:
        return title
    space = "" if moved["article"].endswith("'") else " "
    return f"{moved['article']}{space}{moved['rest']}{moved['more'] or ''}"


def _frozen(mapping: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(mapping.items()))


@lru_cache(maxsize=4096)
def _columns_of(
    columns: tuple[str, ...], mapping: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(field, its columns that are there, best first)."""
    by_key = {column.strip().lower().replace(" ", "_"): column for column in columns}
    wanted: dict[str, tuple[str, ...]] = {**names.COLUMNS, **{f: (c,) for f, c in mapping}}
    found = {
        field: tuple(
            by_key[key] for n in known if (key := n.strip().lower().replace(" ", "_")) in by_key
        )
        for field, known in wanted.items()
    }
    return tuple((field, have) for field, have in found.items() if have)


def _by_field(row: Mapping[str, Any], mapping: Mapping[str, str]) -> dict[str, Any]:
    """{field: value}; the first column that has one, or all of them for united fields."""
    found: dict[str, Any] = {}
    for field, columns in _columns_of(tuple(row), _frozen(mapping)):
        values = [v for c in columns if not _is_missing(v := row[c], field)]
        if values:
            united = field in names.UNITED and len(values) > 1
            found[field] = [x for v in values for x in entries(v, field)] if united else values[0]
    return found


def _is_missing(value: Any, field: str) -> bool:
    if value is None or value == [] or value == {}:
        return True
    if isinstance(value, float):
        return math.isnan(value)
    if isinstance(value, str):
        text = value.strip().lower()
        return not text if field in ("title", "alt_titles") else text in names.MISSING
    return False


def _parsed(name: str, parse: Callable[[Any], Any], value: Any) -> Any:
    try:
        return parse(value)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        shown = repr(value)
        shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
        raise BadValue(f"{name}: {error} ({shown})") from None


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    # Lone surrogates come from broken JSON escapes and could not be stored.
    clean = str(value).encode("utf-8", "replace").decode()
    return " ".join(_UNPRINTABLE.sub(" ", clean).split())


def _overview(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("is not text")
    return _text(value)[:MAX_TEXT]


def entries(value: Any, field: str = "") -> list[Any]:
    """A list written as a list, as JSON, as a Python literal or with | between the entries."""
    if isinstance(value, str):
        text = value.strip()
        if text.startswith(("[", "{")):
            value = _literal(text)
        elif "|" in text or field not in _COMMAS:
            return text.split("|")
        else:
            return re.split(r"[,;]", text)
    if isinstance(value, Mapping):
        return [value]
    if isinstance(value, list | tuple):
        return list(value)
    raise ValueError("is not a list")


_COMMAS = frozenset({"genres", "language", "country"})
"""Fields whose entries never hold a comma, so that it may separate them."""


def _literal(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return ast.literal_eval(text)
    except (SyntaxError, RecursionError, MemoryError):
        raise ValueError("is not a list") from None


def _strings(value: Any, field: str = "") -> tuple[str, ...]:
    """The distinct texts of a list; of an object its `name` or code."""
    found = []
    for entry in entries(value, field):
        if isinstance(entry, Mapping):
            entry = entry.get("name") or entry.get("iso_3166_1") or entry.get("iso_639_1")
        text = _text(entry)
        if text:
            found.append(text)
    return tuple(dict.fromkeys(found))[:MAX_LIST]


def _translated(field: str, table: Callable[[str], str | None]) -> Callable[[Any], tuple[str, ...]]:
    def parse(value: Any) -> tuple[str, ...]:
        found = (table(text) for text in _strings(value, field))
        return tuple(dict.fromkeys(text for text in found if text))

    return parse


def _language(value: Any) -> str | None:
    known = _translated("language", names.language)(value)
    return known[0] if known else None


def _number(value: Any) -> float:
    if isinstance(value, bool):
        raise ValueError("is not a number")
    number = float(value.replace(",", "") if isinstance(value, str) else value)
    if not math.isfinite(number):
        raise ValueError("is not a number")
    return number


def _whole(value: Any) -> int:
    number = _number(value)
    if number != int(number):
        raise ValueError("is not a whole number")
    return int(number)


def _year(value: Any) -> int:
    if isinstance(value, str) and not value.strip().lstrip("-").isdigit():
        dated = _YEAR.search(value)
        if not dated:
            raise ValueError("holds no year")
        return int(dated[0])
    year = _whole(value)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"is not within {FIRST_YEAR}-{LAST_YEAR}")
    return year


def _runtime(value: Any) -> int | None:
    if isinstance(value, str):
        value = re.sub(r"\s*min(ute)?s?\.?$", "", value.strip())
    minutes = round(_number(value))
    if not 0 <= minutes <= MAX_RUNTIME:
        raise ValueError(f"is not within 0-{MAX_RUNTIME} minutes")
    return minutes or None  # tables write 0 for "not known"


def _kind(value: Any) -> str:
    kind = names.kind(_text(value))
    if not kind:
        raise ValueError("is neither movie nor series")
    return kind


def _rating(value: Any) -> float | None:
    rating = _number(value)
    if not 0 <= rating <= 10:
        raise ValueError("is not within 0-10")
    return rating or None


def _popularity(value: Any) -> float | None:
    popularity = _number(value)
    if popularity < 0:
        raise ValueError("is negative")
    return popularity or None  # tables write 0 where nobody was asked


def _fame(value: Any) -> int:
    fame = _whole(value)
    if not 1 <= fame <= 5:
        raise ValueError("is not within 1-5")
    return fame


def _imdb(value: Any) -> str | None:
    digits = re.fullmatch(r"(?:tt)?(\d{1,10})", _text(value))
    if not digits:
        raise ValueError("is not like tt0109830")
    return f"tt{int(digits[1]):07d}" if int(digits[1]) else None


def _id_number(value: Any) -> int | None:
    return _whole(value) or None


def _attributes(value: Any) -> dict[str, int]:
    pairs = _literal(value) if isinstance(value, str) else value
    if not isinstance(pairs, Mapping):
        raise ValueError("is not an object")
    grades: dict[str, int] = {
        name: _whole(pairs[name]) for name in ATTRIBUTES if pairs.get(name) is not None
    }
    wrong = [name for name, grade in grades.items() if not 0 <= grade <= 3]
    if wrong:
        raise ValueError(f"{wrong[0]} is not within 0-3")
    return grades


def _grade(value: Any) -> int | None:
    if value is None:
        return None
    grade = _whole(value)
    if not 0 <= grade <= 3:
        raise ValueError("grade is not within 0-3")
    return grade


def _services(value: Any) -> dict[str, tuple[str, ...]]:
    pairs = _literal(value) if isinstance(value, str) else value
    if not isinstance(pairs, Mapping):
        raise ValueError("is not an object of countries")
    return {names.country(str(c)) or _text(c): _strings(s) for c, s in pairs.items()}


def _predicted(value: Any) -> tuple[PredictedTag, ...]:
    tags = tuple(
        PredictedTag(tag["kind"], _text(tag["name"]), _number(tag["p"]), _grade(tag.get("grade")))
        for tag in entries(value)
    )
    if any(tag.kind not in ("mood", "theme", "attribute") for tag in tags):
        raise ValueError("kind is not mood, theme or attribute")
    return tags


_PARSERS: dict[str, Callable[[Any], Any]] = {
    "alt_titles": _strings,
    "year": _year,
    "kind": _kind,
    "genres": _translated("genres", names.genre),
    "directors": _strings,
    "cast": _strings,
    "runtime_min": _runtime,
    "language": _language,
    "country": _translated("country", names.country),
    "certificate": lambda value: names.certificate(_text(value)),
    "overview": _overview,
    "themes": _strings,
    "moods": _strings,
    "keywords": _strings,
    "attributes": _attributes,
    "fame": _fame,
    "popularity": _popularity,
    "rating": _rating,
    "imdb": _imdb,
    "tmdb": _id_number,
    "movielens": _id_number,
    "awards": _strings,
    "poster_url": _text,
    "trailer_url": _text,
    "available_on": _services,
    "predicted_tags": _predicted,
}
