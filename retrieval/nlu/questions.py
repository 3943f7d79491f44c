"""Questions, why-questions, small talk, and requests that are not about movies.

Knows the patterns by which people ask. Does not know titles: the movie a question is about is
linked by linking.py. Pure; called by understand.py only.
"""

import re
from dataclasses import dataclass, replace
from typing import Literal, cast

from retrieval.nlu.forgotten import is_known_item
from retrieval.nlu.wording import (
    BESIDE_THE_POINT,
    GENRE_WORDS,
    GRADE_WORDS,
    NATIONS,
    OUT_OF_SCOPE,
    SMALL_TALK,
    SUPERLATIVES,
)
from retrieval.understanding import Question, QuestionField, SmallTalk

_GRADES = "|".join(sorted(map(re.escape, GRADE_WORDS), key=len, reverse=True))
_FILM = r"(?:it|that|this|(?!(?:there|it|that|this)\b)[^.?!,]{1,40}?)"
_NOT_ANY = (
    r"(?!(?:there|any|an?|some|something|anything|everything|what|which|one|ones|movies?|films?)\b)"
)
_ONE_FILM = r"(?:it|that|this|(?:(?!\b(?:there|it|that|this|which|movies?|films?|in an?)\b(?!'))[^.?!,]){1,40}?)"
"""A film and nothing that describes one: not the "teen movie that" of "was he in a teen movie that"."""
_AT_FIRST = r"^\W*(?:(?:and|but|so|ok|hm+)\W+)*"
_TONGUES = "|".join(sorted(word for word, (kind, _) in NATIONS.items() if kind == "language"))
_PARTS = re.compile(
    r"(?:(?!\b(?:and|then)\b,? (?:(?:also|then|please|can you|could you|maybe) )*(?:who|what|how|when|where|which|is it|is that|recommend|suggest|give|show|find)\b)[^.?!;\n])+[.?!;\n]*"
    r"|\b(?:and|then)\b[^.?!;\n]+[.?!;\n]*"
)
"""Sentences, and what "and" joins to them as a question or a request of its own."""
_CLAUSE_END = re.compile(r"[?.!;\n]|$")
_QUESTIONS: tuple[tuple[QuestionField, str], ...] = (
    (
        "runtime",
        r"\bhow (?:long|many minutes|many hours) (?:is|was|does|are)\b|\b(?:is|was) [^.?!,]{1,40} (?:very |too |really |that |so )?(?:long|short)\?|\b(?:runtime|running time|length) (?:of|for)\b(?! (?:\w+ ){0,2}(?:\d|an hour|one|two|three|ninety))|\bwhat(?:'s| is) (?:its|the|[^.?!,]{1,40}'s?) (?:runtime|running time|length)",
    ),
    (
        "director",
        r"\bwho (?:directed|made|is the director|was the director|'s the director)\b(?! of photo)|\bwho'?s the director\b(?! of photo)|\b(?:name )?the director of (?!photography)\b",
    ),
    (
        "cast",
        r"\bwho(?:'s| is| was| are| were)?(?: all)? (?:in|starring|stars|acts|acted|plays|played|the (?:lead|actors?|cast))\b|\bwho stars\b|\b(?:cast|actors) (?:of|in)\b|\b(?:what|which) (?:actors?|actress(?:es)?|stars?) (?:is|are|was|were|plays?|stars?|acts?) in\b",
    ),
    (
        "year",
        r"\bwhen (?:was|did|is|does)\b.{0,60}?\b(?:made|released|come out|out|from)\b|\b(?:what|which) year\b|\bhow old is (?!.*year)",
    ),
    (
        "certificate",
        r"\b(?:is|are|was|would)\b[^.?!,]{0,60}\b(?:ok|okay|suitable|appropriate|safe|fine|good|alright|too (?:scary|violent|much)) for (?:kids|children|my|a|an|our|young|little|the)"
        r"|\b(?:can|could|should|may) (?:my|our|the|an?) (?:[\w-]+ ){1,4}?(?:watch|see)\b(?! (?:with|tonight|something|any))|\bage rating\b|\bwhat(?:'s| is)\b(?! (?:an?|some|the (?:best|most|highest|top|newest|latest))\b)[^.?!,]{0,50}\brated\b|\b(?:certificate|rating) of\b(?! \d)|\bwhat(?:'s| is| was) (?:its|the|[^.?!,]{1,40}'s) (?:age |mpaa |film )?(?:rating|certificate)\b",
    ),
    ("awards", r"\b(?:did|has|what|which|how many)\b[^.?!,]{0,50}\b(?:oscars?|awards?)\b"),
    (
        "availability",
        r"\b(?:where )?can i (?:watch|see|stream|find|rent) (?:it|that|this)\b|\bwhere can i (?:watch|see|stream|find|rent)\b|\bis (?!there\b)(?:it|that|this|[^.?!,]{1,40}) (?:on|streaming on) (?:netflix|hulu|prime|disney)|\b(?:is|are) (?:any|some|all|both|either|one|which) of (?:these|those|them|the \w+) (?:available |streaming )?on \w|\bdoes (?:netflix|hulu|prime|disney|hbo|mubi|apple)\b[^.?!]{0,12} (?:have|carry|show|stream)\b",
    ),
    (
        "language",
        rf"\bwhat languages?\b|\b(?:is|was) (?:it|that|this) (?:in|dubbed|subtitled)\b|{_AT_FIRST}(?:(?:is|was|are) (?:all of )?{_FILM}(?: all)?|which (?:ones? |films? )?(?:of (?:these|those|them) )?(?:is|are)) (?:in (?:{_TONGUES})|dubbed|subtitled)\b",
    ),
    ("country", r"\b(?:where was|what country)\b[^.?!,]{0,50}\b(?:made|from|filmed|shot)\b"),
    ("genre", r"\b(?:what|which) (?:genre|kind of (?:movie|film)|type of (?:movie|film)) is\b"),
    (
        "rating",
        r"\b(?:would|will|might|do you think) (?:i|we|he|she|they|my \w+)(?:'d|'ll| would| will)? (?:like|love|enjoy) (?:it|that|this|that one|this one)\b|\bis (?:it|that|this|that one) (?:any )?(?:good|worth)\b|\bhow good is\b|\bis [^.?!,]{1,40} worth (?:watching|seeing|it|my|the|\d|an?|two|three|four)\b|\b(?:is|was) [^.?!,]{1,40} any good\b|^\W*is [^.?!,]{1,40} good\?",
    ),
    (
        "difference",
        r"\bhow (?:is|does|do|are|were) [^.?!]{1,60} (?:different|differ|compare)|\bdifference between\b|\bwhat makes [^.?!]{1,60} different\b"
        r"|\b(?:can'?t|cannot|can not|hard to) (?:decide|choose|pick) between\b|\btorn between\b",
    ),
    (
        "plot",
        r"\bwhat(?:'s| is| was|s) [^.?!,]{1,60}? about\b|\btell me (?:more )?(?:about|on)\b|^\W*more about\b|\b(?:plot|story|summary|synopsis) (?:of|for)\b|\bwhat(?:'s| is) (?:the|its) (?:plot|story|premise)|\bwhat happens in\b|\bdescribe\b|[^.;!?]*\btell me (?:a bit |a little )?more\b(?! (?:like|such|films|movies))|\bwhat(?:'s| is) [^.?!,]{1,40}'s? (?:plot|story|premise)\b",
    ),
)
_HOW_GRADED = re.compile(
    rf"(?P<words>\bhow (?P<grade>{_GRADES}) (?:is|was|are)\b)"
    rf"|\b(?:is|was) {_FILM} (?P<words2>(?:very |too |really |that |so |at all |particularly )?(?P<grade2>{_GRADES}))(?: at all| for [^.?!,]+)?\?"
    r"|(?P<words3>\b(?:is|are) there (?:any |much |a lot of |lots of )?(?P<grade3>violence|gore) in\b)"
)
_IS_A = re.compile(
    rf"\b(?:is|was) {_FILM} (?P<words>an? [^.?!,]{{2,30}}|animated|romantic|historical|dubbed|in colou?r|(?:in )?black and white)\?"
)
"""A yes-or-no question: "is Die Hard a Christmas movie?"."""
_IS_ABOUT = re.compile(
    rf"{_AT_FIRST}(?:is|was|are) (?!(?:(?:any|some)(?:thing)?|all|both|each|they|these|those)\b){_FILM} (?P<words>(?:about|set in) [^.?!]+)\?"
)
"""Of its story: "is the second one about the Beatles?" asks for no film about them."""
_HELD_TO = tuple(
    (
        cast(QuestionField, field),
        re.compile(
            rf"{_AT_FIRST}(?:is|was) {_NOT_ANY}(?P<film>(?:that|this) one|{_ONE_FILM}) (?P<words>{predicate})\W*$"
        ),
    )
    for field, predicate in (
        ("certificate", r"(?:rated|certified|an?) (?:g|pg|pg-?13|r|nc-?17|\d\d)(?:[- ]rated)?"),
        (
            "runtime",
            r"(?:longer|shorter|over|under|more|less)(?: than)? (?:an?|\d+|one|two|three|four|half an)[^.?!]*?(?:hours?|hrs?|minutes?|mins?)[^.?!]*",
        ),
        (
            "year",
            r"(?:older|newer|from|made|released|before|after)(?: than| in| before| after)? (?:the )?(?:\d{2,4}\W?s?|\w+ties|noughties)",
        ),
        ("director", r"(?:directed |made )?by [^.?!,]{3,40}"),
    )
)
"""A film held to one fact: "is The Thing rated R?", "is it longer than two hours?"."""
_OTHER = re.compile(
    r"^\W*(?:is|was|are) [^.?!,]{1,40} based on\b|\b(?:is|are|was) there (?:an? |any )?(?:sequels?|prequels?|remakes?) (?:to|of|for)\b|\b(?:who (?:wrote|produced|composed)|what(?:'s| is| was) the (?:budget|box office|soundtrack)|how much did)\b"
    r"|\b(?:does|did|do) (?:he|she|it|they|the (?!kids?\b|children\b)[\w ]{2,20}|anyone|anybody) (?!like|love|want|enjoy|prefer|have to|need)[^.?!]*\?|\bwho(?:'s| is) the [^.?!,]{2,30} (?:in|of|for)\b"
)
_OF_IT = re.compile(
    r"^\W*(?:(?:and|but|so|ok|hm+)\W+)*(?:(?:is|was|are) there (?:an? |any )?(?:sequels?|prequels?|remakes?|second (?:part|one)|part (?:two|2)|follow[- ]?up)\b(?! (?:to|of|for) )|(?:has|have|does|did|is|was) (?:it|that one|this one) (?:got|have|part of|one of|end|ends?)\b|how (?:does|did) (?:it|that one|this one) end\b)[^.?!]*"
)
"""Asked of a film that is only pointed at: none of the words is a wish."""
_BASED_ON = re.compile(r"^\W*(?:is|was|are) [^.?!,]{1,40} based on\b")
_COMPILED = tuple((field, re.compile(pattern)) for field, pattern in _QUESTIONS)
_NO_FILM = (
    r"(?! (?:(?!of\b|ones?\b|for\b|in\b|here\b)[\w-]+ ){0,3}?(?:movies?|films?|flicks?|"
    + "|".join(f"{re.escape(word.removesuffix('y'))}(?:y|ies|s)?" for word in sorted(GENRE_WORDS))
    + r")\b)"
)
"""Behind "the best": what is the best crime film of 2010 is asked of the catalogue, not of a list."""
_SUPERLATIVE = re.compile(
    r"\b(?:which|what)(?: (?:one|film|movie))?(?: of (?:these|those|them|the (?:two|three|four|five)))?(?:'s| is| was| are| has| would be)? "
    rf"(?:the )?(?P<most>{'|'.join(sorted(map(re.escape, SUPERLATIVES), key=len, reverse=True))})\b(?! than\b){_NO_FILM}"
)
_THE_MOST = re.compile(
    rf"^\W*(?:(?:and|ok|so|hm+|then)\W+)*(?:the )?(?P<most>{'|'.join(sorted(map(re.escape, SUPERLATIVES), key=len, reverse=True))})(?: one| of (?:these|those|them|the (?:list|lot)))?\W*\?\W*$"
)
"""Asked of a list without "which": "the shortest one?"."""
_THAT_IS_MOST = re.compile(
    rf"^\W*(?:(?:and|ok|so|hm+|then)\W+)*the one that(?:'s| is| was) (?:the )?(?P<most>{'|'.join(sorted(map(re.escape, SUPERLATIVES), key=len, reverse=True))})\W*$"
)
"""The same, told rather than asked: "the one that's most romantic"."""
_THAN = re.compile(
    rf"\b(?:is|was|are) [^.?!,]{{1,40}}? (?P<most>{'|'.join(sorted(map(re.escape, SUPERLATIVES), key=len, reverse=True))}) than [^.?!,]+"
)
"""Two films held against each other: "is The Exorcist scarier than Hereditary?"."""
_OF_THE_LIST = frozenset(
    {"certificate", "difference", "availability", "rating", "language", "runtime"}
)
"""Questions whose other words are no wish: "is Alien ok for kids?" asks for no children's film."""
_ASKING_FOR_LIST = re.compile(
    r"\b(?:recommend|suggest|(?:give|show|find|get) (?:me|us)|what (?:should|can|could) (?:i|we) watch)\b"
    r"|\b(?:something|anything|one|ones|movies?|films?) (?:else )?(?:like|similar|in the same|along those)\b"
)
_ASKING_ME = re.compile(r"\b(?:recommend|suggest)\b|\btell me about (?:some|any|a few|good)\b")
_WHY = re.compile(
    r"^\W*(?:why|how come)\W*$|\bwhy (?:did|do|would|are|is|was|have|that|this|these|those|the|it|not me|number|no)\b|\b(?:reason|reasons) (?:for|behind|you)\b|\bhow come you\b|\bexplain (?:that|this|the|your|why|number|no|film|pick)\b|\bwhat made you (?:pick|choose|recommend|suggest|think)\b|\bhow did you (?:pick|choose|come up|decide)\b"
)
_OUT = tuple(re.compile(p) for p in OUT_OF_SCOPE)
_BESIDE_THE_POINT = re.compile(
    rf"\b(?:{'|'.join(sorted(map(re.escape, BESIDE_THE_POINT), key=len, reverse=True))})\b[^.,;!?]*?"
    r"(?=[.,;!?]|$|\b(?:but|so|and) (?:i|we|give|show|find|what|can|please|an?|something)\b|\b(?:i|we) (?:want|need|deserve)\b)"
)
"""What they do otherwise, up to the end of it: "instead of homework", "while I cook dinner"."""
_SMALL = tuple((re.compile(p), kind) for kind, patterns in SMALL_TALK.items() for p in patterns)


