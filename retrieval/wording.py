"""The words people use for what a catalogue knows: genres, moods, grades, languages, eras, occasions.

Knows English wording only, as tables. Does not know sentences: scope of negation, titles and numbers are
understood in understand.py, lexicon.py and quantities.py, the only readers of these tables.
"""

from typing import Final

GENRE_WORDS: Final[dict[str, str]] = {
    **{g: g for g in ("action", "adventure", "animation", "biography", "comedy", "crime", "drama")},
    **{g: g for g in ("fantasy", "horror", "musical", "mystery", "romance", "thriller", "western")},
    **{"documentary": "documentary", "family": "family", "noir": "noir", "science fiction": "science fiction"},
    **{"war movie": "war", "war film": "war", "war": "war", "history": "history", "sport": "sport"},
    **{"sci fi": "science fiction", "scifi": "science fiction", "sf": "science fiction"},
    **{"animated": "animation", "cartoon": "animation", "anime": "animation", "pixar": "animation"},
    **{"biopic": "biography", "biographical": "biography", "comedic": "comedy", "dramatic": "drama"},
    **{"film noir": "noir", "neo noir": "noir", "historical": "history", "period piece": "history"},
    **{"whodunit": "mystery", "whodunnit": "mystery", "suspense": "thriller", "psychological thriller": "thriller"},
    **{"docu": "documentary", "doc": "documentary", "slasher": "horror", "spaghetti western": "western"},
    **{"gangster movie": "crime", "gangster film": "crime", "kids movie": "family", "kid movie": "family"},
    **{"sports": "sport", "sports movie": "sport", "musicals": "musical"},
}
"""Word or phrase (singular, folded) -> genre."""

COMPOUND_GENRES: Final[dict[str, tuple[str, ...]]] = {
    "romcom": ("romance", "comedy"),
    "rom com": ("romance", "comedy"),
    "romantic comedy": ("romance", "comedy"),
    "dramedy": ("drama", "comedy"),
    "zomcom": ("horror", "comedy"),
    "dark comedy": ("comedy",),
    "black comedy": ("comedy",),
}

MOOD_WORDS: Final[dict[str, str]] = {
    **{"funny": "funny", "hilarious": "funny", "laugh": "funny", "humorous": "funny", "comical": "funny"},
    **{"scary": "scary", "terrifying": "scary", "frightening": "scary", "scare": "scary"},
    **{"creepy": "creepy", "eerie": "eerie", "unsettling": "creepy", "spooky": "eerie"},
    **{"sad": "sad", "depressing": "bleak", "tearjerker": "sad", "cry": "sad", "heartbreaking": "sad"},
    **{"bleak": "bleak", "grim": "bleak", "gritty": "gritty", "dark": "dark", "tense": "tense"},
    **{"suspenseful": "tense", "gripping": "tense", "edge of my seat": "tense", "nail biting": "tense"},
    **{"feel good": "feel-good", "feelgood": "feel-good", "uplifting": "feel-good", "cheerful": "feel-good"},
    **{"cheer": "feel-good", "happy": "feel-good", "heartwarming": "heartwarming", "wholesome": "heartwarming"},
    **{"sweet": "heartwarming", "cosy": "cosy", "cozy": "cosy", "comforting": "cosy", "comfort": "cosy"},
    **{"light": "lighthearted", "lighthearted": "lighthearted", "easy": "lighthearted", "fun": "lighthearted"},
    **{"silly": "lighthearted", "goofy": "lighthearted", "romantic": "romantic", "quirky": "quirky"},
    **{"weird": "quirky", "whimsical": "whimsical", "magical": "whimsical", "dreamy": "dreamlike"},
    **{"surreal": "dreamlike", "dreamlike": "dreamlike", "trippy": "mind-bending", "mind bending": "mind-bending"},
    **{"mindbending": "mind-bending", "mind blowing": "mind-bending", "thought provoking": "thought-provoking"},
    **{"thoughtful": "thought-provoking", "deep": "thought-provoking", "smart": "thought-provoking"},
    **{"clever": "thought-provoking", "intelligent": "thought-provoking", "intense": "intense"},
    **{"epic": "epic", "inspiring": "inspiring", "inspirational": "inspiring", "motivating": "inspiring"},
    **{"nostalgic": "nostalgic", "melancholic": "melancholic", "melancholy": "melancholic"},
    **{"bittersweet": "bittersweet", "exciting": "adrenaline", "thrilling": "adrenaline", "adrenaline": "adrenaline"},
    **{"moving": "moving", "emotional": "moving", "touching": "moving", "satirical": "satirical"},
    **{"atmospheric": "atmospheric", "slow": "slow-burning", "slow burn": "slow-burning", "charming": "charming"},
    **{"disturbing": "disturbing", "raunchy": "raunchy", "crude": "raunchy", "beautiful": "beautiful"},
}
"""Word or phrase (folded) -> mood name; names that a catalogue does not use simply match nothing."""

