"""Prizes that somebody asks for: "an Oscar-winning drama". They raise films, and never bind.

Knows how people name prizes and how catalogues do ("Oscar: Best Picture"). Does not know how a list
comes about (searching.py). Pure.
"""

import re
from collections.abc import Sequence

from retrieval.movie import Candidate, Movie, fold

_ASKED = re.compile(
    r"\b(?:(?P<oscar>oscars?|academy awards?)|(?P<palme>palme d.or)|(?P<emmy>emmys?)"
    r"|(?P<golden>golden (?:lion|bear))|award[- ]winn\w+|prize[- ]winn\w+|won (?:an )?awards?)\b"
)
ANY = "any"


def prize_asked(text: str) -> str | None:
    """The first word of the prize as catalogues write it; `any`; None where none is asked for."""
    found = _ASKED.search(fold(text))
    return (found.lastgroup or ANY) if found else None


def prize_of(movie: Movie, asked: str) -> str | None:
    """The first prize of that name that a film is known to have won."""
    return next((a for a in movie.awards if asked in (ANY, fold(a).split(":")[0].split()[0])), None)


def winners_first(candidates: Sequence[Candidate], asked: str) -> tuple[Candidate, ...]:
    """Winners before the others, each in their order."""
    return tuple(sorted(candidates, key=lambda c: prize_of(c.movie, asked) is None))


def said(prize: str) -> str:
    """A prize inside a sentence: "the Oscar for Best Picture"."""
    name, colon, category = prize.partition(": ")
    return f"the {name} for {category}" if colon else f"the {name}"
