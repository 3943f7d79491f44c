"""What one utterance was understood to say: the typed result of understand.py.

Knows the shapes only. Nothing is guessed silently: what was heard with doubt is kept in `unsure`.
Read by agent/decide.py, which turns it into acts and ledger edits, and by evals.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

SlotKind = Literal[
    "genre",
    "mood",
    "theme",
    "keyword",
    "person",
    "actor",
    "director",
    "year",
    "runtime",
    "attribute",
    "language",
    "country",
    "certificate",
    "kind",
    "service",
    "companion",
]
FindingKind = SlotKind | Literal["fame", "franchise"]
"""What the rules hear. fame: how well known a film may be; franchise: only films of a series. A
model plans with the slots alone."""
Polarity = Literal["want", "avoid"]
Stance = Literal["seed", "seen", "disliked", "not_now", "asked", "unseen"]
"""seed: an example of what they like; asked: a question is about it; unseen: not seen yet."""
QuestionField = Literal[
    "runtime",
    "director",
    "cast",
    "year",
    "plot",
    "certificate",
    "language",
    "country",
    "genre",
    "availability",
    "rating",
    "awards",
    "difference",
    "violence",
    "scariness",
    "sadness",
    "humour",
    "romance",
    "complexity",
    "pace",
    "other",
]
"""What about a movie is asked; `other`: something that no catalogue field answers."""
SmallTalk = Literal["greeting", "thanks", "goodbye", "accept", "about_agent", "foreign"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A preference: a slot with its value, wanted or not, binding or not."""

    kind: FindingKind
    value: str | Mapping[str, Any]
    polarity: Polarity = "want"
    hard: bool = True
    loose: bool = False
    """A usual reading of a vague word ("short"): binds, but gives way before anything else."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A movie named in the text, by title, position in the shown list, or pronoun."""

    movie_id: str
    title: str
    year: int | None
    stance: Stance
    start: int
    end: int
    sure: bool = True
    also: tuple[str, ...] = ()
    """Ids of the other films behind the same name: "not Star Wars" refuses all of them."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared ("shorter"), which way, and against which movie (None: the list)."""

    what: str
    direction: Literal[-1, 1]
    anchor: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one movie (None when it is not clear which)."""

    about: QuestionField
    movie_id: str | None
    other_id: str | None = None
    """The second movie of "how does it differ from ...?"."""
    extreme: Literal[-1, 0, 1] = 0
    """1 for "which is the longest?", -1 for "the shortest?": the movie is the answer."""
    all_ids: tuple[str, ...] = ()
    """The movies of a list that the question is asked of: "how long are these?"."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Something the user no longer wants to hold: a kind, and a value unless all of it is meant."""

    kind: FindingKind | Literal["seed"]
    value: str | None = None
    barred: bool = False
    """"Not him": what was wanted last of this kind is now avoided."""
    newest: bool = False
    """"No, I mean Tom Hanks": only what was wanted last of this kind goes."""


@dataclass(frozen=True, slots=True)
class Unsure:
    """A phrase that may mean a movie, not sure enough to act on."""

    phrase: str
    movie_id: str
    title: str
    year: int | None


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of the text and what it was read as, wished for or not; `title`: a movie's name."""

    kind: SlotKind | Literal["title", "subgenre"]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Understanding:
    """Everything heard in one utterance; any of it may be empty."""

    text: str
    """As it was said."""
    language: str = "en"
    """es, fr, de, "other" (recognised, but only what is recognisable is searched), or en."""
    findings: tuple[Finding, ...] = ()
    mentions: tuple[Mention, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()
    question: Question | None = None
    more_questions: tuple[Question, ...] = ()
    """The others of "how scary is it, and is it ok for a child?"."""
    asks_list: bool = False
    """Asks for films beside a question: "who made it? And show me something like it"."""
    of_list: bool = False
    """Asks which films of the list on screen are so; those that are stand in `mentions`."""
    picked: bool = False
    """Asks to choose from the list on screen: `of_list` with the first of it in `mentions`."""
    unknown: tuple[str, ...] = ()
    """Names that stand where a film or its maker does, and that the catalogue lacks."""
    untold: tuple[str, ...] = ()
    """What is asked for that no field of a catalogue tells: "how much swearing there is"."""
    why: bool = False
    why_movie: str | None = None
    small_talk: tuple[SmallTalk, ...] = ()
    out_of_scope: bool = False
    undo: bool = False
    undo_one: bool = False
    """Takes "the last thing" back: of several wishes of one turn only the newest."""
    reset: bool = False
    about_me: bool = False
    more: bool = False
    """Asks for other movies on the same terms."""
    turns_to_person: bool = False
    """Asks for films of somebody, not for films that somebody is in as well."""
    additive: bool = False
    """With "also" or "too", new wishes join the old ones instead of taking their place."""
    known_item: bool = False
    """Describes one film whose name is forgotten."""
    same_director: bool = False
    """Wants more of whoever directed the film named, or else the one in view."""
    rewatch: bool = False
    """Wants something already seen and loved."""
    for_me: bool = False
    """After a film for somebody else: the asker's own taste counts again."""
    count: int | None = None
    unsure: tuple[Unsure, ...] = ()
    marks: tuple[Mark, ...] = ()
    """What was read where, in order; `python -m evals extract` scores it."""
    query_text: str = ""
    """The words that describe what is wanted, for the text legs; empty when nothing but names was
    said."""

    @property
    def says_anything(self) -> bool:
        """Whether there is anything to search by."""
        seeds = any(m.stance == "seed" for m in self.mentions)
        return bool(self.findings or self.comparisons or seeds or self.query_text)
