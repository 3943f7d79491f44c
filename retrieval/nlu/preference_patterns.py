"""Patterns of how people state preferences: grades, audience, languages, what they take back.

Knows regular expressions and their tables only. Used by preferences.py, which knows what they mean.
"""

import re
from typing import Literal

from retrieval.nlu.wording import (
    AMOUNTS,
    COMPANIONS,
    COMPARATIVES,
    FEELING_MOODS,
    GRADE_WORDS,
    MOOD_WORDS,
    RELATIVES,
    SERVICES,
    SITUATIONS,
)
from retrieval.understanding import SlotKind

TOO_MUCH = 2
"""Grade (0-3) from which something is "too violent"."""
YOUNG_CHILD = 12
"""Age below which "for my N year old" asks for family films."""
TEEN = 13
"""Age from which somebody is no child any more, but not grown up either."""
NOT_FOR_TEENS = "R or NC-17 or TV-MA"
NOT_FOR_CHILDREN = "PG-13 or R or NC-17 or TV-14 or TV-MA"

GRADES = "|".join(sorted(map(re.escape, GRADE_WORDS), key=len, reverse=True))
NO_VIOLENCE = re.compile(
    r"\b(?:no|without(?: any)?|zero|avoid|hates?|can'?t (?:stand|handle|stomach|take)|not into|nothing with|minus|minimal|minimum|low on|little|not much|light on|don'?t (?:like|want|do|want to see)(?: any)?) (?:all |any |the |graphic |much |lots of |too much |so much )*(violence|gore|blood)\b"
)
EASY = re.compile(
    r"\b(?:nothing|not|don't|doesn't|didn't|won't)\b[^.,;!?]{0,25}\b(?:(?:makes?|have|has|want|need|needs|requires?)(?: (?:me|us|to|too|much))* think(?:ing)?|to think)\b(?: too hard| much)?"
    r"|\bno (?:thinking|brain ?power)\b|\b(?:switch|turn|shut) (?:my|our|your|the) brains? off\b|\b(?:switch|turn|shut) off (?:my|our|your|the) brains?\b|\bbrainless\b|\bno[- ]brainer\b"
)
"""Asks for what is easy to follow."""
TOO = re.compile(
    rf"\b(?:(?:not|nothing|isn't|n't|without being|less|too|overly)\s+)+(?:too |to |so |very |that |overly |be |as |all that )*"
    rf"(?:(?:the|those|any of the) (?=(?:{GRADES}) (?:kind|sort|type|variety|stuff)\b))?({GRADES})\b"
)
_UNMOODED = "|".join(sorted((w for w in GRADE_WORDS if w not in MOOD_WORDS), key=len, reverse=True))
HATES_SUCH = re.compile(
    rf"\b(?:hates?|hating|dislikes?|(?:can'?t|cannot|doesn'?t|don'?t) (?:stand|bear|handle|do|take|like|want|enjoy)|no|avoid|without|not into|skip)"
    rf"(?: any| the| all)?(?: too| very| overly)? ({_UNMOODED})(?= (?:stuff|films?|movies?|things?|ones?|stor|comed|drama|romance|scenes?|bits)|\W*$|[.,;!?])"
)
"""Refused by a word that is no mood: "she hates soppy stuff"."""
TOO_AS_WELL = re.compile(
    rf"(?:,? (?:or|nor)|,) (?:too |so |very |that |overly |all that )*(?!gore\b)({GRADES}|long)(?=\W*$|[.,;!?]| (?:or|nor|and|but|please|tonight|though|for|movies?|films?|stuff|things?)\b)"
)
"""The further ones of "nothing sad, violent or scary"."""
MORE_LESS = re.compile(rf"\b(more|less|not as|not so) ({GRADES}|long|old|recent|modern)\b")
MORE_OF = re.compile(
    r"\b(?:(?P<less>less|fewer|not (?:so|as|that) much)|more|with more)(?: of the)? ("
    + "|".join(sorted(map(re.escape, AMOUNTS), key=len, reverse=True))
    + r")\b"
)
"""More or less of a thing: "less blood", "not so much romance"."""
COMPARE = re.compile(
    r"\b(" + "|".join(sorted(map(re.escape, COMPARATIVES), key=len, reverse=True)) + r")\b"
)
LITTLE_KNOWN = re.compile(
    r"\bunder-?(?:rated|seen|appreciated)\b|\bhidden gems?\b|\boverlooked\b|\b(?:lesser|less|little)[- ]known\b|\bobscure\b"
    r"|\b(?:i|we) (?:might|may|probably|likely|surely|certainly)(?: \w+)? (?:not|n't|don'?t|haven'?t|never) (?:know|known|seen|heard of)\b|\b(?:i|we) (?:haven'?t|have not|have never) heard of\b|\boff the beaten (?:path|track)\b|\bunder (?:the|most people's|everyone's) radar\b|\bflew under\b"
    r"|\b(?:not|nothing) (?:(?:so|too|very|that) )?(?:mainstream|well[- ]known|famous|obvious)\b|\bnobody (?:knows|has seen|talks about)\b"
)
LITTLE = "little known"
"""What the ledger calls it."""
FEEL = re.compile(
    r"\b(?:i feel|i'm feeling|feeling|i am|i'm|im|we're|been)(?: (?:so|a bit|a little|really|kind of|kinda|very|pretty|feeling|quite|super))* ("
    + "|".join(FEELING_MOODS)
    + r")\b(?! (?:of|with)\b)"
)
OF_AN_AGE = re.compile(
    r"(?:older|newer|more modern) (?:movies?|films?|ones|stuff|flicks)\b(?! than)"
)
SAID_NOT = re.compile(r"(?:not|nothing|isn't|n't)\b")
SCARE_ME = re.compile(
    r"\b(?:want|like|love|need|wanna|ready) to (?:be|get) (?:\w+ )?scared\b|\b(?:scare|frighten|terrify) (?:me|us)\b"
)
FOR_ADULTS = re.compile(
    r"\b(?:that'?s|that is|that are|which is|something) not (?:really |just )?for (?:kids|children)\b|\bfor (?:us )?(?:adults|grown[- ]?ups)\b|\badults? only\b|\badult animation\b|\ba grown[- ]?up (?:film|movie|one)\b|\b(?:not|n't|no) (?:an? )?(?:kids?|children'?s?) (?:movie|film|stuff|flick)s?\b"
)
"""Asks for nothing that is made for children."""
CLEAN = re.compile(
    r"\b(?:something|anything|keep it|nice and|squeaky|good,?) clean\b(?! slate| up)|\bclean (?:comed|humou?r|movie|film|fun|romance)"
    r"|\b(?:nothing|not|no|isn't|without anything)(?: (?:too|very|that|overly|remotely|at all))? (?:inappropriate|explicit|sexual|dirty|offensive|racy|risque|embarrassing)\b(?! for (?:an? )?\d)"
    r"|\beasily offended\b|\bchurch (?:group|night|friends|camp)\b|\b(?:very |deeply |super |so )?(?:religious|conservative|prudish) (?:aunt|uncle|mother|father|mom|mum|dad|parents|family|grand\w+|in-laws|friends?)\b"
    r"|\bembarrass(?:ed|ing) to (?:watch|see)\b"
    r"|\b(?:no|without|minimal|hates?|(?:n'?t|not|never) (?:like|want|stand|tolerate|care for|approve of|appreciate))(?: any| all)?(?: bad| foul| strong)? (?:swear(?:ing)?(?: words)?|cursing|cussing|profanity|f[- ]?bombs?|bad language|foul language|strong language)\b"
)
"""Asks for what offends nobody; the rating is all that a catalogue tells of it."""
A_LITTLE = re.compile(
    r"\b(?:a (?:little|bit|tad|touch)(?: of)?|mildly|slightly|some(?= (?:romance|violence)\b)|only a little|a bit of) (?P<word>scary|spooky|creepy|romance|romantic|violent|violence|sad)\b"
    r"(?! (?:for|too)|(?<=romance) (?:movie|film|flick|stor|novel))"
)
"""Wants of something, but not too much of it; "some scary films" are scary ones."""
LITTLE_OF: dict[str, tuple[str, str]] = {
    **{word: ("scary", "scariness") for word in ("scary", "spooky", "creepy")},
    **{word: ("romantic", "romance") for word in ("romance", "romantic")},
    **{"sad": ("sad", "sadness"), "violent": ("", "violence"), "violence": ("", "violence")},
}
"""Word -> its mood, if it has one, and its grade."""
MUCH = re.compile(
    r"\b(?:(?P<violence>violent|gory|brutal(?:ly)?|bloody|blood and guts|(?:lots|plenty) of (?:gore|blood|violence))|(?P<complexity>complex|complicated|intricate)|(?P<pace>fast[- ]paced|action[- ]packed|fast[- ]moving))\b(?! hell| good| brilliant| relationship| past)"
)
"""Wants much of something that is graded and no mood."""
SERIOUS = re.compile(
    r"\b(?:something|anything|an?|one|films?|movies?|make it|be) (?:\w+ )?serious\b(?! (?:fun|laughs?|money|trouble))"
)
"""Wants nothing that is meant to be funny."""
TIMID = re.compile(
    r"\b(?:gets?|is|am|are|she's|he's|i'm) (?:so |very )?easily (?:scared|frightened|spooked)\b|\b(?:gets?|is|am|are) (?:easily |so easily )scared\b|\bscare[ds]? (?:very |so |too |really )?easily\b|\beasily scared\b"
    r"|\b(?:nothing|not|no|n't|without)(?: \w+| that'll| that's)* (?:nightmares?|keep (?:me|us) (?:up|awake))\b"
)
"""Says that somebody cannot bear what is scary."""
LAUGH_TILL_TEARS = re.compile(
    r"\b(?:laugh|laughing)(?: (?:so|too|really))? ?(?:hard|much|loud)?(?: that| till| until| to)?(?: (?:i|we|you))?(?: (?:want to|could|start to|have to))? (?:cry|tears|crying)\b"
    r"|\b(?:cry|tears)(?:ing)? (?:of|from|with) (?:laughter|laughing)\b|\bcry(?:ing)? laughing\b"
)
"""Tears that ask for nothing sad."""
CHEER = re.compile(
    r"\bmake (?:me|us|her|him|them) (?:smile|happy)\b|\bput (?:me|us) in a (?:good|better) mood\b|\bcheer (?:me|us|her|him|them) up\b|\bpick[- ]me[- ]up\b|\blift my (?:spirits|mood)\b"
)
NAMES_OF_KINDS: tuple[tuple[SlotKind | Literal["seed"], str], ...] = (
    ("year", "year years decade era date age"),
    ("runtime", "length runtime duration time"),
    ("genre", "genre genres"),
    ("language", "language subtitles"),
    ("mood", "mood moods"),
    ("person", "actor actors director cast"),
    ("country", "country"),
    ("theme", "theme themes topic topics subject"),
    ("certificate", "rating certificate"),
    ("seed", "movie examples"),
)
KIND_NAMES: dict[str, SlotKind | Literal["seed"]] = {
    name: kind for kind, names in NAMES_OF_KINDS for name in names.split()
}
_FIELDS = "|".join(
    name
    for name, kind in KIND_NAMES.items()
    if kind not in ("seed", "person") and name not in ("date", "time", "age")
)
WITHDRAW = re.compile(
    r"\b(?:forget|drop|remove|ignore|scrap|lose|never ?mind|leave out(?! any| all| every)|take out|get rid of)(?: about)?(?: the| that| my| any)? ([\w' -]{2,40}?)"
    r"(?: part| thing| bit| requirement| constraint| filter| stuff| idea)?(?=[,.;!?]|$| and (?!the)| i (?:meant|want))"
    r"|\b(?:not|no not) (?:an? |the )?([\w' -]{2,25}?),? i (?:actually |really )?(?:meant?|said|wanted)\b"
    r"|\b(?:doesn'?t|does not|don'?t) (?:have|need) to be (?:an? |from |in )?(?:the )?([\w' -]{2,30}?)(?=[,.;!?]|$| and | but )"
    r"|\b(?:change|switch|swap|replace|turn) (?:the |that |it from )?(?!it\b|that\b|this\b|them\b)([\w-]+(?: [\w-]+)?) (?:to|for|with|by|into) (?=(?:an? |the |some )?\w)"
    r"|\bchanged my mind (?:about|on) (?:the )?([\w' -]{2,30}?)(?=[,.;!?]|$)"
    r"|\b(?:without|less) the ([\w-]{2,25}) (?:part|bit|thing|requirement|element|aspect|stuff|angle)\b"
    r"|^\W*(?:(?:ok(?:ay)?|hm+|well|sure|actually)\W+)*any ([a-z]+)\W*$"
    r"|\bany ([a-z]+) (?:is|would be|will be|works|are) (?:fine|ok|okay|good)?"
    r"|\b(?:don'?t|do not) care (?:about|what|which) (?:the )?([a-z]+)"
    r"|\b(subtitles) (?:is|are|would be) (?:totally |also )?(?:fine|ok|okay|alright|no problem)\b"
    r"|\b(?:the )?([a-z]+) (?:doesn'?t|does not|don'?t|do not) (?:really )?matter\b(?: any ?more)?"
    r"|\b(?:actually|ok|okay|well|alright),? (?:maybe |perhaps |then )?([a-z][a-z-]{2,24}) (?:is|are|would be) (?:fine|ok|okay|alright|welcome|allowed)\b(?! (?:but|if|with))"
    rf"|\b(?:the |its |any )?({_FIELDS}) (?:is|are|would be) (?:totally |also |perfectly |really |actually )?(?:fine|ok(?:ay)?|alright|all right|(?:no|not an?) (?:problem|issue))\b"
    r"|\b([a-z][a-z -]{1,24}?) (?:is|are|would be|'s) (?:fine|ok|okay|alright|welcome|allowed) (?:after all|again|now)\b"
)
NOT_NEEDED = 3
"""The group of WITHDRAW that holds what need not be: "it doesn't have to be new"."""
ALL_NIGHT = re.compile(
    r"\b(?:we|i)(?:'ve| have|'ve got| have got) all (?:night|day|evening|weekend|afternoon)\b|\b(?:time|length) is no (?:issue|problem|object|matter)\b"
    r"|\b(?:don'?t|do not) (?:care|mind) (?:about )?(?:how long|(?:the |its )?length|a long)|\blong (?:is|ones? (?:is|are)|films? are|movies? are) (?:also |totally |perfectly )?(?:fine|ok(?:ay)?|good|no problem)\b"
)
"""Takes a limit of length back."""
_TOO_FAR = "old long short new recent modern slow fast dark sad complicated".split()
TOO_FAR = re.compile(
    r"(?:^|[.,;!?]|\bbut\b)\W*(?:(?:meh|nah|that'?s|they'?re|these are|those are|they are|it'?s|this is|a bit|a little|all|still|way|much|these|those|no|ok(?:ay)?|hm+|sorry|but|mostly|are|is|both)\W+)*"
    rf"too ({'|'.join((*_TOO_FAR, *sorted({*GRADE_WORDS, *MOOD_WORDS}, key=len, reverse=True)))})(?: for (?:me|us|my taste|our taste))?(?=\W*(?:$|[.,;!?]|\bbut\b))"
)
"""Said of a list: "too old"."""
TOO_FAR_WAYS: dict[str, tuple[str, Literal[-1, 1]]] = {
    **{"old": ("year", 1), "long": ("runtime", -1), "short": ("runtime", 1), "new": ("year", -1)},
    **{"recent": ("year", -1), "modern": ("year", -1), "slow": ("pace", 1), "fast": ("pace", -1)},
    **{"dark": ("sadness", -1), "sad": ("sadness", -1), "complicated": ("complexity", -1)},
}
"""What is asked for then, instead."""
OF_A_LIST = re.compile(
    r"\W*(?:(?:these|those|they|all|are|is|look|looks|sound|sounds|seem|both|that|it|hm+|no|sorry|ok(?:ay)?|but|way|much|a bit|a little|mostly)(?:'re|'s)?\W+)+"
)
"""Before "too violent": said of what was shown, it is a wish."""
LIVE_ACTION = re.compile(r"\blive[- ]action\b")
IN_COLOUR = re.compile(r"\bin colou?r\b")
RATHER_THAN = re.compile(
    r"\b(?!all\b)[a-z]+ over ([a-z]+(?:[ -][a-z]+)?)|\bmore [a-z]+ than ([a-z]+(?:[ -][a-z]+)?)"
)
"""What comes second: "atmosphere over action", "more funny than sad"."""
UNDECIDED = re.compile(
    r"\b(?:no (?:idea|clue)|not sure|can'?t (?:decide|choose)|(?:don'?t|do not) know|undecided)\b(?: what| which| (?:i|we)(?:'d)?| to| (?:want|like|watch|see|pick|choose|feel like))*"
)
CORRECTS = re.compile(
    r"^\W*(?:(?:no+|sorry|oops|ah|oh|actually|wait|hm+)\W+)*(?:i (?:really |actually )?(?:meant?|said)|make (?:it|that))\b"
    r"|^\W*(?:(?:no+|sorry|oops)\W+)+(?:with|by|starring)\b|\binstead\b(?! of)"
)
"""Opens what takes the place of what was said last: "no, I mean Tom Hanks"."""
NOT_STARRING = re.compile(
    r"\b(?:not|never) (?:as (?:an? )?(?:actor|actress|star|performer)|acting|on screen|in front of the camera)\b"
    r"|\b(?:not|without|never|n't) (?:actually )?(?:starring|with|featuring|acted by|played by) (?:him|her|them)(?:self|selves)?\b"
    r"|\b(?:where|in which|that|but) (?:he|she|they) (?:doesn't|does not|don't|isn't|is not|aren't) (?:act|star|appear|play|in)\w*(?: in)?\b"
)
"""After whoever directs: "directed by Clint Eastwood, not starring him"."""
WITHOUT_THEM = re.compile(
    r"\b(?:that|which|where|in which)(?: the)? $|\b(?:that|which) (?:isn'?t|is not|wasn'?t|was not|aren'?t|are not) (?:directed |made )?by $"
)
THEY_DID_NOT = re.compile(
    r" (?:(?:did|does|do|has|had|is|was) ?n[o']?t|(?:did|does|do|has|had|is|was) not|never)\b"
)
"""Around whoever must not have made it: "a crime film that Tarantino didn't direct"."""
NOT_THEM = re.compile(
    r"\b(?:not|without|no more|anyone but|anybody but) (?:him|her|them)\b(?! (?:movie|film|one))|\b(?:someone|somebody) else\b"
)
ABOUT_ALONE = re.compile(
    r"^\W*(?:(?:and|or|but|maybe|ok|then|perhaps|rather)\W+)*(?:about|set in|in|at) (?:a |an |the |some )?([a-z][a-z'-]{2,}(?: [a-z][a-z'-]{2,}){0,2})\W*$"
)
"""A message that only says what it is about, or where it is set: "or about ballet", "in New York"."""
CERTIFICATE = re.compile(
    r"\b(?:(?:rated |fsk |bbfc |certificate )?(pg[- ]?13|nc[- ]?17|pg|rated r|r[- ]rated|g[- ]rated|rated g|12a|(?:(?<=must be )|(?<=only )|(?<=not )|(?<=nothing )|(?<=no ))[gr](?= *(?:$|[,.;!?]| please| or )))|(?:rated|fsk|bbfc|certificate|cert|rating of|rating|(?:above|over|beyond|higher than) an?) (12|15|16|18|u)(?! ?(?:minutes?|mins?|hours?|years?|stars?)))\b(?: certificate)?( (?:or|and) (?:lower|below|under|less|milder)| max| at most)?"
)
ALLOWED = re.compile(
    r"(?: \w+)? (?:is|are|would be) (?:also |totally |perfectly )?(?:fine|ok(?:ay)?|good|no problem)\b"
)
"""Behind a certificate that may be, and need not."""
ABROAD = {"12A": "PG-13", "12": "PG-13", "15": "PG-13", "16": "R", "18": "R", "U": "G"}
"""British and German certificates as American ones that surely let no more through."""
OF_ANY_AGE = frozenset("son daughter niece nephew nieces nephews".split())
GROWN_AGE = re.compile(r"\b(?:is|are|'s|who's|turned|aged?) (\d\d)\b(?! ?min)|\b(\d\d)[- ]?year")
GROWN = re.compile(r"\b(?:grown[- ]?up|adult|grown|college)\b")
ROUGH = re.compile(
    r"\b(?:thrillers?|horror|slashers?|crime|war|noir|gangster|coming[- ]of[- ]age|teen(?:age|agers?)?|high[- ]school)\b"
)
"""What nobody asks for beside a small child."""
CERTIFICATES = ("G", "PG", "PG-13", "R", "NC-17")
NOTHING_ABOVE = re.compile(
    r"\b(?:(?:nothing|not|no|none)(?: rated)? (?:above|over|beyond|higher than|harder than|stronger than|more than|past)|up to|at most|no(?:t)? (?:more|higher) than|max(?:imum)?) (?:an? )?$"
)
AS_MILD_AS = {
    "G": ("Approved", "Passed", "TV-Y", "TV-Y7", "TV-G"),
    "PG": ("GP", "TV-PG"),
    "PG-13": ("TV-14",),
}
"""Certificates of other times and of television beside those that they come near."""
AT_MOST = {
    name: " or ".join(
        known for rung in CERTIFICATES[: n + 1] for known in (rung, *AS_MILD_AS.get(rung, ()))
    )
    for n, name in enumerate(CERTIFICATES)
}
"""All that "nothing above PG-13" allows, as the value of one wish."""
FINE = re.compile(r"\b(?:fine|ok|okay|happy|no problem|comfortable|good|cool) with\b|\bmind\b")
CHOSE = re.compile(
    r"(?: (?:just|has|have|had|recently|finally))* (?:picked|chose|watched|showed|recommended|told|says|said|saw|made|liked|bought|dumped|left|broke|cheated|divorced|died)\b"
    r"|(?: (?:just|has|have|had|finally|already))* (?:fell asleep|went to (?:bed|sleep)|gone to bed|(?:won'?t|will not|isn'?t|aren'?t|not)(?: be)? (?:watching|joining|coming|there|here))\b"
    r"| and (?:i|me) (?:just |recently )?(?:broke up|split)\b|(?:'s| is| are) (?:away|out|asleep|sleeping|busy|gone|at work|in bed|out of town)\b"
)
"""After "my husband": he is told of, and need not watch."""
COMPANION = re.compile(
    r"(?<!about )(?:\b(?:with|for|my|our|the|and|have|two|three|four|\d)\s+(?:a bunch of |a group of |a couple of |lots of |my |our |the |some |two |three |little |small |young )*"
    r"|\bfor an? (?:young |little |small )?(?=(?:kid|child|toddler|teen|tween|preschooler))"
    r"|^(?=\w+,)|(?:^|\b(?:that|which|so)(?: both)? )(?=\w+ (?:can|could|will|would|might|should|may)(?: both| all| also)? (?:watch|see|enjoy|like|love|follow)\b))("
    + "|".join(COMPANIONS)
    + r")\b"
)
THEIR_OWN = re.compile(r"\b(?:my|our)\b")
LEFT_OUT = re.compile(r"\b(?:without|minus|not|not with) $")
"""Before "the kids": they stay at home."""
WATCHED = re.compile(
    r"\b(?:saw|seen|watched)\b|\bwatch(?:es)? (?:it|that|this|them)(?: one)? (?:all the time|every|over and over|constantly|so often|a lot)\b"
)
"""Before "with my son": they tell of what they saw."""
TOO_MUCH_FOR = re.compile(r"\b(?:too|enough) (?:[\w-]+ )?$")
"""Before "for my wife": she watches as well, "too gory for my wife"."""
_DEAR = r"(?:(?:old|little|big|dear|lovely|good|new|younger|older|elderly|teenage|teen|best) )*"
_RELATIVE = "|".join(sorted(map(re.escape, RELATIVES), key=len, reverse=True))
FOR_SOMEBODY = re.compile(
    rf"\b(?<!not )(?:for|(?:gift|present|pick) for) (?:my|a|an|our) {_DEAR}({_RELATIVE})\b(?! and (?:me|i)\b| too\b| as well\b)"
    rf"|\b(?:my|our) {_DEAR}({_RELATIVE})(?:'s (?:birthday|taste|present|gift)\b| (?:would|might|could|will) (?:really )?(?:like|love|enjoy)\b)"
    rf"|\b(?:could|would|might|will|can|should) (?:my|our) {_DEAR}({_RELATIVE}) (?:like|love|enjoy|watch|see)\b"
)
"""The film is for somebody else, who has a taste of their own."""
FOR_ME_AGAIN = re.compile(
    r"\b(?:and |now |but |ok(?:ay)? )+(?:something |one |a film |a movie )?for me\b|\bfor myself\b|\bback to me\b|\bfor me (?:now|this time|again)\b|\bnow for me\b|\bsomething for me\b"
)
SITUATION = re.compile(
    r"(?<![\w'])("
    + "|".join(sorted(map(re.escape, SITUATIONS), key=len, reverse=True))
    + r")(?![\w'])"
)
FAMILY = re.compile(
    r"\bfamily(?:[- ]friendly| night| films?| movies?| flicks?| comedy| fun)\b|\bkids?[- ]friendly\b|\bfor all ages\b"
    r"|\b(?:for|with) (?:the whole|the entire|my|the|our) family\b|\bthe (?:whole )?family (?:would|will|can|could)\b"
)
FOREIGN = re.compile(
    r"^\W*international\b|\b(?:international|overseas) (?:films?|movies?|cinema|stuff|one)\b|\bfrom (?:abroad|overseas|(?:other|different) countries|another country|around the world)\b|\bforeign(?:[- ]language)?\b|\bworld cinema\b|\bsubtitled\b|\bnot in english\b|\bnon[- ]english\b"
)
SUBTITLES_FINE = re.compile(
    r"(?<!\bno )\b(?:with |has |have )?(?:english|eng) (?:subtitles|subs|captions)\b|\b(?:happy|glad|willing|prepared|able) to read subtitles\b|\bsubtitled (?:is|ones are|films are|movies are|would be) (?:also |totally |perfectly )?(?:ok(?:ay)?|fine|good|no problem)\b"
)
NO_SUBTITLES = re.compile(
    r"\b(?:nothing|not|no|don'?t want|without)(?: (?:anything|something|one|films?|movies?|that|where|which|to))* (?:(?:we|i|you) (?:have|need) to read|having to read|reading|read)\b(?! (?:the|a|about))|\b(?:no|without|hate|avoid|nothing with|not with|(?:don't|dont) (?:want|like|do)(?: to read| reading)?|without reading) subtitles\b|\bin english\b|\benglish only\b|\bonly english\b|\benglish[- ]language\b"
)
_SERVICE = "|".join(sorted(map(re.escape, SERVICES), key=len, reverse=True))
ON_SERVICE = re.compile(
    rf"\b(?:on|(?:have|got|has|via|use|using|subscribed to|subscribe to|subscription (?:to|for))(?: only| just)?) (?:my |our |only )?({_SERVICE})(?!\w)"
    rf"(?:(?:,? and|,? or| plus|,|/| &) ?(?:on )?({_SERVICE})(?!\w))?"
)
"""Up to two services: "on Netflix", "we have Hulu and Disney Plus"."""
SUBTITLES = re.compile(r"\bsubtitles?\b|\bsubs\b")
HOLIDAY = re.compile(
    r"\b(?:for|it's|its|it is|on|at|around|this|tonight is|happy|over|during) (?:the )?"
    r"(halloween|christmas|xmas|valentine's|valentines|thanksgiving|easter)(?: (?:day|eve|night|evening|party))?\b(?! (?:movie|film|flick|horror|comed|special|romance))"
)
"""The day of the evening, which is no film of that name."""
SERIES = re.compile(
    r"\b(?:tv|mini|short|limited)[- ]series\b|\b(?:a|an|some|any|good|great|new) (?:[\w-]+ ){0,4}?series\b|\btv shows?\b|\b(?:a|some|any|good) shows?\b|\bminiseries\b|\bonly series\b|\bseries only\b|^\W*(?:tv )?series\W*$"
)
FILM_INSTEAD = re.compile(
    r"\b(?:rather|instead|just|only|actually) (?:a |an |some )?(?:movie|film)s?\b|\b(?:movie|film) instead\b|\bno series\b|\b(?:movie|film)s? only\b|\bno (?:tv )?shows?\b"
)
ONLY = re.compile(
    r"\b(?:only|must(?! see| watch)|(?<!n't )(?<!nt )(?<!not )(?:has|have|needs?) to (?:be|have|make|feel)|strictly|definitely|absolutely)\b"
)
"""What makes a mood or topic of its sentence binding."""
OF_RELATIVES = re.compile(
    r" (?:of (?!\d|two\b|three\b|four\b|five\b|six\b)|(?:outings?|reunions?|gatherings?|members?|vacations?|business|name|tree)\b)"
)
"""Behind "family": it is people, and no kind of film."""
GREETED = re.compile(r"\bhappy (?:new year )?$")
"""Before a year: "happy 2018!"."""
OF_SOMEBODY = re.compile(
    r"\b(?:his|her|their) $|\b(?:i|we) (?:(?:also|really|usually|do|just) )*(?:like|love|enjoy) (?:the |some )?$"
)
NO_FILM_AFTER = re.compile(
    r" (?:kids?|children|brothers?|sisters?|sons?|daughters?|people|persons?|actors?|actress(?:es)?|m[ae]n|wom[ae]n|guys?|crowds?|audiences?|generations?|folks?|self)\b"
    r"|,? but (?:it'?s |they'?re )?(?:(?:still|also|really|very) )*(?:good|great|fun|funny|nice|awesome|a classic)\b"
)
"""Around "older": it compares no films, or tells of one that was seen."""
OF_PEOPLE = re.compile(
    r"\b(?:i|i'm|im|am|being|he|she|he's|she's|they|they're|are|friends?|people|come|comes|born|moved|family) $"
)
"""Before "from England": somebody, no film."""
UNWANTED_NOUNS = re.compile(
    r"\b(?:no|without|hate|hates|avoid|minus|except|anything but|sick of|tired of|(?:can't|cannot|can not) stand|don't (?:like|enjoy|care for)|nothing (?:with|about|set in)|(?:isn't|isnt|aren't|arent|wasn't|not) (?:set in|about|with)|not into|skip|n't want(?: to see)?(?: any)?|fewer|(?:afraid|scared|terrified|frightened) of|allergic to)\s+"
    r"(?:any |the |a |an |too (?:many|much) |more |lots of |all the |anything |everything |films? |movies? |stuff |with |about |featuring )*([a-z][a-z0-9'-]{2,}(?: [a-z][a-z0-9'-]{2,}){0,2})"
)
TOPIC = re.compile(
    r"(?:\b(?:movies?|films?|flicks?|something|anything|one|ones|stor(?:y|ies)|comed(?:y|ies)|dramas?|thrillers?|documentar(?:y|ies)|series|romances?|horrors?|myster(?:y|ies)|westerns?|musicals?|adventures?)\b"
    r"(?: (?:that(?:'s| is| are)|which is|made))?(?: all)? (?:about|involving|featuring|set (?:in|on|at|during)|that takes? place (?:in|on|at))"
    r"|(?:,|\b(?:but|and|only|ideally|preferably)) set (?:in|on|at|during)) "
    r"(?:a |an |the |some |any )*([a-z][a-z'-]{2,}(?: [a-z][a-z'-]{2,})?)"
)
WITH_THINGS = re.compile(
    r"\b(?:something|anything|movies?|films?|flicks?|ones?) with (?:(?:lots|plenty|loads) of |some |many |a few |big |huge |real )*([a-z]{3,}s)\b"
)
"""Plural things behind "something with"."""
OWNS = re.compile(
    r"\b(?!(?:that|which|it|one|ones|something|anything|film|movie|i|we)\b)[a-z']+ (?:has|had)(?: got)? $"
)
"""Before "no": what somebody lacks is no wish, "my flat has no balcony"."""
SEX = re.compile(r"\bsex(?:ual|y)?\b")
ALSO_UNWANTED = re.compile(
    r"(?:,| or| nor|, or) (?:any |the )?([a-z][a-z0-9'-]{2,}(?: [a-z][a-z0-9'-]{2,})?)"
)
"""The next of "no nudity or swearing"."""
TOLD = re.compile(
    r"\b(?:where|in which|whose|about (?:an? |the )?\w+ (?:who|with)|(?:guy|man|woman|girl|boy|people|character|one) (?:who|with))\b(?:(?!\bbut\b)[^.;!?])*$"
)
"""What comes before words that tell a story rather than a wish."""
WORD = re.compile(r"[a-z'-]+")
OR_BETWEEN = re.compile(r"[,?]? or (?:with |by |from )?|/|, ?(?=[^.;!?]* or )")
FILM_AFTER = re.compile(
    r" (?:movie|film|flick|stor(?:y|ies)|one\b|stuff|comed|drama|thriller|horror|romance|adventure|action|musical|western)"
)
STAR_WARS = re.compile(r"\b(?:star|infinity|clone|bride|robot) ?(?:wars)?$")
"""Up to "wars": a name, and no war film."""
NOT_TOPICS = frozenset(
    "preference problem idea matter worries thanks thank clue limit one ones suggestion suggestions opinion genre genres "
    "remake sequel subtitles violence spoilers year years long short recent doubt".split()
)


NOT_AGAIN = re.compile(
    r"[^.!?]*\b(?:last (?:time|night|week|weekend)|yesterday|the other day|all week|every (?:day|week|time))\b[^.!?]*"
    r"(?:\bnot?\b[^.!?]*\b(?:again|today|tonight|this time)\b|\bsomething (?:else|different)\b|\ba change\b)"
)
"""Behind what they had before: "it was horror last time, so not that again"."""


REMARKS = ("isn", "wasn", "aren", "doesn", "didn", "not")
"""Negators that may only remark on a film."""
NOT_BY_THEM = re.compile(
    r"\b(?:isn'?t|aren'?t|not|without|but not|nothing|none|wasn'?t|weren'?t) (?:\w+ ){0,2}?(?:by|from|of) (?:any of |either of )?(?:them|these|those|him|her|theirs)\b"
)
"""After names: they say whose taste is meant, not whose films: "I like the Coens, but not by them"."""