@dataclass(frozen=True, slots=True)
class FoundQuestion:
    """A question with the part of the text it takes up."""

    about: QuestionField
    span: tuple[int, int]
    words: tuple[int, int] | None = None
    """Words inside that name what is asked ("scary"): they are no wish."""
    extreme: Literal[-1, 0, 1] = 0
    """1 for "the longest", -1 for "the shortest" of a list."""
    film: tuple[int, int] | None = None
    """Where the sentence has the film, whatever its letters look like."""

    @property
    def asks_only(self) -> bool:
        """Whether nothing in the clause of the question can be a wish."""
        return self.about in _OF_THE_LIST or self.extreme != 0

    def moved(self, by: int) -> "FoundQuestion":
        """The same, so many letters further on."""
        words = (self.words[0] + by, self.words[1] + by) if self.words else None
        film = (self.film[0] + by, self.film[1] + by) if self.film else None
        return replace(self, span=(self.span[0] + by, self.span[1] + by), words=words, film=film)

    def of(self, movie_id: str | None, other_id: str | None = None) -> Question:
        """The question, about this movie."""
        return Question(self.about, movie_id, other_id, self.extreme)


def find_questions(lower: str) -> tuple[FoundQuestion, ...]:
    """Every question about a movie, with its clause, in order."""
    if is_known_item(lower):
        return ()
    found: list[FoundQuestion] = []
    for part in _PARTS.finditer(lower):
        question = _find_question(part.group())
        if question:
            found.append(question.moved(part.start()))
    return tuple(found)


