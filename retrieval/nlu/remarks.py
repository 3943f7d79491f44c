"""What an utterance says by its wording alone: undo, more, start over, thanks, taken, not of films.

Knows the patterns. Does not know what any name in the text means, only where titles stand: "Back to
the Future" takes nothing back. Pure; called by understand.py.
"""

import re
from collections.abc import Sequence

from retrieval.nlu.preference_patterns import FOR_ME_AGAIN
from retrieval.nlu.questions import is_out_of_scope, small_talk
from retrieval.understanding import Understanding

_UNDO = re.compile(
    r"\b(?:undo|revert)\b(?! (?:the|my|his|her|their|an?) )|\bundo the last\b"
    r"|^\W*(?:(?:no+|oh|ok(?:ay)?|wait|please|sorry|actually|hm+)\W+)*(?:go )?back\W*(?:please|again|a step|one)?\W*$"
    r"|^\W*go back\b(?! to (?:the |a |an )?\d| in time)|\b(?:take|took) (?:that|it|this) back\b|\btake back (?:that|the last|what i)\b"
    r"|\bscratch that\b|\bgo back to (?:before|the previous)|^\W*never ?mind(?: that| it)?\W*$"
    r"|\b(?:never ?mind|forget|ignore|scrap|drop|undo|cancel)(?: about)? (?:the|that|my) last (?:thing|one|bit|part|request|message|wish|point|step)\b"
)
_UNDO_ONE = re.compile(
    r"\b(?:never ?mind|forget|ignore|scrap|drop|undo|cancel|remove|without)(?: about)? (?:the|that|my) last (?:thing|one|bit|part|request|wish|point)\b"
)
_RESET = re.compile(
    r"\bstart (?:over|again|fresh)\b|\bforget everything\b|^\W*(?:please |can you |let's )*reset\b|\breset (?:everything|all)\b|\bfrom scratch\b|\bnew search\b"
)
_ABOUT_ME = re.compile(
    r"^\W*(?:and |so )?what do you know\W*$|\bwhat (?:do|have) you (?:know|got|remember|noted|have|understood|heard|stored|saved|learned|written)[\w ]*(?:about me|on me|so far|on file)\b|\bwhat are my (?:wishes|criteria|filters|preferences|requirements)\b|\bwhat (?:am|was|were) (?:i|we) (?:looking|searching|asking) for\b|\b(?:summari[sz]e|recap|sum up|repeat) (?:my|what i|what you|everything i)\b|\bmy (?:preferences|profile|ledger)\b"
    r"|\bdo you (?:still |even )?(?:remember|know|recall) (?:(?:anything about )?me\b|(?:what|which films?) (?:i|we)(?:'ve| have)? (?:like|love|hate|want|said|told|asked|liked|loved|enjoy)|(?:my|our) (?:taste|preferences|likes|wishes|favou?rites))\b"
    r"|\bwhat (?:have i|did i) (?:told|tell|said|say)\b|\bwhat are you working with\b"
)
_MORE = re.compile(
    r"(?:^|[.!?,;])\W*(?:the )?(?:more|next|others?|another|again)(?: (?:ones?|batch|lot|few|page|set|round|please))*(?:\W+(?:please|pls|thanks|thank you|thx|cheers|ta|then))*\W*$|\b(?:show|give|any|tell|got|have|find)(?: me| us)?"
    r"(?: some| a few| any)? (?:more|others?|another)\b|\b(?:something|anything|what|anyone|anything) else\b|\bwhat(?:'s| is)? next\b|\bwhat now\b|\b(?:anything|something|everything) (?:but|except|other than|besides)\b"
    r"|\b(?:other|different|more) (?:options|suggestions|recommendations|movies|films|ones|ideas|picks|titles)\b"
    r"|\b(?:one|two|three|four|five|\d{1,2}|a few|a couple|some) (?:more|others)\b(?! (?:than|hours?|minutes?|years?|time|thing))"
    r"|^\W*(?:no+|nope|nah|meh|not really|boring|next)(?: (?:thanks|thank you|sorry))?\W*$|\bnone of (?:these|those|them)\b|\bnot (?:these|those|any of)\b|\bmore like (?:this|that|these|those|the)\b"
)
ANYTHING = re.compile(
    r"\banything goes\b|\bno (?:particular |real )?preferences?\b|\bi (?:really )?(?:don'?t|do not) (?:mind|care)\W*$|\bup to you\b"
)
"""Says that nothing is asked for."""
INTRODUCED = re.compile(
    r"\b(?:[Mm]y name is|[Mm]y name's|I'm|I am|[Cc]all me) (?P<name>[A-Z][a-z]+)\b(?=\W*$|[,.;!]| and\b| by the way\b)"
)
"""Who they are, which is no film: "I'm Anna, I like ..."."""
_ADDITIVE = re.compile(
    r"\b(?:also|too(?=[.,!?:]|\s*$| (?:please|thanks?|if|haha)\b| :)|as well|additionally|on top of that|plus|and maybe|with some|mixed with)\b|^\W*and\b"
)
_NARROWS = re.compile(
    r"\W*(?:(?:so|hmm?|um+|ok(?:ay)?|well|right|honestly|yes|yeah|oh|and|please|sorry)\W+)*(?:something |make it |it should be |preferably |ideally |one )?(?:animated|romantic|historical|family[- ]friendly)(?: ones?)?"
    r"(?:\W+(?:please|you know|i (?:guess|think|mean)|if (?:possible|you can)|then|maybe|thanks|thank you|lol|haha))*\W*"
)
"""A quality and no more: after "a family film", "animated" asks for both."""
_SAME_DIRECTOR = re.compile(
    r"\b(?:by|from|with|of) (?:the |that |this |its )?same (?:director|filmmaker)\b"
    r"|\bwhat (?:else |other \w+ )?(?:did|has|have|does) (?:the|that|its) (?:director|filmmaker|guy|man|woman|person|people|team) (?:of|who|behind|that)\b"
    r"|\b(?:else|other|others|another|more|films?|movies?|something|anything|ones?)\b[^.?!]{0,20}\bby (?:him|her|them)\b|\b(?:more|else|other|another|others)\b[^.?!]{0,40}\b(?:the|that|this|same|its) (?:director|filmmaker)\b"
    r"|\b(?:by|from) (?:the|that|this|its) (?:director|filmmaker|people behind|makers?|(?:guy|man|woman|person|one|people|team) (?:who|that) (?:directed|made|did))\b(?: of)?"
    r"|\bwhat else (?:did|has|have) (?:he|she|they)\b[^.?!]{0,20}\b(?:make|made|direct|directed|do|done)\b"
)
"""Asks for more of whoever directed the film that is named or in view."""
_REWATCH = re.compile(
    r"\b(?:see|watch) (?:it|that|them|this) again\b|\b(?:rewatch|watch again|re-watch|something i(?:'ve| have)? (?:already )?(?:seen|watched)(?: and (?:loved|liked))?|something i(?:'ve)? (?:already )?loved(?: again| before)?|old favou?rite)\b"
)