FEELING_MOODS: Final[dict[str, tuple[str, ...]]] = {
    "sad": ("feel-good", "heartwarming", "funny"),
    "down": ("feel-good", "heartwarming", "funny"),
    "depressed": ("feel-good", "heartwarming", "cosy"),
    "lonely": ("heartwarming", "cosy"),
    "stressed": ("cosy", "lighthearted"),
    "tired": ("cosy", "lighthearted"),
    "exhausted": ("cosy", "lighthearted"),
    "bored": ("adrenaline", "mind-bending"),
    "heartbroken": ("feel-good", "bittersweet"),
    "blue": ("feel-good", "heartwarming"),
    "anxious": ("cosy", "lighthearted"),
    "happy": ("feel-good",),
    "romantic": ("romantic",),
    "nostalgic": ("nostalgic",),
}
"""What somebody who says "I feel X" is usually helped by (X itself is not what they ask for)."""

GRADE_WORDS: Final[dict[str, tuple[str, int]]] = {
    **{"violent": ("violence", 1), "violence": ("violence", 1), "bloody": ("violence", 1), "gore": ("violence", 1)},
    **{"gory": ("violence", 1), "brutal": ("violence", 1), "scary": ("scariness", 1), "frightening": ("scariness", 1)},
    **{"sad": ("sadness", 1), "depressing": ("sadness", 1), "heavy": ("sadness", 1), "funny": ("humour", 1)},
    **{"romantic": ("romance", 1), "mushy": ("romance", 1), "sappy": ("romance", 1), "cheesy": ("romance", 1)},
    **{"complicated": ("complexity", 1), "complex": ("complexity", 1), "confusing": ("complexity", 1)},
    **{"slow": ("pace", -1), "fast": ("pace", 1), "fast paced": ("pace", 1), "dark": ("sadness", 1)},
    **{"intense": ("scariness", 1), "serious": ("humour", -1), "silly": ("humour", 1)},
}
"""Word -> (attribute, +1 when more of the word means more of the attribute)."""

COMPARATIVES: Final[dict[str, tuple[str, int]]] = {
    **{"shorter": ("runtime", -1), "longer": ("runtime", 1), "newer": ("year", 1), "older": ("year", -1)},
    **{"more recent": ("year", 1), "more modern": ("year", 1), "scarier": ("scariness", 1)},
    **{"funnier": ("humour", 1), "sadder": ("sadness", 1), "darker": ("sadness", 1), "lighter": ("sadness", -1)},
    **{"happier": ("sadness", -1), "faster": ("pace", 1), "slower": ("pace", -1), "simpler": ("complexity", -1)},
    **{"bloodier": ("violence", 1), "gentler": ("violence", -1), "milder": ("violence", -1)},
    **{"less long": ("runtime", -1), "less old": ("year", 1), "less recent": ("year", -1)},
}
"""Comparative -> (what is compared, direction)."""

