"""Words around a title that say it is one, however ordinary its own words are.

Knows how people name a film ("the movie drive", "who directed cars", "the trailer for blow") and how
they tell a story instead ("a movie about a killer"). Does not know titles. Pure. Called by
linking.py.
"""

import re

from retrieval.nlu.wording import COMPANIONS, COMPARATIVES, MOOD_WORDS, NATIONS

_FILM = r"(?:movies?|films?|flicks?|picture)"
_OF_A_FILM = (
    r"(?:trailers?|previews?|clips?|scenes?|plots?|story ?line|cast|soundtracks?|ratings?|reviews?|director|writer|genre"
    r"|quotes?|lines?|summary|synopsis|info|information|runtime|length|roles?|songs?|theme(?: song)?|music|release date"
    r"|sequels?|remake|actors?|actress(?:es)?|stars?|lead|characters?|budget|poster|part|audition(?:ed)?)"
)
_NAMED_BEFORE = re.compile(
    rf"\b(?:the|this|that|a|my|of the|original) {_FILM} (?:called |titled |named |entitled |of )?(?:the )?$"
    rf"|\b{_FILM} (?:called|titled|named|entitled|title) (?:the )?$|\b(?:called|titled|entitled) (?:the )?$"
    r"|\bwho(?: all)? (?:directed|wrote|produced|made|directs|starred in|stars in|star in|is in|was in|played in|plays in|acted in|created)(?: the (?:movie|film))? (?:the )?$"
    rf"|\b{_OF_A_FILM}(?: \w+)? (?:of|for|from|in|to|on) (?:the )?(?:(?:movie|film) )?(?:the )?$"
    r"|\b(?:info|information|reviews?|facts?|trivia) about (?:the )?(?:(?:movie|film) )?(?:the )?$"
    r"|\b(?:starred|stars?|starring|acts?|acted|played|plays?|appeared|actors? (?:is|are|was|were)|in the cast) in (?:the )?$"
    r"|\bas (?!long|soon|well|far|much|many|if|good as it)[\w-]+ as (?:the )?$"
    r"|\b(?:heard of|remake of|sequel to|audition for|where (?:can|could|might|do|would) i (?:find|see|watch|buy|rent|get)|movies? like|films? like) (?:the )?$"
)
_CHOSEN_BEFORE = re.compile(
    r"\b(?:let'?s|(?:i|we)(?:'ll| will)|gonna|going to) (?:go (?:with|for)|take|try|do)(?: the)? $"
)
_ASKED_BEFORE = re.compile(
    r"\b(?:what(?:'?s| is| was| year (?:was|did|is))?|when (?:did|was|is|does)|how long (?:is|was)|how many(?: of the)?|is|was|did"
    r"|did \w+ \w+ (?:direct|star in|act in|play in|appear in|audition for))(?: the (?:movie|film))? (?:the )?$"
)
_ASKED_AFTER = re.compile(
    r"\s+(?:about\b|come out|came out|coming out|released?\b|made\b|filmed\b|rated\b|out (?:on|in)\b|based on\b|win\b|get\b|receive\b|available\b"
    r"|sequels?\b|appropriate\b|directed by\b|one of\b|considered\b|any good|good\b|worth\b|the (?:best|first|last)\b|a (?:\w+ )?(?:movie|film|comedy|drama|thriller|horror|musical|western)\b)"
)
_NAMED_AFTER = re.compile(
    r"\s+it is(?: then)?\W*$|\s+vibes?\b|[- ]esque\b|-(?:like|style)\b|\s+the (?:movie|film)\b(?! (?:where|about|with|that|is|was))"
)
_NAME_ENDS = re.compile(
    r"\W*$|\W*[.,;!?]|\s+(?:from|with|by|was|is|are|were|did|does|come|came|coming|about|rated|released?|made|movies?|films?|series|sequels?"
    r"|starring|directed|please|have|has|had|and|or|in|on|that|get|got|receive|received|win|won|based|available|for|filmed|currently|a|an|any"
    r"|playing|but|trailer|soundtrack|appropriate|out|year|as|when|where|again|yet|too|so|to|at|my|than|because|one|considered|good|funny|scary|the best|the first|do|what|who|is|win|earn|make|gross|off|all|every|over and over|on repeat|whenever|i)\b"
)
_TELLS = re.compile(
    rf"\b(?:{_FILM}|something|anything|one|ones|comed(?:y|ies)|dramas?|thrillers?|documentar(?:y|ies)|musicals?|westerns?|biograph(?:y|ies)"
    r"|stor(?:y|ies)|mystery|romance|horror|mockumentary|adventure|animation|fantasy|noir|fiction|sci fi)"
    r"(?: that(?:'s| is| was| are)?| which(?: is| was)?)?(?: [^\s.;!?]+){0,12}? (?:about|involv(?:es?|ing)|cent(?:ers|ered|ering) (?:on|around)|featur(?:es?|ing)|dealing with|deals with"
    r"|focus(?:es|ed|ing)? on|based (?:on|around)|set in|around|where|in which|whose) (?:(?:an?|the|some|his|her|two|old|young) )*(?:(?!like|than|as|similar|to)[a-z']+ )?$"
    r"|\b(?:where|in which|whose) [^.;!?]*$|\b(?:song|score|music|track) (?:called |by |is |the |\w+ )?$"
    r"|\bvoice of $|\bplayed (?:by )?$|\bcharacters? (?:named |called |of )?$|\bnamed $"
)
_RATED = re.compile(
    r"\b(?:(?:an?|average|viewers?|the same)(?: \w+)? (?:ratings?|average|score)|rated|averaged?|stars?) (?:of |at least |as |about |over )*(?:an? )?$"
)
_OF_A_SERIES = re.compile(
    r"(?:^|\b(?:the|an?|any|all|every|many|which|there|is|last|first|second|third|fourth|fifth|sixth|next|new|newest|latest|original|other))\s+$"
)
_SERIES = re.compile(r"\s+(?:movies?|films?|series|sequels?|franchise|trilogy)\b")


