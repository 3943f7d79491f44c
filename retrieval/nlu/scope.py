"""How a part of an utterance is meant: wanted or not, asked for or only remarked upon.

Knows negators, what ends their reach, phrases that only look negative, and the difference between
"I want horror", "I love horror" and "it was horror". Does not know movies.
Pure; called by understand.py only.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from retrieval.nlu.wording import GENRE_WORDS, NEGATORS, NOT_NEGATING, NOT_THE_FILM, SCOPE_ENDS

_BOUNDARY = re.compile(r"[.;!?\n:]|,(?! ?(?:or|nor)\b)|—| - ")
_WORD = re.compile(r"[a-zà-ÿ0-9'’&]+")
_AND_NEW_CLAUSE = re.compile(
    r"\band (?:a|an|something|i|i'm|make|it|should|please|set|maybe|also|then|have|has|nothing|no|without|not|ideally|preferably)\b"
    r"|\band (?:made |released |ones? |films? |movies? )?(?P<how>before|after|since|under|over|at most|at least|between|from|by|with|in|starring)\b"
    r"|\band (?P<verb>that|which|was|were|is|are|came|comes|runs|lasts)\b"
)
_NEGATOR = re.compile(
    r"\b(?:" + "|".join(sorted(map(re.escape, NEGATORS), key=len, reverse=True)) + r")\b"
)
_HARMLESS = re.compile(
    r"\b(?:"
    + "|".join(sorted(map(re.escape, NOT_NEGATING), key=len, reverse=True))
    + r")\b(?!(?<=\bcare) for\b)"
)
_AFTERWARDS = re.compile(
    r"\b(?P<what>[\w' -]{2,40}?)(?:(?: is| are|'s| movies are| films are)(?:(?:n't| not) (?:really |exactly )?"
    r"(?:my thing|for me|my cup of tea|what i (?:want|need)|an option|our thing|for us)|(?: a)?(?: (?:hard|big|definite|firm))? (?:no(?:[- ]go)?|deal[- ]?breakers?|turn[- ]?offs?)\b(?![- ]brainer| \w)"
    r"| out\b(?= *(?:$|[.,;!?]| of the question))| off the (?:table|menu|list))"
    r"|(?:(?: is| are)(?: not|n't)|'s not) (?:in|part of) (?:it|them|any of (?:it|them)|the (?:cast|film|movie))\b"
    r"| (?:bores?|annoys?|irritates?|depress(?:es)?) (?:me|us|him|her|them)\b| (?:puts?|turns?) (?:me|us) off| (?:do|does) nothing for (?:me|us)"
    r"|\? ?no(?:,? thanks| way|pe)?\b(?= *(?:$|[.,;!?])))"
)
"""Refused after it was named: "rom-coms are a no", "horror's out", "musicals? no thanks"."""
_LEFT_OUT = re.compile(
    r"\b(?:leave|leaving|keep|keeping|cut|count) (?!it\b|me\b|us\b)(?:the |any |all )?(?P<what>[\w' -]{2,30}?) out\b(?! of (?:the|a|my|our) )"
    r"|\bgive (?!it\b|me\b|us\b|this\b|that\b)(?:the |any |all )?(?P<missed>[\w' -]{2,30}?) a (?:miss|rest|pass|skip)\b"
)
"""Refused within its verb: "leave war out of it"."""
_LAST_CLAUSE = re.compile(
    r".*\b(?:but|and|though|because|so(?! long)|as long as|so long as|if|provided(?: that)?) "
)
_NON = re.compile(r"\bnon[- ](?=[a-z]+)")
_NO_REFUSAL = frozenset({"fiction", "stop", "linear", "verbal"})
"""After "non": a kind of its own."""
_ONE_WORD = re.compile(r"[\w.]+")
_FOR_WHOM = re.compile(
    r"\bfor (?:the|my|our|us|me|kids|children|families|date|tonight|everyone|a (?:date|family|night))\b"
)
_NO_CONTENT = re.compile(
    r"[^a-z]*(?:(?:really|exactly|meant|suitable|made|good|the|a|an|any|one|ones|thing|things|films?|movies?|flicks?|something|anything|stuff|just|only|want|looking|be|it)\b[^a-z]*)*"
)
"""What leaves "for kids" under the negator: "no films for kids", "not really for kids"."""
_LOVE_STORY = re.compile(r"love (?:stor|song|triangle|interest|scene|affair)")
_INTERJECTION = re.compile(
    r"\bno+(?=,? (?:i|i'm|im|i've|ive|i'll|it|it's|its|that's|thats|that is|we|you|they|he|she|thanks|never)\b)"
)
"""The "no" that answers and bars nothing: "no that's a funny title", "no I haven't"."""
_NEW_CLAUSE = re.compile(
    r"\b(?:do|can|could|would|will) you\b|\b(?:is|are) there\b|\b(?:are|were) (?:they|these|those)\b|\bas long as\b"
    r"|\b(?:actually,? )?(?:an?|some) [\w -]{2,30}? would be (?:good|nice|great|fine|fun|perfect|cool|awesome|better)\b"
)
"""Where people go on without a stop: "I don't like action movies do you know of a comedy"."""
_THE_KIND = re.compile(r" the [\w-]+ (?P<kind>kind|sort|type) of ")
"""Behind "not": of what follows only a kind is refused, "not the gory kind of horror"."""
_WITHOUT = re.compile(
    r"without|minus|free of|devoid of|with zero|low on|(?<=\bwith )no|(?<=\bwith )not"
)
_FILM_AGAIN = re.compile(
    r"\b(?P<last>(?:[\w'’-]+ )?[\w'’-]+) (?=(?:about|by|directed|starring|featuring|with|from|set (?:in|on|at|during)"
    r"|based on|made|released|shot|filmed|under|over|shorter|longer|between)\b)"
)
"""What describes the film again behind what it is without ("without romance about twins"), where
more stands before it than words that it belongs to ("without jokes about animals")."""
_LIST_TAIL = re.compile(
    r"^,(?! ?(?:something|some|but|just|maybe|perhaps|rather|instead|preferably|i|i'd|i'm|give|show)\b)[^.;!?]{1,40}?\b(?:or|nor)\b"
)
"""The rest of "no ghosts, demons or clowns", and not the wish in "no horror, something funny or sad"."""


@dataclass(frozen=True, slots=True)
class Reach:
    """The span (start, end) that a negator at (cue_start, cue_end) covers."""

    cue: str
    cue_start: int
    start: int
    end: int


def negated_spans(lower: str) -> list[Reach]:
    """Every stretch of `lower` (lower-case text) under a negator, in order."""
    harmless = [m.span() for p in (_HARMLESS, _INTERJECTION) for m in p.finditer(lower)]
    spans: list[Reach] = []
    for match in _NEGATOR.finditer(lower):
        if any(a <= match.start() < b for a, b in harmless):
            continue
        if (
            spans
            and match.start() < spans[-1].end
            and match.group() not in ("not", "no", "nothing")
        ):
            continue
        end = _end_of_reach(lower, match.end())
        if _WITHOUT.fullmatch(lower, *match.span()):
            end = _film_again(lower, match.end(), end)
        spans.append(Reach(match.group(), match.start(), match.end(), end))
    for match in _AFTERWARDS.finditer(lower):
        start, end = match.span("what")
        clause = _LAST_CLAUSE.match(lower, start, end)
        start = clause.end() if clause else start
        spans.append(Reach("isn't", start, start, end))
    for match in _LEFT_OUT.finditer(lower):
        what = match.span("what" if match.group("what") else "missed")
        spans.append(Reach("leave out", match.start(), *what))
    for match in _NON.finditer(lower):
        word = _ONE_WORD.match(lower, match.end())
        if word and word.group() not in _NO_REFUSAL:
            spans.append(Reach("non", match.start(), match.end(), word.end()))
    return spans


def _end_of_reach(lower: str, start: int) -> int:
    boundary = _next_boundary(lower, start)
    if kind := _THE_KIND.match(lower, start):
        return kind.start("kind")
    if run_on := _NEW_CLAUSE.search(lower, start, boundary):
        boundary = run_on.start()
    words = list(_WORD.finditer(lower, start, boundary))
    for n, word in enumerate(words):
        # "not looking for", "don't want": a verb right after the negator belongs to it.
        if n >= 2 and word.group() in SCOPE_ENDS and not _LOVE_STORY.match(lower, word.start()):
            return word.start()
        if n == 1 and word.group() in ("but", "just", "only", "however"):
            return word.start()
    for audience in _FOR_WHOM.finditer(lower, start, boundary):
        if not _NO_CONTENT.fullmatch(lower, start, audience.start()):
            boundary = audience.start()  # "without violence for the whole family"
            break
    for clause in _AND_NEW_CLAUSE.finditer(lower, start, boundary):
        how = clause.group("how") or clause.group("verb")
        # "No comedy and from before 1990" bounds, "isn't set in space and came out by 1990" as well;
        # "nothing from the 80s and from the 90s", "nothing that is sad and that is long" go on.
        if how is None or not re.search(rf"\b{how}\b", lower[start : clause.start()]):
            return clause.start()
    return boundary


def _film_again(lower: str, start: int, end: int) -> int:
    """Where the film itself is spoken of again, behind what it is without; else `end`."""
    for match in _FILM_AGAIN.finditer(lower, start, end):
        if not NOT_THE_FILM.issuperset(match.group("last").split()):
            return match.end()
    return end


def _next_boundary(lower: str, start: int) -> int:
    for match in _BOUNDARY.finditer(lower, start):
        if match.group() == "," and _LIST_TAIL.match(lower[match.start() :]):
            continue
        return match.start()
    return len(lower)


# --- how something is said --------------------------------------------------------------------------

Mode = Literal["request", "taste", "comment"]
"""request: binds; taste ("I love horror"): ranks; comment ("it was funny"): says nothing of a wish."""

_SENTENCE = re.compile(r"[.!?;\n]+|\bbut\b")
_CLAUSE = re.compile(r"[.!?;,\n]+|\bbut\b|\band\b")
_REQUEST = re.compile(
    r"\bwe (?:both|all) (?:really )?(?:like|love|enjoy)\b|\b(?:both|all) of us (?:like|love|enjoy)\b|\b(?:want|wanna|looking|look for|recommend|recommendations?|suggest|suggestions?|give me|show me|find|need|prefer|mood"
    r"|(?<!love me )some(?:thing|body)?|any(?:thing)?|would (?:like|love)|i'd (?:like|love|rather|prefer)|how about|what about|can you|could you"
    r"|do you (?:have|know)|(?:was|am|'m|were|been) (?:thinking|after)|had in mind|only|must|please|make it|should i|to watch|what are|what's a|best(?! (?:[\w-]+ ){1,4}ever\b(?! made))|hoping|search(?:ing)?|instead|meant)\b"
)
_TASTE = re.compile(
    r"\b(?:i|we|he|she|they) (?:mostly|usually|mainly|normally|generally|typically|often) (?:watch|see|pick|choose|go for)\b"
    r"|\b(?:i|we|he|she|they)(?:'m| am|'re| are|'s| is| do| also| really| usually| mostly| personally| just| always| absolutely| both| mainly| even| kinda| still"
    r"| sometimes| often| actually| especially)* "
    r"(?:like|love|enjoy|adore|into|big fan|a fan|fan|starting to like|tend to)\b"
    r"|\b(?:i|we)(?:'m| am|'re| are) an? [\w -]{2,40} (?:fan|addict|buff|lover|junkie|nut)\b|\bfavou?rites?\b|\bmy top\b"
    r"|\bdo (?:you|u) (?:guys )?(?:like|love|enjoy)\b|^\W*(?:especially|mostly|mainly|usually)\b|\b(?:mostly|mainly|usually)\W*$|\b(?:loves|likes|enjoys|adores|fan of|obsessed with)\b"
)
_COMMENT = re.compile(
    r"\b(?:it|that|this|they|those|these|he|she|which(?! (?:films?|movies?|ones?)\b)|one|ones|(?<!which )(?<!what )(?<!any )(?:movie|film)(?! (?:where|in which|with|about|set|starring|by)\b)|title|part|ending|acting|story)(?:'s|'re)?\b(?: \w+){0,3}?"
    r" ?\b(?:was|is|were|are|had|has(?! to\b)|looks?|looked|sounds?|sounded|seems?|seemed|wasn't|isn't|weren't|got(?! to\b)|made(?! (?:after|before|in|between|since|by|for|during|from|around|within)\b)|makes)\b"
    r"|\b(?:it's|its(?! own\b)|that's|thats|they're|he's|she's|wasn't|was)\b(?! (?:for|gotta|got to|has to|have to|must|needs? to)\b)"
    r"|\b(?:i|we)(?:'ve| have)? ?(?:(?:just|already|also|only|recently) )*(?:saw|seen|watched|loved|liked|enjoyed|heard|remember|thought)\b|\b(?:i|we) did (?:like|love|enjoy)\b"
    r"|\bif (?:you|u) (?:really )?(?:like|love|enjoy|liked|loved|enjoyed|are into)\b|\((?:19|20)\d\d\) (?:is|was|are|were|has|had|looks?|looked|sounds?|sounded)\b"
    r"|\b(?:almost |kinda |just )?(?:sounds?|looks?) like\b|\bcan be (?:ok(?:ay)?|good|fine|fun|great|nice|boring)\b|\bit (?:also )?star+(?:e?s|e?d)\b"
    r"|\b(?:have|has|had|did) (?:you|u) (?:ever |just )?(?:seen|see|watch(?:ed)?|like[ds]?)\b"
    r"|\b(?:is|was) (?:that|it|this)(?: one)? the (?:one|movie|film)\b|\b(?:the )?(?:movie|film|one) (?:he|she|they) (?:made|did)\b"
    r"|\b(?:family|kids?|husband|wife|son|daughter|friends?) (?:loved|liked|hated|enjoyed)\b"
    r"|^\W*(?:came|comes) out (?:in|around)\b|^\W*(?:the )?best (?:[\w-]+ ){1,4}ever\b(?! made)"
    r"|\b(?:see|watch|rewatch)(?:es|ed|ing)? (?:it|that|this|them)(?: one)? (?:all the time|every|over and over|constantly|so often|a lot)\b"
)


_KINDS = "|".join(sorted({word for key in GENRE_WORDS for word in key.split()[-1:]}))
_HEDGE = re.compile(r"\b(?:maybe|perhaps|possibly)\b(?: [\w'-]+){0,4} ?(?:an? )?$")
_MORE_OF, _THAN = re.compile(r"\bmore (?:of an? )?$"), re.compile(r" than\b(?! \d)")
_EXTRA = re.compile(
    r"\b(?:if possible|ideally|preferably|would be (?:nice|great|a plus|a bonus)|bonus (?:points )?(?:if|for)|if you can"
    r"|(?:would|could|will|can|might) also (?:be|work|do)|(?:would|could|will|can|might) (?:be (?:\w+ )?|work |do )(?:too|as well)"
    r"|(?:is|are) (?:also )?(?:nice|good|great|fine|ok(?:ay)?|welcome) (?:too|as well))\b"
)
_PUNCTUATION = re.compile(r"[.,;!?\n]")
_WHATEVER = re.compile(
    r"\bor (?:whatever|anything)\b(?! (?:like|similar|with|by|from|in|about|on|of|starring|scar|more|less))"
)


def is_hedged(lower: str, start: int) -> bool:
    """Whether it is brought up with doubt: "a romantic comedy. Maybe something with Tom Hanks"."""
    return bool(_HEDGE.search(lower, sentence_at(lower, start)[0], start))


def is_extra(lower: str, start: int, end: int) -> bool:
    """Whether it is only welcome: "boxing if possible", "horror would also be great", "or whatever"."""
    if _MORE_OF.search(lower, 0, start) and _THAN.match(lower, end):
        return True  # "a little more action than romance" says which way, and bars no romance
    before = [m.end() for m in _PUNCTUATION.finditer(lower, 0, start)]
    after = _PUNCTUATION.search(lower, end)
    low, high = before[-1] if before else 0, after.start() if after else len(lower)
    sentence_end = _SENTENCE.search(lower, end)
    stop = sentence_end.start() if sentence_end else len(lower)
    return bool(_EXTRA.search(lower, low, high) or _WHATEVER.search(lower, end, stop))


_FOND = re.compile(
    r"^\W*(?:(?:oh|also|haha|yes|yeah|ok|and)\W+)*(?:love|adore|enjoy)\b|\bim an? [\w -]{2,40} fan\b"
    r"|\b(?:always|really|just) (?:makes?|cracks?) me (?:laugh|up|cry|smile)\b"
)
"""Taste without "I": "Love Adam Sandler", "im a huge Eddie Murphy fan"."""
_ASIDE = re.compile(
    r"\b(?:he|she|they|(?:my|our) \w+) (?:(?:always|usually|only|just|keeps?|would) )*(?:picks?|picked|picking|chooses?|chose|choosing|puts? on)\b|\bif (?:[\w']+ ){1,5}asks?\b|\b(?:scared|bored|annoyed|confused) me\b|^[\w .'-]{3,40}, ?right\W*$|\b(?:are|were) (?:they|these|those)\b|\bare (?:you|u) (?:more |most |also )?(?:interested in|into|a fan of|in the mood)\b"
    r"|^\W*(?:(?:oh|ok(?:ay)?|so|and|but|hm+|wait|cool|nice)\W+)*(?:is|was|are|were|isn't|wasn't|aren't) (?:it|that|this|these|those|they|the (?:others?|(?:first|second|third|last|other|new|old) ones?))\b(?! (?:possible|ok|okay|alright|all right|too much)\b)"
    r"|\bi (?:really |absolutely |totally )+(?:liked|loved|enjoyed)\b"
)
"""Said of what was seen or named, or asked of it: "Steve Martin, right?", "is that a sports one"."""


_RELATIVE = re.compile(
    rf"\b(?:an?|some|any|with|something|anything|movies?|films?|ones?|(?:{_KINDS})s?)\b(?: [\w-]+){{0,6}}? ?\b(?:that|which)"
    r"(?:'s|'re| is| are| has| have| isn't| aren't| doesn't| don't| hasn't| makes?"
    r"| (?:was|were) (?:made|rated|directed|released|filmed|shot|produced))\b"
    r"|\b(?:been in|made|done|directed|starred in|you (?:have|know|got))(?: \w+)? (?:that|which)(?:'s|'re| is| are| has| have)\b"
    r"|\b(?:(?:as|so) long as|provided(?: that)?|only if|make sure(?: that)?) (?:it|they|that|this)(?:'s|'re|s| is| are| has| isn't| aren't)?\b"
)
"""What describes the film that is wanted, none seen: "a film that is funny", "as long as it's one"."""
_STORY = re.compile(
    r"\b(?:an?|some|any|something|anything|movies|films|ones?|[A-Za-z]+ (?:movie|film)|comedy|drama|thriller) (?:where|in which|who|whose)\b[^.;!?]*"
)
"""What happens in the film that is asked for: "a Cage movie where he's over the top"."""


_CUES: tuple[tuple[Mode, re.Pattern[str]], ...] = (
    ("request", _REQUEST),
    ("taste", _TASTE),
    ("taste", _FOND),
    ("comment", _COMMENT),
    ("comment", _ASIDE),
)
"""The stronger first: where two begin at the same word, that one counts."""


_GOES_ON = re.compile(r"\W*(?:also|plus)\b")
"""Opens a sentence that means what the one before it meant."""


def sentence_at(lower: str, place: int, clause_only: bool = False) -> tuple[int, int]:
    """Where the sentence around a place begins and ends."""
    start, end = 0, len(lower)
    for boundary in (_CLAUSE if clause_only else _SENTENCE).finditer(lower):
        if boundary.end() <= place:
            start = boundary.end()
        elif boundary.start() >= place:
            end = boundary.start()
            break
    return start, end


def asks(lower: str) -> bool:
    """Whether anything in a text sounds like asking for films."""
    return bool(_REQUEST.search(lower))


def mode_at(lower: str, place: int, clause_only: bool = False) -> Mode:
    """How the sentence around a place is meant; `clause_only` stops at commas as well."""
    start, end = sentence_at(lower, place, clause_only)
    sentence, cues = _cues_of(lower[start:end])
    # "I need a film I like action": people write without stops, and the nearest cue counts.
    before = [cue for cue in cues if cue[0] <= place - start]
    if before:
        return max(before, key=lambda cue: cue[0])[1]
    if clause_of := _CLAUSE.search(lower, place, end):
        # "Not by Wes Anderson, I've seen them all": a remark after the comma is one of its own.
        cues = tuple(c for c in cues if c[1] != "comment" or c[0] < clause_of.start() - start)
    if not cues and start and _GOES_ON.match(sentence):
        # "I like history, and love stories. Also superhero movies."
        return "taste" if mode_at(lower, start - 1) == "taste" else "request"
    return next((mode for mode, _ in _CUES if any(m == mode for _, m in cues)), "request")


@lru_cache(maxsize=256)
def _cues_of(whole: str) -> tuple[str, tuple[tuple[int, Mode], ...]]:
    """A sentence without what is told of stories, and its cues: asked of each of its words."""
    sentence = whole
    for described in (_STORY, _RELATIVE):
        sentence = described.sub(lambda m: " " * len(m.group()), sentence)
    asides = [match.span() for match in _ASIDE.finditer(sentence)]
    cues: list[tuple[int, Mode]] = [
        (match.start(), mode)
        for mode, pattern in _CUES
        for match in pattern.finditer(whole if mode != "comment" else sentence)
        # "If any of my friends ask" asks for nothing, though it has "any".
        if not any(a < match.start() < b for a, b in asides)
    ]
    return sentence, tuple(cues)
