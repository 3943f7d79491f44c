"""Does somebody describe one film whose name they have forgotten, rather than wish for any?

Knows how people ask for a name ("what was that film where ...", "what is it called"), how they tell
of having seen something ("a movie I watched as a kid"), and how a recollection reads that asks for
nothing by name: memory, doubt and a story. Does not know titles, nor what is searched. Pure. Called
by understand.py and questions.py.

Measured (2026-11-30): of 1,065 posts by people who look for a film (tomt_dev_1000, trec_tot_train)
three in four are heard, of 5,596 ReDial user turns one in a thousand.
"""

import re

from retrieval.understanding import Understanding

_FILM = r"(?:movie|film|flick|picture|cartoon|comedy|thriller|western|musical|documentary)"
_TOLD = r"(?:where|with|about|when|in which|that|who|whose|starring)"
_SOUGHT = (
    r"(?:find|finding|identify|identifying|figure out|figuring out|locate|track down|remember|"
    r"place|search(?:ing)? for|look(?:ing|ed)? for)"
)
_ITS_NAME = (
    r"(?:it'?s|the|its|what) (?:exact |actual )?(?:name|title|called|(?:it was|it'?s) called)"
)
_LONG_AGO = (
    r"(?:ago|kid|child|young|younger|little|years?|tv|television|school|back|once|early|late|mid|"
    r"\d0'?s|growing up|vhs)"
)
_DIRECTLY = r"(?:where|with|about|when|in which)"
_SAW = r"(?:saw|seen|watched|remember|caught|heard|used to)"
_ASKS_FOR_A_NAME = re.compile(
    "|".join(
        (
            # "what was that heist film where ...", not "what is the best film that ..."
            rf"\bwhat(?:'s|s| is| was)? (?:the name of )?(?:that|the|this)(?! most| best| \w+est)"
            rf"(?: [\w'-]+){{0,3}} {_FILM}\b(?: [\w'-]+){{0,4}}? {_TOLD} \w",
            r"\bwhat(?:'s|s| is| was) (?:that|the) (?:\w+ )?one (?:where|with|about|when) \w",
            rf"^\W*(?:it's |it is )?(?:the|that)(?! (?:most|best|worst|\w+est)\b)"
            rf"(?: \w+){{0,2}} {_FILM} {_DIRECTLY} \w",
            rf"\b(?:name|title) of (?:the|that|this|a) (?:\w+ ){{0,2}}{_FILM}\b",
            rf"\bwhat(?:'s| is| was) (?:it|that|the {_FILM}) called\b",
            r"\bwhat(?:'s| is| was) the (?:name|title)\s*(?:\?|$|and\b)",
            r"\btip of my tongue\b|\btomt\b",
            r"^\W*(?:i'?m |i am |i've been )?trying to (?:remember|recall|think of)\b(?! to\b)",
            r"\b(?:do you know|you know|remember|recall|name) (?:the|that) "
            rf"(?:one|{_FILM}) (?:where|in which)\b",
            # "there's this movie, a man with no memory tattoos himself"
            rf"\bthere(?:'s|s| is| was) (?:this|that) (?:[\w-]+ ){{0,3}}?{_FILM}[,:.] "
            r"(?:an?|the|this|two|some|he|she|they)\b",
            # "I can't for the life of me remember its name"
            r"\b(?:can'?t|cannot|couldn'?t|don'?t|do not|could not|trying to|try to|"
            r"unable to|forgot|forget|forgotten) (?:for the life of me |seem to |quite |even )?"
            r"(?:really )?(?:remember |recall |figure out |find out |find |think of |place )?"
            rf"{_ITS_NAME}\b",
            # "looking for a film that I saw", "I remember a film", "there is this film where ..."
            rf"\b{_SOUGHT} (?:the name of |the title of )?(?:this|that|the|an?)(?: [\w'-]+){{0,4}}?"
            rf" {_FILM}s?\b(?: [\w'-]+){{0,2}}? (?:that |which )?(?:i|we|my \w+|he|she) "
            rf"(?:\w+ )?{_SAW}\b",
            rf"\bremember (?:a|an|one) (?:[\w'-]+ ){{0,4}}?{_FILM}\b",
            rf"\bremember (?:the|that|this) (?:[\w'-]+ ){{0,2}}?{_FILM} {_DIRECTLY}\b",
            rf"\bthere(?:'s|s| is| was) (?:this|that|an?|one|some) (?:[\w-]+ ){{0,5}}?{_FILM}\b"
            r"[^?]*\b(?:where|in which|about (?:an?|the|this|two|some)"
            r"|i (?:saw|watched|remember))\b",
            rf"\b(?:a|an|this|some) (?:[\w'-]+ ){{0,3}}?{_FILM} (?:that |which )?(?:i|we) "
            r"(?:once |had |have |first |vaguely |also )?(?:saw|watched|seen|remember|caught)\b"
            rf"[^.?!]{{0,60}}\b{_LONG_AGO}\b",
            rf"\bi (?:once |also )?(?:saw|watched|caught) (?:an?|this|some) (?:[\w'-]+ ){{0,3}}?"
            rf"{_FILM}\b(?! (?:called|named))[^.?!]{{0,60}}\b{_LONG_AGO}\b",
            # "does anybody know", "help me find it", "I can't figure out what film it was"
            r"\b(?:any ?one|any ?body|someone|somebody|any of you) (?:here )?"
            r"(?:knows?|remembers?|recalls?|recogni[sz]es?)\b",
            r"\bhelp (?:me )?(?:to )?(?:find|finding|identify|identifying|figure|figuring|remember|"
            r"name|locate)(?: out)? (?:it|this|that|the|what|which)\b"
            r"(?! (?:to\b|(?:i|we) (?:want|should|could|can)\b|one\W*$"
            r"|(?:next|right|best|perfect|ideal|first|second|third|last|other|rest|good)\b"
            r"|(?:movie|film|one|thing)s? (?:to|for|that(?:'s| is| would| will| suits| fits))\b))",
            r"\b(?:trying|tried|been looking|can'?t|cannot|couldn'?t|unable) (?:to )?(?:seem to )?"
            r"(?:find|figure out|identify|remember|track down|locate|recall|find out|place) "
            rf"(?:it|this|what (?:it|this|that|movie|film))\b(?!(?: {_FILM}| one)? (?:on|in|at)\b)",
        )
    )
)
_RECALLS = re.compile(
    "|".join(
        (
            r"\bi (?:vaguely |faintly |only |just |kind of |kinda |sort of |also |really |do |can |"
            r"could |clearly |barely )*(?:remember|recall)\b",
            r"\b(?:all|what|thing|scene|parts?|bits?|things) (?:that )?i (?:can |do |really )*"
            r"(?:remember|recall)\b",
            r"\b(?:can'?t|cannot|don'?t|do not|couldn'?t) (?:\w+ )?(?:remember|recall)\b",
            r"\bmemor(?:y|ies) of\b|\bvague(?:ly)?\b",
            r"\b(?:saw|watched|seen|caught) (?:it|this|that|an?|the|some|one|bits?|parts?)\b"
            rf"[^.?!]{{0,60}}\b{_LONG_AGO}\b",
            r"\b(?:driving|bugging|bothering|bugged|drove) me\b",
            r"\bi (?:think|believe|guess|assume|wanna say|want to say) "
            r"(?:it'?s?|there|he|she|they|the|this|that|at the end)\b",
            r"\b(?:a|one|the|this|another|opening|final|last|only) (?:\w+ ){0,2}scenes?\b",
            r"\bmain character\b|\b(?:at|near|towards) the (?:very )?(?:end|beginning|start)\b",
            r"\bthe ending\b|\bends? (?:up|with)\b|\bturns out\b",
            r"\bnot sure\b|\bpossibly\b|\b(?:might|could)(?:'ve| have) been\b",
            r"\bany (?:ideas?|clues?)\b|\brings? a bell\b|\bplease help\b|\bsolved\b",
        )
    )
)
"""Memory, and the doubt that goes with it."""
_TELLS = re.compile(
    r"\b(?:he|she|they|his|her|him|them|their|himself|herself)\b"
    r"|\b(?:an?|the|this|these|some|two|three) (?:\w+ ){0,2}(?:m[ae]n|wom[ae]n|guys?|girls?|boys?|"
    r"kids?|child|children|couple|family|father|mother|sons?|daughters?|brothers?|sisters?|wife|"
    r"husband|friends?|lady|teacher|doctor|scientist|cop|soldiers?|killer|monster|aliens?|robots?|"
    r"dog|group|teenagers?|people|village|island|person)\b"
)
"""A story is about somebody."""
_JUDGES = re.compile(
    r"\b(?:recommend\w*|suggest\w*|similar|something|anything|in the mood|i(?:'d| would)? "
    r"(?:really |also )?(?:like|love|enjoy|prefer|hate|want|liked|loved|enjoyed|hated)|i'm into|"
    r"favou?rite|any (?:good )?(?:movies|films)|(?:movies|films) (?:like|where|with|about)|"
    r"to watch|what should|my kids|tonight|give me|show me|acting|actors|actress|acted|boring|"
    r"interesting|entertaining|funny|hilarious|because|cheesy|cast|plot|fun|great|awesome|amazing|fantastic|"
    r"well done|good)\b"
)
"""A wish, or an opinion of a film whose name is known."""
RECOLLECTION = 25
"""Words from which a description is a story, of which every part may be misremembered."""
_NO_PART = frozenset({"seed", "asked"})
"""Stances that a film named in a story does not have: it is no example, and no question."""
SHORTEST_STORY = 12
"""Words: who asks for no name tells more than a remark."""
SOMEBODY = 2
"""Mentions of people: fewer are no story."""
PER_RECALL, PER_JUDGEMENT = 3, 4.5
"""How much story one recollection, and one judgement, outweighs; by hand on ReDial and TOMT."""