def asks_for_list(lower: str) -> bool:
    """Whether a part that asks nothing about a movie asks for movies."""
    parts = [part.group() for part in _PARTS.finditer(lower)]
    return any(_ASKING_FOR_LIST.search(p) and not _find_question(p) for p in parts)


def _find_question(lower: str) -> FoundQuestion | None:
    if _ASKING_ME.search(lower):
        return None
    for field, pattern in _HELD_TO:
        if held := pattern.search(lower):
            return FoundQuestion(field, held.span(), held.span("words"), film=held.span("film"))
    asked = (p.search(lower) for p in (_SUPERLATIVE, _THE_MOST, _THAT_IS_MOST, _THAN))
    most = next(filter(None, asked), None)
    if most:
        about, sign = SUPERLATIVES[most.group("most")]
        return FoundQuestion(cast(QuestionField, about), _clause(lower, most), extreme=sign)
    if story := _IS_ABOUT.search(lower):
        return FoundQuestion("plot", story.span(), story.span("words"))
    for field, pattern in _COMPILED:
        match = pattern.search(lower)
        if match:
            return FoundQuestion(field, _clause(lower, match))
    if _BASED_ON.search(lower):
        return _unanswerable(lower)
    if of_it := _OF_IT.search(lower):
        return FoundQuestion("other", of_it.span(), of_it.span())
    return _graded(lower) or _yes_or_no(lower) or _unanswerable(lower)


