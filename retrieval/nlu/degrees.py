"""How much of something: not too violent, no gore, easily scared; and how somebody feels.

Knows the words for grades and feelings. Does not know genres, titles or the ledger. Pure; called by
preferences.py, whose findings it adds to.
"""

import re

from retrieval.nlu import audience
from retrieval.nlu import preference_patterns as patterns
from retrieval.nlu.audience import Reader
from retrieval.nlu.quantities import SHORT_MIN
from retrieval.nlu.scope import mode_at
from retrieval.nlu.wording import FEELING_MOODS, GRADE_WORDS, MOOD_WORDS
from retrieval.understanding import Finding

_OUTRIGHT = re.compile(r"(?:not|nothing|isn't|n't) [\w-]+")
"""Refused as such, and not only too much of it: "nothing bleak"."""
_MORE_THAN_A_GRADE = frozenset({"bleak"})
"""Moods that a film may have whatever its grade: a bleak film need not be sad."""


def too_much(reading: Reader) -> None:
    """What must not be too violent, sad or scary: "nothing too violent", "no gore"."""
    for match in patterns.TOO.finditer(reading.lower):
        name, sign = GRADE_WORDS[match.group(1)]
        remarked = mode_at(reading.lower, match.start(), clause_only=True) == "comment"
        of_list = reading.shown and patterns.OF_A_LIST.fullmatch(reading.lower[: match.start()])
        remarked = remarked and not of_list
        asked = any(a <= match.start() < b for a, b in reading.linker.asking)
        named = reading.linker.opens_a_title(match.start(1))
        if remarked or asked or named or not reading.free(*match.span()):
            continue
        reading.linker.take(*match.span())
        value = {"name": name, "min": patterns.TOO_MUCH} if sign > 0 else {"name": name, "max": 1}
        reading.findings.append(Finding("attribute", value, "avoid", True))
        mood = MOOD_WORDS.get(match.group(1))
        if mood in _MORE_THAN_A_GRADE and _OUTRIGHT.fullmatch(match.group()):
            reading.findings.append(Finding("mood", mood, "avoid", True))

    _refused_words(reading)
    for match in patterns.NO_VIOLENCE.finditer(reading.lower):
        if reading.free(*match.span()) and not patterns.TOLD.search(reading.lower[: match.start()]):
            _bar(reading, "violence", match)
    for match in patterns.A_LITTLE.finditer(reading.lower):
        _a_little(reading, match)
    for match in patterns.CLEAN.finditer(reading.lower):
        if reading.free(*match.span()):
            reading.linker.take(*match.span())
            clean = audience.at_most("PG-13")
            reading.findings += [clean] if clean not in reading.findings else []
    for match in patterns.EASY.finditer(reading.lower):
        _bar(reading, "complexity", match)
        reading.findings.append(Finding("mood", "lighthearted", "want", False))
    for match in patterns.TIMID.finditer(reading.lower):
        _bar(reading, "scariness", match)


def _refused_words(reading: Reader) -> None:
    """Bar what is refused by a word alone, or in a list: "hates soppy stuff", "or violent"."""
    for match in patterns.HATES_SUCH.finditer(reading.lower):
        name, sign = GRADE_WORDS[match.group(1)]
        if sign > 0 and reading.free(*match.span(1)):
            _bar(reading, name, match)
    for match in patterns.TOO_AS_WELL.finditer(reading.lower):
        if reading.negated(match.start(1)) and reading.free(*match.span(1)):
            _as_well(reading, match)


def _as_well(reading: Reader, match: re.Match[str]) -> None:
    """Bar one more quality of a refused list: "nothing sad, violent or long"."""
    name, sign = GRADE_WORDS.get(match.group(1), ("runtime", 1))
    if name == "runtime":
        reading.findings.append(Finding("runtime", {"max": SHORT_MIN}, "want", True))
    elif sign > 0:
        value = {"name": name, "min": patterns.TOO_MUCH}
        reading.findings.append(Finding("attribute", value, "avoid", True))
    reading.linker.take(*match.span(1))


def _a_little(reading: Reader, match: re.Match[str]) -> None:
    """Ask for something, and bar the most of it: "a bit scary"."""
    remarked = mode_at(reading.lower, match.start(), clause_only=True) == "comment"
    if remarked or reading.negated(match.start("word")) or not reading.free(*match.span()):
        return
    mood, grade = patterns.LITTLE_OF[match.group("word")]
    reading.linker.take(*match.span())
    if mood:
        reading.findings.append(Finding("mood", mood, "want", False))
    value = {"name": grade, "min": patterns.TOO_MUCH + 1}
    reading.findings.append(Finding("attribute", value, "avoid", True))


def much(reading: Reader) -> None:
    """Rank by what there should be much of: "gory", "fast-paced"."""
    for match in patterns.MUCH.finditer(reading.lower):
        asked = mode_at(reading.lower, match.start()) == "request"
        if asked and not reading.negated(match.start()) and reading.free(*match.span()):
            value = {"name": str(match.lastgroup), "min": patterns.TOO_MUCH}
            reading.findings.append(Finding("attribute", value, "want", False))
    for match in patterns.SERIOUS.finditer(reading.lower):
        asked = mode_at(reading.lower, match.start()) == "request"
        if asked and not reading.negated(match.start()) and reading.free(*match.span()):
            _bar(reading, "humour", match)


def _bar(reading: Reader, grade: str, match: re.Match[str]) -> None:
    reading.linker.take(*match.span())
    value = {"name": grade, "min": patterns.TOO_MUCH}
    reading.findings.append(Finding("attribute", value, "avoid", True))


def fame(reading: Reader) -> None:
    """What is underrated, where it is asked for: "a hidden gem", "nothing too mainstream"."""
    for match in patterns.LITTLE_KNOWN.finditer(reading.lower):
        reading.no_wishes.append(match.span())
        remarked = mode_at(reading.lower, match.start()) == "comment"
        if remarked or reading.negated(match.start()) or not reading.free(*match.span()):
            continue
        reading.linker.take(*match.span())
        reading.findings.append(Finding("fame", patterns.LITTLE, "want", False))


def feelings(reading: Reader) -> None:
    """How they feel, as the moods that usually help."""
    moods: list[str] = []
    for match in patterns.FEEL.finditer(reading.lower):
        helped_by = FEELING_MOODS[match.group(1)]
        moods += helped_by
        if match.group(1) not in helped_by:
            reading.no_wishes.append(match.span())  # "I feel sad" asks for no sad film
        reading.linker.take(*match.span())
    for match in patterns.SCARE_ME.finditer(reading.lower):
        if not reading.negated(match.start()):
            moods.append("scary")
            reading.linker.take(*match.span())
    for match in patterns.LAUGH_TILL_TEARS.finditer(reading.lower):
        moods.append("funny")
        reading.linker.take(*match.span())
    for match in patterns.CHEER.finditer(reading.lower):
        moods += ["feel-good", "heartwarming", "funny"]
        reading.linker.take(*match.span())
    reading.findings += [Finding("mood", mood, "want", False) for mood in dict.fromkeys(moods)]


def graded_too(reading: Reader, phrase: str, start: int) -> None:
    """Bar what is graded scary when "nothing scary" is said."""
    grade = GRADE_WORDS.get(phrase)
    remarked = mode_at(reading.lower, start) == "comment"
    if grade and grade[1] > 0 and reading.negated(start) and not remarked:
        reading.findings.append(
            Finding("attribute", {"name": grade[0], "min": patterns.TOO_MUCH}, "avoid", True)
        )
