"""Filters of the plain endpoints, by the names of `Constraints`: what each result must satisfy.

Knows how names and values become clauses, and which values are no values at all. Does not know what
a clause means (retrieval/movie.py). Used by recommend.py in bodies and in query strings alike.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from retrieval.catalogs import names as catalog_names
from retrieval.movie import (
    ATTRIBUTES,
    GENRES,
    Clause,
    Constraints,
    Match,
    MatchField,
    Range,
    RangeField,
)

NOT = "not_"
ANY_OF = "|"
"""Between values of which one is enough; repeated values must all hold."""
MAX_VALUES = 20
MATCHED: tuple[MatchField, ...] = get_args(MatchField)
RANGED: tuple[RangeField, ...] = ("year", "runtime", *ATTRIBUTES)

Value = Annotated[str, Field(min_length=1, max_length=200)]
Values = Annotated[list[Value], Field(max_length=MAX_VALUES)]
Year = Annotated[int | None, Field(ge=1800, le=2200)]
Minutes = Annotated[int | None, Field(ge=0, le=10_000)]
Grade = Annotated[int | None, Field(ge=0, le=3)]

_NAMED: Mapping[str, tuple[Callable[[str], str | None], str]] = {
    "genre": (catalog_names.genre, "one of " + ", ".join(GENRES)),
    "language": (catalog_names.language, "a language, such as fr or French"),
    "country": (catalog_names.country, "a country, such as FR or France"),
    "kind": (catalog_names.kind, "movie or series"),
}
"""Fields with names of their own: how a value is read, and what it may be."""


class Filters(BaseModel):
    """What each result must satisfy. A film of which a field is not known fails a filter on it.

    Repeated values must all hold; of values joined by `|` one is enough (`genre=crime|thriller`).
    `not_` excludes: none may hold, nor may the word stand in keywords or overview where the field
    is a genre, mood, theme, keyword or topic. Grades run from 0 (none) to 3 (a lot).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    genre: Values = []
    not_genre: Values = []
    mood: Values = []
    not_mood: Values = []
    theme: Values = []
    not_theme: Values = []
    keyword: Values = []
    not_keyword: Values = []
    topic: Values = []
    not_topic: Values = []
    person: Values = []
    not_person: Values = []
    director: Values = []
    not_director: Values = []
    actor: Values = []
    not_actor: Values = []
    language: Values = []
    not_language: Values = []
    country: Values = []
    not_country: Values = []
    certificate: Values = []
    not_certificate: Values = []
    kind: Values = []
    not_kind: Values = []
    service: Values = []
    not_service: Values = []
    year_min: Year = None
    year_max: Year = None
    runtime_min: Minutes = None
    runtime_max: Minutes = None
    violence_min: Grade = None
    violence_max: Grade = None
    scariness_min: Grade = None
    scariness_max: Grade = None
    sadness_min: Grade = None
    sadness_max: Grade = None
    humour_min: Grade = None
    humour_max: Grade = None
    romance_min: Grade = None
    romance_max: Grade = None
    complexity_min: Grade = None
    complexity_max: Grade = None
    pace_min: Grade = None
    pace_max: Grade = None
    family_friendly_min: Grade = None
    family_friendly_max: Grade = None

    @model_validator(mode="before")
    @classmethod
    def _wrap_single(cls, sent: object) -> object:
        """In JSON, a single value may be sent bare."""
        if not isinstance(sent, dict):
            return sent
        lists = {*MATCHED, *(NOT + name for name in MATCHED)}
        return {
            name: [value] if name in lists and isinstance(value, str) else value
            for name, value in sent.items()
        }

    @field_validator(*_NAMED, *(NOT + name for name in _NAMED))
    @classmethod
    def _known_names(cls, values: list[str], info: Any) -> list[str]:
        read, choices = _NAMED[info.field_name.removeprefix(NOT)]
        found = []
        for value in values:
            named = [read(part) for part in value.split(ANY_OF)]
            if None in named:
                raise ValueError(f"it must be {choices}")
            found.append(ANY_OF.join(part for part in named if part))
        return found

    @model_validator(mode="after")
    def _check_ranges(self) -> "Filters":
        for name in RANGED:
            low, high = self._ends(name)
            if low is not None and high is not None and low > high:
                raise ValueError(f"{name}_min is above {name}_max: nothing is between them")
        return self

    def _ends(self, name: RangeField) -> tuple[int | None, int | None]:
        return getattr(self, f"{name}_min"), getattr(self, f"{name}_max")

    def constraints(self) -> Constraints:
        """The filters as clauses."""
        require: list[Clause] = [clause for name in MATCHED for clause in self._matches(name, "")]
        for name in RANGED:
            low, high = self._ends(name)
            if (low, high) != (None, None):
                require.append(Range(name, low, high))
        exclude = [clause for name in MATCHED for clause in self._matches(name, NOT)]
        return Constraints(tuple(require), tuple(exclude))

    def _matches(self, name: MatchField, prefix: str) -> list[Clause]:
        values: list[str] = getattr(self, prefix + name)
        return [Match(name, frozenset(value.split(ANY_OF))) for value in values]
