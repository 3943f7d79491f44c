"""From one utterance to an Understanding: what is wanted, avoided, named, asked, taken back.

Knows English sentences about movies (tables in wording.py). Does not know the ledger, users or
models, and never touches an index: everything comes from the text, the lexicon and what was shown.
Pure; a few milliseconds. Called by agent/decide.py and, through it, by `python -m evals rank`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from retrieval.movie import Movie, fold
from retrieval.nlu.alluding import alike_again, alluded_to
from retrieval.nlu.asked import asked_about, asked_again, furthest, meant, movie_asked
from retrieval.nlu.brands import find_brands
from retrieval.nlu.cast_talk import asked_for, best_known_of, turns_to
from retrieval.nlu.forgotten import as_told, goes_on, is_known_item
from retrieval.nlu.franchises import find_franchises, most_of
from retrieval.nlu.gloss import ENGLISH, OTHER, gloss
from retrieval.nlu.lexicon import Lexicon
from retrieval.nlu.linking import Linker
from retrieval.nlu.of_list import films_that_are, picks
from retrieval.nlu.people import LinkedPerson
from retrieval.nlu.pointing import pointed_at
from retrieval.nlu.preferences import Preferences
from retrieval.nlu.questions import (
    FoundQuestion,
    asks_for_list,
    find_absence,
    find_questions,
    find_why,
)
from retrieval.nlu.remarks import ANYTHING, INTRODUCED, is_taken, own_words, remarks, wordings
from retrieval.nlu.scope import Reach, negated_spans
from retrieval.nlu.slips import Mended, mended
from retrieval.nlu.stances import stance_at
from retrieval.nlu.tokens import LinkedTitle
from retrieval.nlu.unknown import unknown_names, untold
from retrieval.nlu.wording import STOPWORDS
from retrieval.understanding import (
    Comparison,
    Mark,
    Mention,
    Stance,
    Understanding,
    Unsure,
)

_VERSION_OF = re.compile(
    r"(?: (?:version|take|kind|sort|type|spin|variation|cousin|relative) (?:of|on|to))? ['\"]?"
)
"""Between "darker" and the film that it is held to: "a darker version of Heat", "a shorter Dune"."""
_PRAISE = re.compile(
    r"[\"')]*,? (?:looks?|sounds?|seems?|is|are|was) (?:\w+ ){0,2}?(?:good|nice|great|fun|funny|interesting|cool|promising|fine|perfect|lovely|intriguing|tempting|dull|boring|bad|terrible|awful|stupid|silly|depressing|weak|lame|heavy|long|slow|scary|violent|old|childish|tedious|dreary|meh)\b"
)
"""Said of a film of the list: it describes nothing that is searched for."""
_WHY_TITLE = re.compile(r"^\W*(?:(?:but|and|so|ok|hm+) )*why (?:the )?$")
_ALL_BEFORE = re.compile(
    r"\b(?:all|every|both|whole)(?: of| the| three| four| those|(?: \w+){1,4} and)* (?:the )?$"
)
_SERIES_AFTER = re.compile(r"[\"')]* (?:movies|films|series|franchise|trilogy|saga|sequels|ones)\b")
_TO_WATCH = re.compile(
    r"\b(?:want to|wanna|(?:would|'d) like to|going to) (?:\w+ )?(?:see|watch)(?: the)?(?: movie| film)? *$"
)
_DO_YOU_HAVE = re.compile(
    r"^\W*(?:\w+\W+)?(?:do you (?:have|know)|have you got|is there)(?: the)?(?: movie| film)? *$"
)


@dataclass(frozen=True, slots=True)
class Context:
    """What the utterance may refer to."""

    shown: tuple[Movie, ...] = ()
    """The list shown last, best first."""
    in_focus: Movie | None = None
    """What "it" means."""
    before: str = ""
    """What they said last, whose question "and the first?" asks again."""


def understand(text: str, lexicon: Lexicon, context: Context | None = None) -> Understanding:
    """Understand one utterance. Never raises, whatever the text; empty text gives an empty result."""
    if context and goes_on(text.lower(), context.before):
        told = f"{context.before.rstrip(' ?!.')}. {text}"
        return replace(understand(told, lexicon, replace(context, before="")), text=text)
    own = own_words(text.replace("’", "'").replace("\x00", " "))
    said = gloss(own, lexicon, context.before if context else "")
    right = mended(said.text, lexicon) if said.language == ENGLISH else Mended(said.text)
    shown = context.shown if context else ()
    if many := picks(right.text.lower(), len(shown)):
        chosen = tuple(meant(m, "asked") for m in shown[:many])
        return Understanding(text, said.language, of_list=True, picked=True, mentions=chosen)
    heard = _as_said(_Reading(right.text, lexicon, context or Context()).result(), right)
    heard = as_told(heard, text)
    talk = ("foreign", *heard.small_talk) if said.language == OTHER else heard.small_talk
    return replace(heard, text=text, language=said.language, small_talk=talk)


def _as_said(heard: Understanding, right: Mended) -> Understanding:
    """With the places of what was read as they are in the text before it was put right."""
    if not right.changes:
        return heard
    return replace(
        heard,
        mentions=tuple(
            replace(m, start=right.before(m.start), end=right.before(m.end)) for m in heard.mentions
        ),
        marks=tuple(
            replace(m, start=right.before(m.start), end=right.before(m.end)) for m in heard.marks
        ),
    )


class _Reading:
    """One pass over one utterance; each step claims its part of the text."""

    def __init__(self, text: str, lexicon: Lexicon, context: Context) -> None:
        self.text = text
        self.lower = text.lower() if len(text.lower()) == len(text) else text
        self.context = context
        self.linker = Linker(text, lexicon)
        self.lexicon = lexicon
        self.absence = find_absence(self.lower)
        """Where they ask why somebody or something is not there: nobody is refused by it."""
        self.reaches = [r for r in negated_spans(self.lower) if not self._asks_why_not(r.start)]

    def result(self) -> Understanding:
        questions, why = self._questions(), False
        preferences = Preferences(self.linker, self.reaches, bool(self.context.shown))
        self._take_no_names()
        preferences.before_names()
        franchises = find_franchises(self.linker, self.reaches)
        if most := most_of(self.linker, franchises):
            return most
        brands = find_brands(self.linker, self.reaches)
        pointed = pointed_at(self.linker, self.context.shown)
        people = [p for p in self.linker.people() if not self._asks_why_not(p.start)]
        titles = sorted([*pointed, *self.linker.titles()], key=lambda t: t.start)
        known_item = is_known_item(self.lower)
        spans = self._asking(questions)
        named = self._named(titles, spans, known_item) + brands.refused
        mentions = named + self._alluded(named, people)
        mentions = self._in_question(mentions, questions, pointed, preferences)
        wished, described = asked_for(self.lower, people, titles, self.context.shown, self.reaches)
        findings = (*preferences.after_names(wished), *described, *brands.wishes)
        findings += tuple(series.wish for series in franchises)
        shown = self.context.shown
        if findings and not questions and preferences.of_list:
            named = tuple(meant(m, "asked") for m in films_that_are(shown, findings))
            return Understanding(text=self.text, of_list=True, mentions=named)
        comparisons = self._comparisons(preferences, mentions)
        if not (questions or findings or comparisons) and len(mentions) == 1:
            questions, why = self._asks_of(mentions[0])
            mentions = (replace(mentions[0], stance="asked"),) if questions or why else mentions
        answered = asked_about(questions, mentions, self.context.in_focus, self.lower, shown)
        why = why or self._asks_why(questions, mentions)
        # What a question or a comparison is about is not what they would like more of.
        return replace(
            self._remarks(mentions),
            findings=findings,
            mentions=mentions,
            comparisons=comparisons,
            turns_to_person=turns_to(self.lower, wished),
            withdrawals=preferences.withdrawals,
            question=answered[0] if answered else None,
            more_questions=answered[1:],
            asks_list=bool(answered) and asks_for_list(self.lower),
            unknown=unknown_names(self.linker),
            why=why,
            why_movie=movie_asked(mentions, self.context.in_focus) if why else None,
            known_item=known_item,
            count=preferences.count,
            unsure=tuple(self._unsure(t) for t in titles if not t.sure),
            marks=_in_order([*preferences.marks, *(Mark("title", t.start, t.end) for t in titles)]),
            query_text=self._query_text(spans, known_item, preferences),
        )

    def _in_question(
        self,
        mentions: tuple[Mention, ...],
        questions: Sequence[FoundQuestion],
        pointed: Sequence[LinkedTitle],
        preferences: Preferences,
    ) -> tuple[Mention, ...]:
        """The films, with what the questions mean by them; the words of a question are no wish."""
        if questions and questions[0].extreme:
            mentions = furthest(questions[0], mentions, self.context.shown)
            preferences.comparatives.clear()  # "which one is shorter?" asks for no shorter film
        for span in (q.span for q in questions if q.asks_only):
            self.linker.take(*span)
        return self._only_asked(mentions, pointed, questions)

    def _alluded(
        self, named: Sequence[Mention], people: Sequence[LinkedPerson]
    ) -> tuple[Mention, ...]:
        """Films that nobody named: of somebody, seen and wanted more of, on the list."""
        also = best_known_of(self.lower, people, self.lexicon) + alike_again(self.lower, named)
        known, context = (*named, *also), self.context
        return also + alluded_to(self.lower, known, people, context.shown, context.in_focus)

    def _asks_why_not(self, place: int) -> bool:
        span = self.absence.span if self.absence else (0, 0)
        return span[0] <= place < span[1]

    def _asking(self, questions: Sequence[FoundQuestion]) -> list[tuple[int, int]]:
        """Where they only ask; nobody is wished for where they ask why somebody is absent."""
        spans = [q.span for q in questions]
        if self.absence:
            self.linker.take(*self.absence.span)
            spans.append(self.absence.span)
        return spans

    def _asks_why(self, questions: Sequence[FoundQuestion], mentions: Sequence[Mention]) -> bool:
        """Whether a reason is asked for; why somebody is not in a film is asked of its cast."""
        absent = self.absence is not None and self.absence not in questions
        return absent or find_why(self.lower) or any(self._why(m.start) for m in mentions)

    def _take_no_names(self) -> None:
        """Claim "anything goes", which in small letters is no film, and who they say they are."""
        for match in INTRODUCED.finditer(self.text):
            self.linker.take(*match.span("name"))
        for match in ANYTHING.finditer(self.lower):
            if not self.text[match.start() : match.end()].split()[-1][0].isupper():
                self.linker.take(*match.span())

    def _questions(self) -> tuple[FoundQuestion, ...]:
        """The questions, whose words are no wishes and whose capitals are titles."""
        if remarks(self.text, self.lower, ()).same_director:
            return ()  # "what else did the director of Alien make?" asks for films
        if self.absence:
            return (self.absence,) if self.absence.about == "cast" else ()
        questions = find_questions(self.lower)
        for asked in questions:
            if asked.words:
                self.linker.take(*asked.words)
        self.linker.trusted = [asked.span for asked in questions]
        self.linker.asking = [asked.span for asked in questions if asked.asks_only]
        self.linker.films_asked = [asked.film for asked in questions if asked.film]
        return questions

    def _asks_of(self, named: Mention) -> tuple[tuple[FoundQuestion, ...], bool]:
        """What is asked of the one film named, though not in so many words; whether it is why."""
        if self._chosen(named):
            # "I want to watch Alien": they have chosen; tell them about it.
            return (FoundQuestion("plot", (0, 0)),), False
        return asked_again(self.lower, self.context.before.lower())

    def _chosen(self, named: Mention) -> bool:
        """Whether one film is named, to be watched."""
        if named.stance not in ("unseen", "seed"):
            return False
        before, after = self.lower[: named.start], self.lower[named.end :]
        if named.stance == "seed":
            return bool(_DO_YOU_HAVE.search(before) and not after.strip(" ?!."))
        return bool(_TO_WATCH.search(before))

    def _remarks(self, mentions: Sequence[Mention]) -> Understanding:
        """What is told by its wording alone, and whether a film was taken."""
        said = remarks(self.text, self.lower, self.linker.title_spans)
        said = replace(said, untold=untold(self.linker))
        if not any(is_taken(self.lower, m.start, m.end) for m in mentions):
            return said
        talk = (t for t in said.small_talk if t != "accept")
        return replace(said, small_talk=("accept", *talk))

    # --- movies ---

    def _named(
        self, titles: Sequence[LinkedTitle], asked: Sequence[tuple[int, int]], known_item: bool
    ) -> tuple[Mention, ...]:
        """The films that are named or pointed at."""
        mentions = tuple(self._mention(t, asked) for t in titles if t.sure)
        if known_item:  # what somebody tells of a forgotten film is no example to search by
            mentions = tuple(m for m in mentions if m.stance != "seed")
        return self._whole_series(mentions)

    def _mention(self, linked: LinkedTitle, asked: Sequence[tuple[int, int]]) -> Mention:
        return Mention(
            movie_id=linked.entry.movie_id,
            title=linked.entry.title,
            year=linked.entry.year,
            stance=self._stance(linked.start, linked.end, asked),
            start=linked.start,
            end=linked.end,
        )

    def _stance(self, start: int, end: int, asked: Sequence[tuple[int, int]]) -> Stance:
        if any(low <= start < high for low, high in asked) or self._why(start):
            return "asked"
        return stance_at(self.lower, start, end, self._negation_at(start))

    def _only_asked(
        self,
        mentions: tuple[Mention, ...],
        pointed: Sequence[LinkedTitle],
        questions: Sequence[FoundQuestion],
    ) -> tuple[Mention, ...]:
        """A film of the list that is praised and asked about is no example yet."""
        starts = {p.start for p in pointed}
        return tuple(
            replace(m, stance="asked")
            if questions and m.stance == "seed" and m.start in starts and self._praised(m)
            else m
            for m in mentions
        )

    def _praised(self, mention: Mention) -> bool:
        return bool(mention.end and _PRAISE.match(self.lower, mention.end))

    def _why(self, place: int) -> bool:
        """Whether a reason is asked for, if only by "why Alien?", the title standing there."""
        return find_why(self.lower) or bool(_WHY_TITLE.search(self.lower[:place]))

    def _negation_at(self, place: int) -> Reach | None:
        return next((r for r in self.reaches if r.start <= place < r.end), None)

    def _whole_series(self, mentions: Sequence[Mention]) -> tuple[Mention, ...]:
        """A name may stand for every film behind it: "not Star Wars", "seen all the Harry Potters"."""
        whole: list[Mention] = []
        for mention in mentions:
            key = fold(self.text[mention.start : mention.end])
            named = (*self.lexicon.titles.get(key, ()), *self.lexicon.series_of(key))
            named += self.lexicon.sequels_of(key) if self._means_all(mention) else ()
            rest = tuple(sorted({e.movie_id for e in named} - {mention.movie_id}))
            if not rest or not self._means_all(mention):
                whole.append(mention)
                continue
            name = self.text[mention.start : mention.end].strip("\"'").title()
            whole.append(replace(mention, title=f"{name} films", year=None, also=rest))
        return tuple(whole)

    def _means_all(self, mention: Mention) -> bool:
        """Whether more is meant than the best known film of that name."""
        if mention.stance == "not_now":
            return True
        key = fold(self.text[mention.start : mention.end])
        plural = key not in self.lexicon.titles and key not in self.lexicon.franchises
        around = _ALL_BEFORE.search(self.lower[: mention.start])
        around = around or _SERIES_AFTER.match(self.lower[mention.end :])
        return mention.stance in ("seen", "disliked") and bool(plural or around)

    def _comparisons(
        self, preferences: Preferences, mentions: Sequence[Mention]
    ) -> tuple[Comparison, ...]:
        """Give each comparative its anchor: the movie after "than", else the last seed before it."""
        found = []
        for what, direction, start, end in preferences.comparatives:
            than = self.lower[end : end + 12].lstrip().startswith("than")
            after = [m for m in mentions if m.start >= end and than]
            before = [m for m in mentions if m.start < start and m.stance == "seed"]
            made_so = [m for m in mentions if m.start >= end and m.stance == "seed"]
            made_so = [m for m in made_so if _VERSION_OF.fullmatch(self.lower, end, m.start)]
            anchor = next(iter((*after, *made_so, *before[::-1])), None)
            found.append(Comparison(what, direction, anchor.movie_id if anchor else None))
        return tuple(found)

    def _unsure(self, linked: LinkedTitle) -> Unsure:
        phrase = self.text[linked.start : linked.end]
        return Unsure(phrase, linked.entry.movie_id, linked.entry.title, linked.entry.year)

    # --- the words left for the text legs ---

    def _query_text(
        self, asked: Sequence[tuple[int, int]], known_item: bool, preferences: Preferences
    ) -> str:
        """The words that describe what is wanted: no names, nothing negated, nothing asked."""
        if known_item:
            return self.text
        dropped = [(r.cue_start, r.end) for r in self.reaches]
        dropped += [*asked, *self.linker.title_spans, *preferences.no_wishes]
        dropped += wordings(self.lower)
        ends = [end for _, end in self.linker.title_spans]
        dropped += [m.span() for end in ends if (m := _PRAISE.match(self.lower, end))]
        kept = [t for t in self.linker.tokens if not any(a <= t.start < b for a, b in dropped)]
        if not any(t.folded not in STOPWORDS and len(t.folded) > 1 for t in kept):
            return ""
        return " ".join(self.text[t.start : t.end] for t in kept)


def _in_order(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    return tuple(sorted(dict.fromkeys(marks), key=lambda m: (m.start, m.end)))