_PRAISED = re.compile(
    r"[\"')]*,? (?:(?:really|totally|just|absolutely) )?(?:blew me away|moved me|got me|was|is (?:my|one of my|the best|great|amazing|brilliant|so good)|made me|had me"
    r"|i (?:loved|love|liked|enjoyed|hated|have seen|'ve seen|saw|watched))\b"
)


_OF_A_YEAR = re.compile(
    r"\b(?:the )?((?:19|20)\d\d)(?:'s)? (?:version of |remake of |film |movie )?(?:the )?$"
)
_YEAR_BEHIND = re.compile(
    r"[\"')]*,? (?:\(?(?:from|of|the one from|the) )?((?:19|20)\d\d)\)?(?: (?:version|one|remake|film|movie))?\b(?!s)"
)
_ORIGINAL_BEFORE = re.compile(r"\boriginal (?:version of )?(?:the )?$")
_ORIGINAL_BEHIND = re.compile(
    r"[\"')]*,? \(?(?:the |only the )?(?:original|old one|first version|not the (?:remake|reboot|new one))\b"
)
_REMAKE_BEFORE = re.compile(r"\b(?:remake|reboot|new version|newer version) (?:of )?(?:the )?$")
_REMAKE_BEHIND = re.compile(
    r"[\"')]*,? \(?(?:the |only the )?(?:remake|reboot|new one|newer one|new version|not the (?:original|old one))\b"
)
_SET_IN = re.compile(
    r"\b(?:set|takes? place|taking place|filmed|shot|that happens?|happening|located|lives?|living|based) (?:in|on|at|around|near|during) (?:the )?$"
)
_ROLE_BEFORE = re.compile(r"\bplay(?:s|ed|ing)? (?:the )?$")
_ROLE_AFTER = re.compile(r" in\b")
_ORIGIN = re.compile(rf"\b(?:{'|'.join(re.escape(n) for n in NATIONS if ' ' in n)})\b")
"""Of which half is no title: the "East" of "something East Asian"."""
_COMPANY = re.compile(r"\b(?:with|for|and|my|our|without) (?:my |our |the |a )?$")


def year_said(lower: str, start: int, end: int) -> tuple[int, tuple[int, int]] | None:
    """The year that is said with a title, and where: "the 2005 King Kong", "The Thing from 1982"."""
    if before := _OF_A_YEAR.search(lower, 0, start):
        return int(before.group(1)), before.span()
    after = _YEAR_BEHIND.match(lower, end)
    return (int(after.group(1)), after.span()) if after else None


def which_version(lower: str, start: int, end: int) -> str | None:
    """Which film of the name is said to be meant: the "original" or the "remake"."""
    before, after = lower[:start], lower[end:]
    if _ORIGINAL_BEFORE.search(before) or _ORIGINAL_BEHIND.match(after):
        return "original"
    return "remake" if _REMAKE_BEFORE.search(before) or _REMAKE_BEHIND.match(after) else None


def is_place_or_company(lower: str, start: int, end: int, key: str) -> bool:
    """Whether it is a place, a role or who watches: "set in Paris", "plays the villain in"."""
    before = lower[:start]
    company = key in COMPANIONS and _COMPANY.search(before)
    role = _ROLE_BEFORE.search(before) and _ROLE_AFTER.match(lower, start + len(key))
    origin = any(start <= m.start() < end < m.end() for m in _ORIGIN.finditer(lower))
    return bool(company or role or origin or (" " not in key and _SET_IN.search(before)))


_AWARD_BEFORE = re.compile(
    r"\b(?:won|wins?|winning|got|received|nominated for) (?:an? |the |any |many )?$"
)
_AWARD_AFTER = re.compile(r"[- ](?:winn|nomin|night|worthy|bait)")