def _clause(lower: str, match: re.Match[str]) -> tuple[int, int]:
    end = _CLAUSE_END.search(lower, match.end())
    return match.start(), end.start() if end else len(lower)


def _graded(lower: str) -> FoundQuestion | None:
    match = _HOW_GRADED.search(lower)
    if match is None:
        return None
    which = next(n for n in ("", "2", "3") if match.group(f"grade{n}"))
    about = GRADE_WORDS[match.group(f"grade{which}")][0]
    return FoundQuestion(
        cast(QuestionField, about), _clause(lower, match), match.span(f"words{which}")
    )


def _yes_or_no(lower: str) -> FoundQuestion | None:
    match = _IS_A.search(lower)
    return FoundQuestion("genre", match.span(), match.span("words")) if match else None


def _unanswerable(lower: str) -> FoundQuestion | None:
    match = _OTHER.search(lower)
    return FoundQuestion("other", _clause(lower, match)) if match else None


_WHY_ABSENT = re.compile(
    r"\b(?:why|how come)\b(?! (?:not|do ?n'?t|do not)\b)[^.?!]*?\b(?:\w+n'?t|not|no|never|missing|absent|left out)\b[^.?!]*"
)
_OF_ITS_CAST = re.compile(r"\b(?:in|part of) (?:it|that|this|that one|this one)\W*$")


def find_absence(lower: str) -> FoundQuestion | None:
    """A question why somebody or something is not there: it refuses nobody."""
    match = _WHY_ABSENT.search(lower)
    if match is None:
        return None
    cast_of = _OF_ITS_CAST.search(match.group())
    return FoundQuestion("cast" if cast_of else "other", match.span())


def find_why(lower: str) -> bool:
    """Whether the user asks for the reason of a recommendation."""
    return bool(_WHY.search(lower)) and "why not" not in lower and "why don't" not in lower


def is_out_of_scope(lower: str) -> bool:
    """Whether this is plainly not about movies."""
    asked = _BESIDE_THE_POINT.sub(" ", lower)
    return any(p.search(asked) for p in _OUT)


def small_talk(lower: str) -> tuple[SmallTalk, ...]:
    """Greetings, thanks and the like."""
    return cast(tuple[SmallTalk, ...], tuple(kind for p, kind in _SMALL if p.search(lower)))
