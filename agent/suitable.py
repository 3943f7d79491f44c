"""Whether a film suits somebody of an age: from its certificate and its grades only.

Knows which ages people ask about, and the same bounds that a wish for children sets. Does not know
how a question is recognised (retrieval/nlu/questions.py) or a verdict said (inform.py). Pure.
"""

import re
from typing import Final, Literal

from agent.ledger_labels import graded
from retrieval.movie import Movie
from retrieval.nlu.preference_patterns import NOT_FOR_CHILDREN, NOT_FOR_TEENS, TEEN, TOO_MUCH

Verdict = Literal["yes", "no", "maybe", "unknown"]

_YEARS: Final = re.compile(r"\b(\d{1,2})[- ]?(?:year|yr|y/?o)")
_WHO: Final = (
    (re.compile(r"\b(?:toddlers?|little (?:ones?|kids?|children)|young (?:kids?|children))\b"), 5),
    (re.compile(r"\b(?:teens?|teenagers?|teenage)\b"), 14),
    (
        re.compile(r"\b(?:kids?|child|children|son|daughter|nephew|niece|grand(?:son|daughter))\b"),
        8,
    ),
)
"""Whom people ask about without an age, and the age that is taken for it."""
GRADES: Final = ("violence", "scariness", "sadness")
YOUNG: Final = 10
"""Years: below, what is quite scary is too much; above, only what is very scary."""
GROWN: Final = 17


def age_asked(text: str) -> int | None:
    """The age that a question is about; None when it is about nobody young."""
    lower = text.lower()
    years = _YEARS.search(lower)
    if years:
        return int(years.group(1))
    return next((age for pattern, age in _WHO if pattern.search(lower)), None)


def suits(movie: Movie, age: int) -> tuple[Verdict, list[str]]:
    """The verdict, and the facts that it rests on."""
    barred = NOT_FOR_CHILDREN if age < TEEN else NOT_FOR_TEENS
    rated = movie.certificate
    too_high = age < GROWN and rated in barred.split(" or ")
    bound = TOO_MUCH + (age >= YOUNG)
    known = {n: movie.attributes[n] for n in GRADES if movie.attributes.get(n) is not None}
    too_much = {n: g for n, g in known.items() if age < GROWN and g >= bound + (n == "sadness")}
    rating = [f"rated {rated}"] if rated else []
    if too_high or too_much:
        shown = too_much or {n: g for n, g in known.items() if g > 1}
        return "no", [*rating, *(graded(n, g) for n, g in shown.items())]
    feel = [graded(n, g) for n, g in known.items() if n != "sadness"]
    if rated:
        return "yes", [*rating, *feel]
    return ("maybe", feel) if feel else ("unknown", [])
