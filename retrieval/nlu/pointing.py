"""Films of the list shown last, by their place: "the second one", "the first, third and fifth".

Knows ordinals, numbers, and "that Nolan one". Does not know titles (linking.py) nor what is wanted
of a film. Pure; called by understand.py only.
"""

import re
from collections.abc import Sequence

from rapidfuzz import fuzz

from retrieval.movie import Movie, fold
from retrieval.nlu.lexicon import TitleEntry
from retrieval.nlu.linking import Linker
from retrieval.nlu.spans import NUMBER_WORDS
from retrieval.nlu.tokens import LinkedTitle

_ORDINALS = {
    **{"first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "fourth": 3, "4th": 3},
    **{"fifth": 4, "5th": 4, "sixth": 5, "seventh": 6, "eighth": 7, "last": -1, "top": 0},
}
_ORDINAL = re.compile(
    rf"\b(?:the )?(?:({'|'.join(_ORDINALS)}) (?:one|movie|film|pick|option|choice|suggestion|title)?\b"
    r"|(?:number|no\.|#) ?(\d{1,2}|one|two|three|four|five)\b)"
    rf"|\bthe ({'|'.join(_ORDINALS)})(?=\W*$|\s*[,.;!?]| (?:and|is|was|looks|sounds)\b)|(?<=and )(?:the )?({'|'.join(_ORDINALS)})(?=\W*$)"
)
_PLACE = "|".join(_ORDINALS)
_SEVERAL = re.compile(
    rf"\b(?:the )?(?:{_PLACE})(?: one)?(?:(?:, and|,| and|&| or) (?:the )?(?:{_PLACE})\b(?: ones?)?)+"
    r"(?! (?!and\b|or\b|is\b|are\b|was\b|were\b|look|sound|please|already)\w)"
)
"""Places told one after another: "the first, third and fifth"."""
_FEW = {"two": 2, "2": 2, "three": 3, "3": 3, "four": 4, "4": 4}
_FIRST_FEW = re.compile(r"\b(?:the )?first (two|three|four|2|3|4)\b")
_TAKING = re.compile(
    r"\b(?:(?:i|we)(?:'ll| will|'m going to| am going to) (?:take|go with|go for|have|watch|try)|let'?s (?:take|go with|go for|watch|do|try))(?: the)? ([^,.!?;\n]{4,})"
)
LIKENESS = 80.0
"""rapidfuzz ratio (0-100) from which a misspelt name means the film of the list that they take."""
_THAT_ONE = re.compile(r"\bthat (\w+(?: \w+)?) (?:one|movie|film)\b")


def pointed_at(linker: Linker, shown: Sequence[Movie]) -> list[LinkedTitle]:
    """Movies of the list shown last; their spans are claimed."""
    found: list[LinkedTitle] = []
    for match in _SEVERAL.finditer(linker.lower):
        places = [_ORDINALS[w] for w in re.findall(r"\w+", match.group()) if w in _ORDINALS]
        if shown and linker.free(*match.span()) and max(places) < len(shown):
            found += [_linked(shown[n], *match.span()) for n in places]
    _claim(linker, found)
    for match in _FIRST_FEW.finditer(linker.lower):
        many = _FEW[match.group(1)] if linker.free(*match.span()) else 0
        found += [_linked(movie, *match.span()) for movie in shown[:many]]
    _claim(linker, found)
    for match in _ORDINAL.finditer(linker.lower):
        index = _place(match)
        alone = bool(match.group(1)) and match.group().strip().split()[-1] in _ORDINALS
        if -1 <= index < len(shown) and shown and not alone and linker.free(*match.span()):
            found.append(_linked(shown[index], *match.span()))
    for match in _THAT_ONE.finditer(linker.lower):
        name = fold(match.group(1))
        hits = [m for m in shown if any(name in fold(p) for p in (*m.directors, *m.cast))]
        if len(hits) == 1 and linker.free(*match.span()):
            found.append(_linked(hits[0], *match.span()))
    for match in _TAKING.finditer(linker.lower):
        said = fold(match.group(1))
        likely = [(fuzz.ratio(said, fold(m.title)), -n, m) for n, m in enumerate(shown)]
        score, _, movie = max(likely, key=lambda hit: hit[:2], default=(0.0, 0, None))
        if movie is not None and score >= LIKENESS and linker.free(*match.span(1)):
            found.append(_linked(movie, *match.span(1)))
    _claim(linker, found)
    linker.title_spans += [(t.start, t.end) for t in found]
    return found


def _place(match: re.Match[str]) -> int:
    word = match.group(1) or match.group(3) or match.group(4)
    if word:
        return _ORDINALS[word]
    return (NUMBER_WORDS.get(match.group(2)) or int(match.group(2))) - 1


def _claim(linker: Linker, found: Sequence[LinkedTitle]) -> None:
    for linked in found:
        linker.take(linked.start, linked.end)


def _linked(movie: Movie, start: int, end: int) -> LinkedTitle:
    return LinkedTitle(TitleEntry(movie.movie_id, movie.title, movie.year, 0.0), start, end)