NATIONS: Final[dict[str, tuple[str, str]]] = {
    **{"french": ("language", "fr"), "spanish": ("language", "es"), "german": ("language", "de")},
    **{"italian": ("language", "it"), "japanese": ("language", "ja"), "korean": ("language", "ko")},
    **{"chinese": ("language", "zh"), "cantonese": ("language", "cn"), "hindi": ("language", "hi")},
    **{"portuguese": ("language", "pt"), "russian": ("language", "ru"), "swedish": ("language", "sv")},
    **{"danish": ("language", "da"), "norwegian": ("language", "no"), "finnish": ("language", "fi")},
    **{"dutch": ("language", "nl"), "polish": ("language", "pl"), "turkish": ("language", "tr")},
    **{"persian": ("language", "fa"), "farsi": ("language", "fa"), "arabic": ("language", "ar")},
    **{"hebrew": ("language", "he"), "thai": ("language", "th"), "hungarian": ("language", "hu")},
    **{"czech": ("language", "cs"), "greek": ("language", "el"), "romanian": ("language", "ro")},
    **{"icelandic": ("language", "is"), "english": ("language", "en"), "mandarin": ("language", "zh")},
    **{"british": ("country", "gb"), "american": ("country", "us"), "australian": ("country", "au")},
    **{"irish": ("country", "ie"), "canadian": ("country", "ca"), "indian": ("country", "in")},
    **{"brazilian": ("country", "br"), "mexican": ("country", "mx"), "argentinian": ("country", "ar")},
    **{"iranian": ("country", "ir"), "israeli": ("country", "il"), "new zealand": ("country", "nz")},
    **{"bollywood": ("country", "in"), "scottish": ("country", "gb"), "south african": ("country", "za")},
    **{"austrian": ("country", "at"), "belgian": ("country", "be"), "hong kong": ("country", "hk")},
}
"""Adjective -> (field, code)."""

COMPANIONS: Final[dict[str, str]] = {
    **{"kid": "kids", "kids": "kids", "child": "kids", "children": "kids", "toddler": "kids"},
    **{"son": "kids", "daughter": "kids", "grandkids": "kids", "niece": "kids", "nephew": "kids"},
    **{"grandma": "grandparents", "grandmother": "grandparents", "grandpa": "grandparents"},
    **{"grandparents": "grandparents", "mom": "parents", "mum": "parents", "mother": "parents"},
    **{"dad": "parents", "father": "parents", "parents": "parents", "girlfriend": "date night"},
    **{"boyfriend": "date night", "wife": "date night", "husband": "date night", "partner": "date night"},
    **{"date night": "date night", "date": "date night", "friends": "friends", "roommates": "friends"},
}

OCCASION_WISHES: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "kids": (("genre", "family"), ("genre", "animation")),
    "grandparents": (("mood", "heartwarming"), ("mood", "lighthearted")),
    "parents": (),
    "date night": (("mood", "romantic"), ("genre", "romance")),
    "friends": (("mood", "funny"), ("mood", "adrenaline")),
}

SERVICES: Final[tuple[str, ...]] = (
    *("netflix", "hulu", "disney plus", "disney+", "amazon prime", "prime video", "hbo max", "hbo"),
    *("apple tv", "peacock", "paramount plus", "mubi", "shudder", "tubi"),
)