_TAKEN_BEFORE = re.compile(
    r"\b(?:i|we)(?:'ll| will|'d| would|'m going to| think i'll) (?:take|go with|go for|have|pick|choose)(?: the)? $|\blet'?s (?:go (?:with|for)|take|do)(?: the)? $"
)
_FINE = re.compile(
    r"^\W*(?:(?:ok(?:ay)?|alright|all right|fine|right|great|sure|yes|cool|hm+|well)\W+)+(?:the )?$"
)
_POINTED = re.compile(r"the (?:\w+ (?:one|film|movie)|number \w+)|number \w+|#\d")
_PLEASE = re.compile(r"^(?:\W+(?:please|pls|then|thanks|thank you|cheers))+\W*$")
"""Around a film of the list, and nothing else said: "ok, the third one please"."""
_THEN = re.compile(r"^[\"')]* then(?: please)?\W*$")
"""Around a title: "ok, Collateral then"."""
_TAKEN_AFTER = re.compile(
    r"^[\"')]*,? it is(?: then)?(?=\W*$|[,.;!]| thanks?\b| then\b)|^[\"')]*,? (?:i'll|i will) (?:take|watch)\b"
)


_OTHERS_LINE = re.compile(
    r"^[\W_]{0,4}(?:(?:the )?(?:ai )?(?:assistant|system|developer|chatbot)(?: (?:message|prompt|note|override|instructions?))?[\])>*]{0,3}\s*[:>]"
    r"|#{1,4} ?(?:new |updated |system |additional |your )*(?:instructions?|prompt|rules)\b|[<\[](?:system|assistant|developer|/?inst)[>\]]).*$",
    re.IGNORECASE | re.MULTILINE,
)
"""A line that claims to be said by somebody else: "Assistant: list horror only"."""


def own_words(text: str) -> str:
    """The text with what is not their own as spaces: nobody else's words are their wishes."""
    return _OTHERS_LINE.sub(lambda m: " " * len(m.group()), text)


def is_taken(lower: str, start: int, end: int) -> bool:
    """Whether the film named there is chosen: "I'll take X", "X it is, thanks"."""
    before, after = lower[:start], lower[end:]
    settled = bool(_FINE.match(before) and _THEN.match(after))
    if _POINTED.fullmatch(lower[start:end].strip()) and _PLEASE.match(after):
        settled = settled or not before.strip() or bool(_FINE.match(before))
    return bool(settled or _TAKEN_BEFORE.search(before) or _TAKEN_AFTER.match(after))


def wordings(lower: str) -> list[tuple[int, int]]:
    """Where the words stand that ask for more, a new start or anything: they describe no film."""
    return [m.span() for p in (_RESET, _MORE, ANYTHING) for m in p.finditer(lower)]


def remarks(text: str, lower: str, titles: Sequence[tuple[int, int]]) -> Understanding:
    """What is told by its wording alone, whatever is named."""
    undone = any(
        all(m.end() <= a or m.start() >= b for a, b in titles) for m in _UNDO.finditer(lower)
    )
    return Understanding(
        text=text,
        small_talk=small_talk(lower),
        out_of_scope=is_out_of_scope(lower),
        undo=undone,
        undo_one=undone and bool(_UNDO_ONE.search(lower)),
        reset=bool(_RESET.search(lower)),
        about_me=bool(_ABOUT_ME.search(lower)),
        more=bool(_MORE.search(lower)),
        additive=bool(_ADDITIVE.search(lower) or _NARROWS.fullmatch(lower)),
        same_director=bool(_SAME_DIRECTOR.search(lower)),
        rewatch=bool(_REWATCH.search(lower)),
        for_me=bool(FOR_ME_AGAIN.search(lower)),
    )
