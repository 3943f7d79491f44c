"""Preferences in one utterance: genres, moods, themes, grades, people, years, languages, audience.

Knows which words mean which slot, with polarity from scope.py. Does not know titles (linking.py
links them between the two steps here) nor the ledger. Pure; called by understand.py only.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, cast

from retrieval.movie import fold
from retrieval.nlu import audience, comparing, degrees, places, topics
from retrieval.nlu import preference_patterns as patterns
from retrieval.nlu.bounds import bound, widened
from retrieval.nlu.clock import find_time_left
from retrieval.nlu.eras import childhood, named_eras
from retrieval.nlu.lexicon import is_vocabulary, vocabulary_of
from retrieval.nlu.linking import Linker
from retrieval.nlu.of_list import asks_of_list
from retrieval.nlu.people import LinkedPerson
from retrieval.nlu.quantities import find_quantities
from retrieval.nlu.scope import Reach, is_extra, is_hedged, mode_at, sentence_at
from retrieval.nlu.spans import Span
from retrieval.nlu.together import together
from retrieval.nlu.vocabulary import barred, is_subgenre, meaning
from retrieval.nlu.wording import (
    COMPANIONS,
    LOOSE_KINDS,
    NATIONS,
    NEGATORS,
    SERVICES,
    STOPWORDS,
)
from retrieval.understanding import Finding, Mark, Polarity, SlotKind, Withdrawal

PEOPLE = ("person", "actor", "director")


class Preferences:
    """Collects the findings of one utterance; `before_names`, then `after_names`."""

    def __init__(self, linker: Linker, reaches: Sequence[Reach], shown: bool = False) -> None:
        self.linker = linker
        self.shown = shown
        self.of_list = shown and asks_of_list(linker.lower)
        """Whether there is a list that "newer ones" can be compared with."""
        self.lower = linker.lower
        self.reaches = reaches
        self.findings: list[Finding] = []
        self.withdrawals: tuple[Withdrawal, ...] = ()
        self.comparatives: list[tuple[str, Literal[-1, 1], int, int]] = []
        self.count: int | None = None
        self.marks: list[Mark] = []
        self.hedged: list[Finding] = []
        """Wishes brought up with "maybe"."""
        self.young: list[tuple[int, int]] = []
        """Where they tell when they were young."""
        self.no_wishes: list[tuple[int, int]] = []
        """Spans whose words describe nothing that is wanted: withdrawals, how somebody feels."""

    def before_names(self) -> None:
        """Phrases that must not be read as titles: withdrawals, "less violent", "shorter"."""
        self._dated()
        self._withdraw()
        self.withdrawals += tuple(audience.not_for(self))
        audience.occasion(self)
        audience.on_services(self)
        comparing.compared(self)
        degrees.too_much(self)
        degrees.feelings(self)
        degrees.fame(self)
        self._second_best()

    def after_names(self, people: Sequence[LinkedPerson]) -> tuple[Finding, ...]:
        """Everything else, on the text that no name took."""
        self._people(people)
        self._corrected()
        self._quantities()
        degrees.much(self)
        audience.who(self)
        places.from_where(self)
        audience.which_language(self)
        audience.which_kind(self)
        audience.which_look(self)
        self._vocabulary()
        audience.in_its_language(self)
        topics.written(self)
        topics.unwanted(self)
        topics.unwanted_names(self)
        topics.wanted(self)
        topics.alone(self)
        topics.with_things(self)
        return together(self.findings, self.hedged)

    # --- bookkeeping ---

    def negated(self, start: int) -> bool:
        return any(r.start <= start < r.end for r in self.reaches)

    def free(self, start: int, end: int) -> bool:
        return self.linker.free(start, end)

    def add(
        self,
        kind: SlotKind,
        value: str,
        start: int,
        end: int,
        hard: bool = True,
        loose: bool = False,
    ) -> None:
        reach = next((r for r in self.reaches if r.start <= start < r.end), None)
        polarity: Polarity = "avoid" if reach else "want"
        # "hate musicals" is a wish wherever it stands; "it wasn't funny" is none.
        firm = reach is not None and not reach.cue.startswith(patterns.REMARKS)
        # "They're 7 and 10, not animated": a clause of its own remarks on nothing.
        begins = reach is not None and self.lower[: reach.cue_start].rstrip().endswith((",", ";"))
        firm = firm or (begins and kind in ("genre", "theme"))
        mode = "request" if firm or self.of_list else mode_at(self.lower, start)
        if self.free(start, end):
            self.linker.take(start, end)
        if kind not in PEOPLE:  # marked one by one, in the role said
            self.marks.append(Mark(kind, start, end))
        told = kind in ("theme", "keyword", "mood") and patterns.TOLD.search(self.lower[:start])
        if mode == "comment" and patterns.NOT_AGAIN.match(self.lower, end):
            mode, polarity, firm = "request", "avoid", True
        if mode != "comment" and not (reach and told):
            hard = hard and not told and not is_extra(self.lower, start, end)
            binds = polarity == "avoid" or (hard and mode == "request")
            loose = loose and binds and polarity == "want"
            self._found(Finding(kind, value, polarity, binds, loose=loose), start)

    def _found(self, finding: Finding, start: int) -> None:
        self.findings.append(finding)
        if finding.polarity == "want" and finding.hard and is_hedged(self.lower, start):
            self.hedged.append(finding)

    # --- steps ---

    def _withdraw(self) -> None:
        found: list[Withdrawal] = []
        for match in patterns.WITHDRAW.finditer(self.lower):
            what = next((g for g in match.groups() if g), "").strip()
            # "On second thought comedy" names something from its third word on only.
            tails = [" ".join(what.split()[i:]) for i in range(min(4, len(what.split())))]
            withdrawals = next((w for tail in tails if (w := self._withdrawn(tail))), [])
            if withdrawals:
                found += withdrawals
                self.no_wishes.append(match.span())
                self.linker.take(*match.span())
            elif match.group(patterns.NOT_NEEDED):
                # "It doesn't have to be R rated" takes nothing back, and bars nothing either.
                end = match.start(patterns.NOT_NEEDED) + len(" ".join(what.split()[:3]))
                self.no_wishes.append((match.start(), end))
                self.linker.take(match.start(), end)
        apart = [m.span() for m in patterns.NOT_STARRING.finditer(self.lower)]
        for match in patterns.NOT_THEM.finditer(self.lower):
            if any(a < match.end() and match.start() < b for a, b in apart):
                continue  # read with the people
            found.append(Withdrawal("person", barred=True))
            self.linker.take(*match.span())
        for match in patterns.ALL_NIGHT.finditer(self.lower):
            found.append(Withdrawal("runtime"))
            self.no_wishes.append(match.span())
        self.withdrawals = tuple(found)

    def _withdrawn(self, what: str) -> list[Withdrawal]:
        """What a phrase such as "comedy", "year", "tom hanks" names, as slots to withdraw."""
        if what in SERVICES:
            return [Withdrawal("service", what)]
        if what in NATIONS:
            kind, code = NATIONS[what]
            return [Withdrawal(cast(SlotKind, kind), code)]
        if what in COMPANIONS:
            return [Withdrawal("companion", COMPANIONS[what])]
        if what in ("colour", "color"):
            return [Withdrawal("keyword", "black and white")]
        if what in patterns.KIND_NAMES:
            return [Withdrawal(patterns.KIND_NAMES[what])]
        if patterns.LITTLE_KNOWN.fullmatch(what):
            return [Withdrawal("fame")]
        found = [Withdrawal(kind, value) for kind, value in vocabulary_of(what)]
        person = self.linker.lexicon.people.get(what)
        if person:
            found.append(Withdrawal("person", person.name))
        if not found and find_quantities(what, self.linker.lexicon.newest_year):
            found = [Withdrawal(_span_kind(s)) for s in find_quantities(what, 9999)]
        theme = self.linker.lexicon.tags.get(what)
        if not found and theme:
            found.append(Withdrawal("theme", theme[1]))
        if not found and self.linker.lexicon.resolve(what):
            found.append(Withdrawal("seed", what))
        return found

    def _people(self, people: Sequence[LinkedPerson]) -> None:
        """Make one wish with a choice of "by Wes Anderson or Sofia Coppola"."""
        self.marks += [Mark(cast(SlotKind, p.said), p.start, p.end) for p in people]
        groups: list[list[LinkedPerson]] = []
        for n, person in enumerate(people):
            between = self.lower[groups[-1][-1].end : person.start] if groups else ""
            after = self.lower[person.end : people[n + 1].start] if n + 1 < len(people) else ""
            # "Brad Pitt, George Clooney" is a choice, "Brad Pitt, George Clooney and ..." is none.
            comma = between.strip() in (",", "/") and after.strip() not in ("and", ", and", "&")
            choice = comma or patterns.OR_BETWEEN.fullmatch(between)
            # "Not Tom Cruise, Tom Hanks!" refuses only the first.
            first_refused = bool(groups) and self.negated(groups[-1][-1].start)
            if groups and choice and not (first_refused or self.negated(person.start)):
                groups[-1].append(person)
            else:
                groups.append([person])
        for group in groups:
            roles = {p.role for p in group} - {"person"}
            role = roles.pop() if len(roles) == 1 else "person"
            names = " or ".join(p.person.name for p in group)
            if self._had_no_part(group):
                self.findings.append(Finding(cast(SlotKind, role), names, "avoid", True))
                continue
            self.add(cast(SlotKind, role), names, group[0].start, group[-1].end)
            apart = patterns.NOT_STARRING.search(self.lower, group[-1].end)
            if role == "director" and apart and group is groups[-1]:
                self.findings.append(Finding("actor", names, "avoid", True))

    def _had_no_part(self, group: Sequence[LinkedPerson]) -> bool:
        """Whether it is said that they did not make it: "that Tarantino didn't direct"."""
        if patterns.NOT_BY_THEM.search(self.lower, group[-1].end):
            return True
        that = patterns.WITHOUT_THEM.search(self.lower[: group[0].start])
        return bool(that and patterns.THEY_DID_NOT.match(self.lower, group[-1].end))

    def _corrected(self) -> None:
        wanted = any(f.kind in PEOPLE and f.polarity == "want" for f in self.findings)
        if wanted and patterns.CORRECTS.search(self.lower):
            self.withdrawals += (Withdrawal("person", newest=True),)

    def _second_best(self) -> None:
        """Words that describe nothing wanted: "atmosphere over action", "no idea what to watch"."""
        for match in patterns.RATHER_THAN.finditer(self.lower):
            which = 1 if match.group(1) else 2
            words = match.group(which)
            first = re.split("[ -]", words)[0]
            named = next((w for w in (words, first) if is_vocabulary(fold(w))), "")
            if named:
                start = match.start(which)
                self.no_wishes.append((start, start + len(named)))
                self.linker.take(start, start + len(named))
        self.no_wishes += [match.span() for match in patterns.UNDECIDED.finditer(self.lower)]

    def _quantities(self) -> None:
        spans = [s for s in find_quantities(self.lower, self.linker.lexicon.newest_year)]
        spans = widened([s for s in spans if self.free(s.start, s.end)], self.lower)
        firm = {s.kind for s in spans if not s.vague}
        # "New stuff only, nothing from before the pandemic": the era is read already.
        firm |= {"year" for f in self.findings if f.kind == "year"}
        youngest = min((s.min or 0 for s in spans if s.kind == "age"), default=0)
        for span in spans:
            if span.vague and span.kind in firm:
                continue
            if span.kind == "count":
                self.count = span.min
            elif span.kind == "age":
                if (
                    span.min or 0
                ) == youngest:  # of a child of 6 and one of 12, what the first bears
                    audience.children(self, youngest)
            else:
                self._range(span)
            self.linker.take(span.start, span.end)

    def _dated(self) -> None:
        """Claim years and hours in words of their own, before a title or "newer" is read there."""
        eras = named_eras(self.lower, self.linker.lexicon.newest_year)
        for span in (*eras, *find_time_left(self.lower)):
            kind = _span_kind(span)
            title = self.linker.cased and self.linker.text[span.start].isupper() and span.start
            if not title and self.free(span.start, span.end):
                self.marks.append(Mark(kind, span.start, span.end))
                self.findings.append(bound(span, kind, self.negated(span.start), False))
                self.linker.take(span.start, span.end)
        self.young = childhood(self.lower)
        for start, end in self.young:
            self.no_wishes.append((start, end))
            self.linker.take(start, end)

    def _range(self, span: Span) -> None:
        self.marks.append(Mark(_span_kind(span), span.start, span.end))
        told = not (self.of_list or self.young)
        mode = mode_at(self.lower, span.start) if told else "request"
        bracketed = self.lower[max(0, span.start - 1) : span.start] == "("
        greeted = patterns.GREETED.search(self.lower[: span.start])
        if mode == "comment" or bracketed or greeted or (mode == "taste" and span.vague):
            return  # "(1999)" belongs to a title that was not linked
        # A negator inside the span is part of it ("not too long"); only one before it negates.
        said_not = bool(patterns.SAID_NOT.match(self.lower, span.start))
        found = bound(span, _span_kind(span), self.negated(span.start), said_not)
        # "I love films from the 80s" is a taste, as "I love horror" is.
        extra = mode == "taste" or is_extra(self.lower, span.start, span.end)
        extra = extra and found.polarity == "want"
        self._found(replace(found, hard=found.hard and not extra), span.start)

    def _vocabulary(self) -> None:
        tokens = self.linker.tokens
        firm = [sentence_at(self.lower, m.start()) for m in patterns.ONLY.finditer(self.lower)]
        whole = ("theme", "keyword")
        genres: list[tuple[str, int, int]] = []
        for n in (4, 3, 2, 1):
            for i in range(len(tokens) - n + 1):
                start, end = tokens[i].start, tokens[i + n - 1].end
                if not self.free(start, end):
                    continue
                phrase = " ".join(t.folded for t in tokens[i : i + n])
                refused = self.negated(start)
                found = meaning(phrase, self.linker.lexicon, self.lower, end, refused)
                if found and refused:
                    found = barred(phrase, found)
                if found and is_subgenre(phrase, self.lower, end):
                    self.marks.append(Mark("subgenre", start, end))
                only = any(a <= start < b for a, b in firm)
                if phrase == "family" and patterns.OF_RELATIVES.match(self.lower, end):
                    continue  # "a family of fans"
                if "wars" in phrase and patterns.STAR_WARS.search(self.lower[:start]):
                    continue
                for kind, value in found:
                    if kind == "genre":
                        genres.append((value, start, end))
                        self.linker.take(start, end)
                    else:
                        # "A heist film" asks for nothing else; "tense" only says which first.
                        hard = only or not (kind == "mood" or value in LOOSE_KINDS)
                        self.add(kind, value, start, end, hard, loose=kind in whole and not only)
                        degrees.graded_too(self, phrase, start)
        self._genres(sorted(genres, key=lambda g: g[1]))

    def _genres(self, genres: list[tuple[str, int, int]]) -> None:
        """Make one wish with a choice of "horror or thriller", but two of "horror comedy"."""
        k = 0
        while k < len(genres):
            value, start, end = genres[k]
            while (
                k + 1 < len(genres)
                and re.fullmatch(
                    r"(?: \w+)?(?:,| or|, or|/) ?(?:an? |some |maybe )*",
                    self.lower[end : genres[k + 1][1]],
                )
                and not self.negated(start)
            ):
                k += 1
                names = dict.fromkeys((*value.split(" or "), genres[k][0]))
                value, end = " or ".join(names), genres[k][2]
            if not self._of_a_kind(value, start, genres):
                self.add("genre", value, start, end)
            k += 1

    def _of_a_kind(self, genre: str, start: int, genres: Sequence[tuple[str, int, int]]) -> bool:
        """Bar a kind of a genre alone where the genre is welcome: "comedies, no grossout comedies"."""
        welcome = any(g == genre and not self.negated(at) for g, at, _ in genres)
        if not (welcome and self.negated(start)):
            return False
        before = next((t for t in reversed(self.linker.tokens) if t.end == start - 1), None)
        if before is None or before.folded in STOPWORDS or not self.negated(before.start):
            return False
        if before.folded in NEGATORS:
            return False
        if self.free(before.start, before.end):
            self.add("keyword", before.folded, before.start, before.end)
        return True


def _span_kind(span: Span) -> SlotKind:
    return "runtime" if span.kind == "runtime" else "year"
