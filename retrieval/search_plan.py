"""How a search is shaped by what is asked for: one row for each kind of request, to be read.

Knows what a row changes before the search (what a word counts in each text field) and after it
(what each leg weighs, in part by whether the legs of words found the same films), and where no row
applies. Does not know how intents are read (enhancer.py), what a leg weighs by itself
(retriever.py) or how legs are searched. Pure. Called by retriever.py and evals.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from retrieval.analysis import Intent
from retrieval.index import Hits
from retrieval.leaning import MIN_WORDS
from retrieval.movie import Query
from retrieval.search_terms import BOOSTS

Kind = Intent | Literal["described"]
Times = Mapping[str, float]
"""{text field or leg: times what it usually counts}; what is not named counts as usual."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one kind of request changes."""

    fields: Times = field(default_factory=dict)
    """Of the text leg, before the search."""
    legs: Times = field(default_factory=dict)
    """After it."""
    agreed: Times = field(default_factory=dict)
    """After it, where the legs of words found the same films."""

    def boosts(self) -> Mapping[str, float]:
        """What a word counts in each text field."""
        return {name: b * self.fields.get(name, 1.0) for name, b in BOOSTS.items()}

    def weights(self, usual: Mapping[str, float], hits: Sequence[Hits]) -> Mapping[str, float]:
        """What each leg weighs now that all have answered.

        Args: usual: what they weigh where no row applies.
        """
        times = {**self.legs, **(self.agreed if self.agreed and _agree(hits) else {})}
        return {leg: weight * times.get(leg, 1.0) for leg, weight in usual.items()}


NEUTRAL = Row()
PLAN: Mapping[Kind, Row] = {
    # What is asked for binds already; the tag leg then repeats the order by fame.
    "genre_preference": Row(legs={"tags": 0.5}),
    "mood_based": Row(legs={"tags": 0.5}),
    "descriptive_features": Row(agreed={"text": 3.0, "dense": 2.0}),
    "temporal_context": NEUTRAL,
    "similarity_based": NEUTRAL,
    # One film, told at length, with its name forgotten: a word of the story is seldom of the title.
    "described": Row(fields={"title": 0.5, "body": 1.5}),
}
"""Set by hand, from one small grid for each cell, on 398 archetype requests that name no film (each
without its own list) and 317 ReDial dev turns that name none. On the same, which were looked at,
through `Retriever.retrieve`: of the films listed, among the first ten .376 -> .387 [+.006, +.016],
among fifty .414 -> .421; of the turns, counts and enhancer out of fold, R@10 .247 -> .258 [-.004,
+.025], R@50 .442 -> .451 [-.004, +.025]. Five-fold cross-validation of such cells picked much the
same ones, though bolder; held out they gained .010 [.004, .015] among the first ten of the requests
and .015 [.002, .029] of R@10 on the turns, and lost .010 [.001, .023] of R@50 there.
`described` was chosen on tomt_dev_1000: hit@10 .189 -> .194, at 50 .321 -> .329. On 65 posts of
trec_tot_train, which nobody had looked at: .108 -> .123, .215 -> .246. Of our own 200 descriptions,
on the starter: first .615 -> .660 [+.015, +.080], among ten .975 -> .980.

What is not in the table gained nothing there. Fields by intent: body, tags and people at half to
twice their boost moved R@10 by .002 at most. Depth: 100 hits a leg lose .013 of R@50 on those
turns, 400 gain .002; with films named, 400 gain .003 of R@50. Weights where films are named: no leg
at half or double gained more than .004 of R@10. Fame at half for everybody: +.016 of the first ten
on the requests, but R@50 -.029 on the turns.
"""
SURE = 0.5
"""Probability from which an intent's row applies; an intent less likely changes nothing."""
AMONG, AGREED = 20, 3
"""The legs of words agree where they share so many of their first so many films: then they know
what is meant."""
WORDS = ("text", "dense")


def row_of(
    query: Query, has_seeds: bool, intents: Mapping[Intent, float], plan: Mapping[Kind, Row]
) -> Row:
    """The row of one request: of several intents together, all that their rows say.

    Neutral where films stand behind the request or a model proposed some: a ranker weighs the legs
    there, or a weight that was chosen beside the usual ones. So it is where no enhancer was sure.
    """
    if query.known_item:
        told = len(query.text.split()) >= MIN_WORDS  # what is shorter may be a name that was typed
        return plan.get("described", NEUTRAL) if told else NEUTRAL
    if has_seeds or query.proposals:
        return NEUTRAL
    rows = [plan[intent] for intent, p in intents.items() if p >= SURE and intent in plan]
    return Row(
        {name: times for row in rows for name, times in row.fields.items()},
        {leg: times for row in rows for leg, times in row.legs.items()},
        {leg: times for row in rows for leg, times in row.agreed.items()},
    )


def _agree(hits: Sequence[Hits]) -> bool:
    first = [set(found.movie_ids[:AMONG]) for found in hits if found.leg in WORDS]
    return len(first) == len(WORDS) and len(set.intersection(*first)) >= AGREED