_QUALITY_BEFORE = re.compile(
    r"\b(?:i'?m|i am|we'?re|we are|he's|she's|they'?re|feel|feeling|so|very|really|too|quite|pretty|kinda|a bit|a little|super) $"
)
_LISTED_BEFORE = re.compile(
    rf"\b({'|'.join(sorted({w for w in MOOD_WORDS if ' ' not in w}, key=len, reverse=True))})(?:,| and|, and| but) $"
)


_SOMEBODY = re.compile(rf"(?:my|our) (?:{'|'.join(map(re.escape, COMPANIONS))})\b")


_FAN_OF = re.compile(r"(?:big|huge|great|massive|real|true|the|a) fans? of\b")


def is_quality(lower: str, start: int) -> bool:
    """Whether words in small letters say how or who somebody is: "I'm wide awake", "my son"."""
    before = lower[:start]
    if _SOMEBODY.match(lower, start) or _FAN_OF.match(lower, start):
        return True
    return bool(_QUALITY_BEFORE.search(before) or _LISTED_BEFORE.search(before))


_FEARED = re.compile(r"\b(?:afraid|scared|terrified|frightened|fear|allergic) (?:of|to) (?:the )?$")


def is_feared(lower: str, start: int) -> bool:
    """Whether somebody is afraid of what stands there, in small letters: "scared of spiders"."""
    return bool(_FEARED.search(lower[:start]))


def is_evening(lower: str, start: int, end: int) -> bool:
    """Whether a day is the day of the evening: "for Friday night"."""
    before = re.search(r"\b(?:for|on|this|next|last|every|by|until) $", lower[:start])
    return bool(before or re.match(r" (?:night|evening|afternoon|morning)", lower[end:]))


def is_award(lower: str, start: int, end: int) -> bool:
    """Whether a prize is meant: "won an Oscar", "Oscar winners"."""
    prize = lower[start:end].rstrip("s") in ("oscar", "academy award", "golden globe", "bafta")
    return prize and bool(_AWARD_BEFORE.search(lower[:start]) or _AWARD_AFTER.match(lower[end:]))


_LIKENED = re.compile(
    r"\b(?:like|loved?|liked|enjoyed|adored?|seen|watched|saw|hated|similar to|than|as [\w-]+ as|(?:showed|shown) me) (?:the )?$"
)
_NUMBER_ENDS = re.compile(
    r"\W*$|\W*[.;!?]|,(?! ?(?:\d|or\b))|,? (?:but|already|before|yesterday|last|again|too|please|so|and (?!\d))"
)
_HELD_AGAINST = re.compile(
    r"[\"')]*,? (?:but|only|just|except) (?:(?:it'?s|with|for|in|a|an|bit|little|lot|much|even|far|made|from|not|without|set|way) )*"
    rf"(?:(?:{'|'.join(sorted(map(re.escape, COMPARATIVES), key=len, reverse=True))})\b|(?:as|so|that|too|less|more) [\w-]+|space\b|[\w-]+er\b)"
)
"""Behind a title that opens a message: "Alien, but newer", "Drive, only less violent"."""


def held_against(lower: str, end: int) -> bool:
    """Whether what follows compares a film that is wanted with the one named."""
    return bool(_HELD_AGAINST.match(lower, end))


def numbered(lower: str, start: int, end: int) -> bool:
    """Whether a number stands where only a film's name does: "I loved 1917"."""
    return bool(_LIKENED.search(lower, 0, start) and _NUMBER_ENDS.match(lower, end))


def asked_for(lower: str, start: int, end: int) -> bool:
    """Whether the words around say that a film's name stands there, and that it ends there."""
    before, after = lower[:start], lower[end:]
    if _NAMED_AFTER.match(after):
        return True
    if not _NAME_ENDS.match(after) or _RATED.search(before):
        return False
    if _NAMED_BEFORE.search(before):
        return True
    if _CHOSEN_BEFORE.search(before) and " " in lower[start:end]:
        return True  # one word after it is more often a genre: "let's go with horror"
    return bool(_ASKED_BEFORE.search(before) and _ASKED_AFTER.match(after))


def tells(lower: str, start: int) -> bool:
    """Whether what stands there belongs to a story that is told, or to a song, role or rating."""
    before = lower[:start]
    return bool(_TELLS.search(before) or _RATED.search(before))


def ends(lower: str, end: int) -> bool:
    """Whether a name may end there, rather than go on with a word of its own."""
    return bool(_NAME_ENDS.match(lower[end:]))


def praised(lower: str, end: int) -> bool:
    """Whether what follows says how a film was: "Parasite blew me away"."""
    return bool(_PRAISED.match(lower[end:]))


def names_a_series(lower: str, start: int, end: int) -> bool:
    """Whether the films of that name are meant: "how many shrek movies", "a wall e film"."""
    return bool(_OF_A_SERIES.search(lower[:start]) and _SERIES.match(lower[end:]))