NEGATORS: Final[tuple[str, ...]] = (
    *("no", "not", "without", "never", "nothing", "hate", "hates", "hated", "dislike", "avoid"),
    *("except", "minus", "skip", "dont", "doesnt", "didnt", "cant", "isnt", "wasnt", "nor", "neither"),
    *("don't", "doesn't", "didn't", "can't", "isn't", "wasn't", "anything but", "other than"),
    *("sick of", "tired of", "rather than", "instead of", "not into", "aren't", "won't", "less"),
)
NOT_NEGATING: Final[tuple[str, ...]] = (
    *("no preference", "no problem", "no idea", "no matter", "not only", "not sure", "why not"),
    *("don't mind", "dont mind", "don't care", "dont care", "can't wait", "cant wait", "not bad"),
    *("no worries", "never seen", "haven't seen", "havent seen", "don't know", "dont know", "no wait"),
    *("can't remember", "cant remember", "don't remember", "dont remember", "can't decide", "cant decide"),
    *("no more than", "no less than", "no longer than", "no older than", "no newer than"),
    *("nothing older than", "nothing newer than", "nothing longer than", "nothing shorter than"),
    *("nothing before", "nothing after", "why don't", "can't go wrong", "not long ago"),
)
SCOPE_ENDS: Final[frozenset[str]] = frozenset(
    {"but", "however", "though", "just", "only", "want", "looking", "give", "show", "prefer", "love"}
    | {"like", "please", "maybe", "then", "because", "so", "what", "how", "who", "need", "find"}
)
"""Words that end the reach of a negator ("no horror but something funny")."""

STOPWORDS: Final[frozenset[str]] = frozenset(
    "a about already after again all also am an and any anything are as at be been before being best but by can could "
    "did do does doing don't down else ever few film films find first for from get give go going good got great "
    "had has have having he hello help her here hey hi him his how i i'd i'll i'm i've if in into is it it's its "
    "just kind kinda know last let like likes liked little looking lot love loved loves made make many maybe me "
    "mean meant might mind more most movie movies much my myself need never new next nice no not of off ok okay "
    "old on one ones only or other others our out over own part perhaps please pretty prefer rather really "
    "recommend recommendation recommendations right say see seen she should show so some somebody someone "
    "something sort still stuff such suggest suggestion suggestions sure take tell than thank thanks that that's "
    "the their them then there these they thing things think this those through to tonight today too top try up us "
    "usually very want wanted was watch watched watching way we week weekend well were what what's whatever when "
    "where which while who whole why will with without would yes you your".split()
)

OUT_OF_SCOPE: Final[tuple[str, ...]] = (
    r"\b(order|deliver|buy|book|reserve|call)\b.{0,20}\b(pizza|food|taxi|uber|flight|hotel|table|ticket|burger)",
    r"\bweather\b|\bforecast\b|\bstock price|\bbitcoin\b|\bexchange rate\b",
    r"\b(write|compose|draft)\b.{0,15}\b(poem|essay|code|email|letter|song|script|function)\b",
    r"\bcapital of\b|\bwho is the president\b|\btranslate\b|\bsolve\b|\bhomework\b|\bset (an?|the) (alarm|timer)",
    r"\b(medical|legal|tax|financial) advice\b|\bdiagnos|\bmy doctor\b|\bprescri",
    r"\b\d+\s*[-+*/x]\s*\d+\s*(=|\?|$)",
    r"\brecipe\b|\bhow (do|to) (i )?cook\b|\bplay (some )?music\b|\bturn (on|off)\b",
)
SMALL_TALK: Final[dict[str, str]] = {
    r"^\s*(hi|hello|hey|hiya|howdy|yo|good (morning|evening|afternoon)|greetings)\b[\s\w,]{0,15}[!.?]*\s*$": "greeting",
    r"^\s*(hi|hello|hey)?[\s,!.]*how are you\b": "greeting",
    r"\b(thanks|thank you|thx|cheers)\b": "thanks",
    r"^\s*(bye|goodbye|see you|good night|that'?s all|i'?m done)\b": "goodbye",
    r"\b(sounds? (good|great|perfect)|perfect|awesome|i'?ll (watch|try|check|go with)|great choice)\b": "accept",
    r"\b(who|what) are you\b|\bare you (a |an )?(bot|robot|human|ai|real)\b|\bwhat can you do\b": "about_agent",
}
"""Pattern -> kind of small talk; only when nothing else was understood (thanks and accept may accompany)."""
