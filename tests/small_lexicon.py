"""A small catalogue of real titles for tests of understanding, and what is heard with it."""

from functools import cache
from typing import Any

from retrieval.movie import Movie
from retrieval.nlu.lexicon import Lexicon
from retrieval.nlu.lexicon_builder import build_lexicon
from retrieval.understand import Context, understand
from retrieval.understanding import Understanding

_FILMS = (
    ("Inception", 2010, 148, "Christopher Nolan", "Leonardo DiCaprio"),
    ("Heat", 1995, 170, "Michael Mann", "Al Pacino"),
    ("Heat", 1986, 101, "Dick Richards", "Burt Reynolds"),
    ("Alien", 1979, 117, "Ridley Scott", "Sigourney Weaver"),
    ("The Dark Knight", 2008, 152, "Christopher Nolan", "Christian Bale"),
    ("Memento", 2000, 113, "Christopher Nolan", "Guy Pearce"),
    ("Fight Club", 1999, 139, "David Fincher", "Brad Pitt"),
    ("The Matrix", 1999, 136, "Lana Wachowski", "Keanu Reeves"),
    ("The Shawshank Redemption", 1994, 142, "Frank Darabont", "Tim Robbins"),
    ("When Harry Met Sally...", 1989, 95, "Rob Reiner", "Meg Ryan"),
    ("Up", 2009, 96, "Pete Docter", "Ed Asner"),
    ("It", 2017, 135, "Andy Muschietti", "Bill Skarsgård"),
    ("Her", 2013, 126, "Spike Jonze", "Joaquin Phoenix"),
    ("Scary Movie", 2000, 88, "Keenen Ivory Wayans", "Anna Faris"),
    ("About Time", 2013, 123, "Richard Curtis", "Domhnall Gleeson"),
    ("Jaws", 1975, 124, "Steven Spielberg", "Roy Scheider"),
    ("Saving Private Ryan", 1998, 169, "Steven Spielberg", "Tom Hanks"),
    ("The Terminator", 1984, 107, "James Cameron", "Arnold Schwarzenegger"),
    ("Amélie", 2001, 122, "Jean-Pierre Jeunet", "Audrey Tautou"),
    ("Happy Gilmore", 1996, 92, "Dennis Dugan", "Adam Sandler"),
    ("Harry Potter and the Sorcerer's Stone", 2001, 152, "Chris Columbus", "Daniel Radcliffe"),
    ("Harry Potter and the Chamber of Secrets", 2002, 161, "Chris Columbus", "Daniel Radcliffe"),
    ("Harry Potter and the Goblet of Fire", 2005, 157, "Mike Newell", "Daniel Radcliffe"),
)


@cache
def films() -> tuple[Movie, ...]:
    """The films, better known first."""
    return tuple(
        Movie(
            f"m{n:02}",
            title,
            year=year,
            runtime_min=minutes,
            directors=(director,),
            cast=(actor,),
            themes=("heist",) if title == "Heat" else ("time travel",),
            fame=5 if n < 20 and (title, year) != ("Heat", 1986) else 3,
        )
        for n, (title, year, minutes, director, actor) in enumerate(_FILMS)
    )


@cache
def lexicon() -> Lexicon:
    """Their names."""
    return build_lexicon(films())


def hear(text: str, context: Context | None = None) -> Understanding:
    """What an utterance says to somebody who knows these films."""
    return understand(text, lexicon(), context)


def values(text: str, kind: str, context: Context | None = None) -> list[tuple[Any, str, bool]]:
    """Value, polarity and hardness of what is found of one kind."""
    found = [f for f in hear(text, context).findings if f.kind == kind]
    return [
        (f.value if isinstance(f.value, str) else dict(f.value), f.polarity, f.hard) for f in found
    ]
