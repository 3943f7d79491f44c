"""What somebody thinks of a film that they name: liked, seen, disliked, not now, not yet seen.

Knows the words before and after a title that say so. Does not know titles, questions or lists.
Pure; called by understand.py only.
"""

import re

from retrieval.nlu.remarks import is_taken
from retrieval.nlu.scope import Reach
from retrieval.understanding import Stance

NEVER_SEEN = re.compile(
    r"\b(?:haven'?t|have not|never|not yet|didn'?t|want to|would like to|going to)(?: \w+)? (?:seen|watched|saw|see|watch)\b[^.,;!?]*$(?<!\blike )(?<!\bsimilar to )"
)
_SEEN = re.compile(r"\b(?:seen|watched|saw|rewatched|finished)\b[^.;!?]*$")
_SEEN_AFTER = re.compile(
    r"^[\"')]*,? (?:i|we)(?:'ve| have|'d| had)? ?(?:already |just |both )?(?:seen|watched|saw|know)\b"
)
"""Behind a title: "Alien I have seen before"."""
_KNOWN = re.compile(
    r"\b(?:i|we)(?:'ve| have)?(?: already| both| practically)? (?:know|can (?:quote|recite)|own|grew up (?:with|on)|wore out|memori[sz]ed)(?: (?:my|our) \w+ of)? (?:the )?$"
)
_KNOWN_AFTER = re.compile(
    r"^[\"')]*,? (?:(?:is|was) (?:off the (?:list|table)|last (?:night|week|weekend)|yesterday)|doesn'?t count|by heart|inside out|backwards"
    r"|(?:every|each) (?:year|christmas|week|weekend|day|month|summer|winter|halloween|easter)|(?:a (?:hundred|thousand|million|dozen)|\d+|so many|too many|countless|many) times"
    r"|too often|on repeat|to death|from start to finish|(?:only )?last (?:night|week|weekend)\b(?! (?:and|was)))"
)
"""Behind a title: "The Princess Bride by heart", "... every Christmas"."""
_SWAPPED = re.compile(
    r"\b(?:swap|replace|exchange|change|lose|ditch|take out|instead of)(?: out)?(?: the)? $"
    r"|\b(?:besides|other than|apart from|aside from|except(?: for)?|excluding)(?: the)? $"
)
"""Before a film: another one is wanted in its place, or beside it."""
_LOVED = re.compile(r"\b(?:loved?|liked?|enjoyed|adored?|favou?rites?|fan of|great|amazing|like)\b")
_LOVED_AFTER = re.compile(
    r"^(?: (?:last \w+|yesterday|recently|again|today|the other day))?(?:,? (?:and )?(?:which|that|it|i|we)\b|,? and (?=(?:really |absolutely )?(?:loved|liked|enjoyed) (?:it|them|that)\b))?(?:(?! and | but )[^.,;!?]){0,25}\b(?:loved|liked|enjoyed|was (?:great|good|amazing|awesome|fantastic|excellent|brilliant|wonderful)|blew me away|moved me)\b"
)
_HATED = re.compile(
    r"\b(?:hated?|dislike[ds]?|didn'?t (?:really )?(?:like|enjoy|love)|don'?t like|can'?t stand|couldn'?t stand)\b"
)
_HATED_AFTER = re.compile(
    r"^[^.;!?]{0,12}\b(?:was (?:bad|terrible|awful|boring|not good|over-?rated|a let ?down|disappointing|meh|too long)|sucked|wasn'?t (?:good|great|for me)|bored me)\b"
)
_PUTS_OFF_AFTER = re.compile(
    r"^[\"')]*,? (?:looks?|sounds?|seems?) (?:(?:a|bit|little|kind|kinda|of|too|really|pretty|rather|very|so|quite|super|way) )*"
    r"(?:dull|boring|bad|terrible|awful|stupid|silly|depressing|meh|weak|lame|heavy|long|slow|scary|violent|old|childish|tedious|dreary)\b"
)
"""Behind a film of the list that was not seen yet: "the second one looks dull"."""
_PUTS_OFF_TOO = re.compile(
    r"^[\"')]*,? (?:doesn'?t|does not|don'?t|do not) (?:look|sound|seem|appeal)\b|^[\"')]*,? is (?:not for|too )"
)


def stance_at(lower: str, start: int, end: int, reach: Reach | None) -> Stance:
    """What is thought of the film named from `start` to `end`, under this negator if any."""
    before = re.split(r"[.;!?\n]|\bbut\b", lower[max(0, start - 60) : start])[-1]
    after = lower[end : end + 60]
    if _LOVED_AFTER.match(after):
        return "seed"
    if _PUTS_OFF_AFTER.match(after) or _PUTS_OFF_TOO.match(after):
        return "not_now"
    if _SWAPPED.search(before):
        return "not_now"
    if _KNOWN.search(before):
        return "seen"
    hated, loved = _last(_HATED, before), _last(_LOVED, before)
    if hated >= loved > -1 or hated > loved or _HATED_AFTER.match(after):
        return "disliked"  # of "hate war films, love Up" the nearer word counts
    if NEVER_SEEN.search(before) or is_taken(lower, start, end):
        return "unseen"
    if _SEEN_AFTER.match(after) or (_KNOWN_AFTER.match(after) and not reach):
        return "seen"
    if _SEEN.search(before) and not _LOVED.search(before):
        return "seen"
    # "Less scary than The Ring", "a less violent Gladiator" go by the film.
    if reach and reach.cue != "less" and not before.rstrip().endswith("than"):
        return "disliked" if reach.cue.startswith(("hate", "dislike")) else "not_now"
    return "seed"


def _last(pattern: re.Pattern[str], text: str) -> int:
    """Where the pattern ends for the last time; -1 when nowhere."""
    return max((m.end() for m in pattern.finditer(text)), default=-1)