def is_known_item(lower: str) -> bool:
    """Whether a message, in small letters, describes one film whose name is forgotten."""
    text = lower.replace("’", "'")
    if _ASKS_FOR_A_NAME.search(text):
        return True
    story = len(_TELLS.findall(text))
    recalled = len({match.group() for match in _RECALLS.finditer(text)})
    if len(text.split()) < SHORTEST_STORY or story < SOMEBODY or not recalled:
        return False
    judged = len(_JUDGES.findall(text))
    return story + PER_RECALL * recalled > PER_JUDGEMENT * judged + PER_RECALL


_ANOTHER = re.compile(
    r"^\W*(?:(?:no+|nope|nah|hm+|wrong|sorry|but|(?:it'?s )?not (?:that|it|those|these)(?: one)?"
    r"|none of (?:these|those|them))\W+)+"
    r"(?:(?:i mean |it'?s |it was )?(?:the|that) one (?:with|where|in which|from|by)\b"
    r"|(?:it'?s|it was|it is|it had|there(?:'s| is| was| were)|he|she|they"
    r"|the (?:guy|man|woman|girl|boy|main \w+))\b(?! (?:too|so|very|not|boring|nothing)\b)"
    r"(?: \w+){3,})"
)


def goes_on(lower: str, before: str) -> bool:
    """Whether more is told of the film described `before`: "no, the one with Tom Cruise"."""
    return bool(_ANOTHER.match(lower)) and is_known_item(before.lower())


def as_told(heard: Understanding, text: str) -> Understanding:
    """What a long recollection asks for: the film that it describes, and nothing else.

    "A kid in a small town, maybe from the 80s" lays down no family film and no year: of the posts
    that name a film's genre, topic, year or people, half rule out the very film that was meant.
    """
    if not heard.known_item or len(text.split()) < RECOLLECTION:
        return heard
    return Understanding(
        text=heard.text,
        language=heard.language,
        mentions=tuple(m for m in heard.mentions if m.stance not in _NO_PART),
        small_talk=heard.small_talk,
        known_item=True,
        marks=heard.marks,
        query_text=heard.query_text,
    )
