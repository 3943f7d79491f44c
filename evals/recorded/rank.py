"""The measuring door: recorded conversations through the agent's own understanding and retriever.

Knows the protocol: what is excluded, which dialogues may have been counted, which rows stand beside
each other. Does not know formats (rank_input.py), how figures are made (rank_figures.py) or how
knowledge is replaced (worlds.py). Called by `python -m evals rank` and by figures.py.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent.replay import replay
from evals.recorded.models import Models
from evals.recorded.rank_input import Case, InputProblem, read_dialogues
from evals.recorded.ranking import ranks_of
from evals.recorded.worlds import (
    World,
    counted_in,
    counts_without,
    folds_of,
    leaked,
    recounted_world,
    shipped_world,
)
from infra.wiring import Services
from retrieval.grounding import ground
from retrieval.knowledge import CoMention
from retrieval.movie import Query, holds, is_excluded_by
from retrieval.retriever import Retriever, RetrieverSettings

FULL = "full"
FIXED = "full, fixed weights"
"""Everything but what was learned."""
OFFLINE, PROPOSALS = "full without proposals", "proposals"
AS_WRITTEN = "proposals as written"
"""Grounded, and nothing else: also those that the agent's own conditions rule out."""
ROWS = (FULL, "popularity", "lexical", "dense", "neighbours")
"""Reported in one run, so that the whole is seen beside its parts."""
LEGS: Mapping[str, tuple[str, ...]] = {
    "lexical": ("text",),
    "dense": ("dense", "dense_seeds"),
    **{leg: (leg,) for leg in ("neighbours", "comention", "archetypes", "mentions", "popular")},
    **{leg: (leg,) for leg in ("tags", "dense_seeds", PROPOSALS)},
}
"""{row: the legs it consists of}; `popularity` is chosen by what is known, see `settings_of`."""


@dataclass(frozen=True)
class Protocol:
    """How one run measures; `describe` goes into every table made from it."""

    k: int = 200
    candidates: frozenset[str] | None = None
    counts_from: Path | None = None
    folds: int = 5
    seed: int = 0
    in_sample: bool = False
    models: Models | None = None
    """Without them learned parts are off: what ships has seen the development dialogues."""
    rows: tuple[str, ...] = ROWS

    def describe(self) -> str:
        """One line: everything that changes the figures."""
        counted = "counts as shipped"
        if self.counts_from:
            counted = f"counts out of fold ({self.folds} folds of dialogues, seed {self.seed})"
        elif self.in_sample:
            counted = "IN SAMPLE: the shipped counts include these dialogues"
        films = f"{len(self.candidates)} given" if self.candidates is not None else "all"
        right = "positives = the turn's targets, those mentioned before counted apart"
        learned = "models out of fold" if self.models else "no learned parts (no --models)"
        rest = f"candidates = {films}, {counted}, {learned}"
        return f"micro recall, {right}, mentioned films removed, {rest}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one turn."""

    movie_ids: tuple[str, ...]
    scores: tuple[float, ...]
    ranks: Mapping[str, list[int]]
    """{row: the rank of each new target}."""
    heard: frozenset[str]
    """Films that the agent itself understood to be named."""
    barred: tuple[str, ...] = ()
    """For each new target that the agent's own reading rules out: by what ("require genre")."""
    grounded: int = 0
    """How many of the proposed titles are in the catalogue."""


@dataclass
class Run:
    """All turns, answered; `answers` has one for every qid."""

    cases: Sequence[Case]
    protocol: Protocol
    answers: dict[str, Answer] = field(default_factory=dict)
    candidates: frozenset[str] = frozenset()
    """Every film that could have been ranked."""
    seconds: float = 0.0


Report = Callable[[int, int], None]
"""Called with (turns answered, turns in all)."""


async def run_rank(
    cases: Sequence[Case], protocol: Protocol, services: Services, report: Report
) -> Run:
    """Answer every turn. Raises: InputProblem."""
    await check_leaks(cases, protocol, services)
    run, started = Run(cases, protocol), time.monotonic()
    for counts, group in groups(cases, protocol):
        world = await (recounted_world(services, counts) if counts else shipped_world(services))
        if protocol.models:
            world = protocol.models.into(world, group[0].dialogue_id)
        rows = _rows(protocol, world, any(case.proposals for case in cases))
        for case in group:
            run.answers[case.qid] = await _answer(case, world, rows, protocol)
            report(len(run.answers), len(cases))
    run.candidates = await _candidates(protocol, services)
    run.seconds = time.monotonic() - started
    return run


async def _candidates(protocol: Protocol, services: Services) -> frozenset[str]:
    if protocol.candidates is not None:
        return protocol.candidates
    return frozenset([movie.movie_id async for movie in services.index.scan()])


async def check_leaks(cases: Sequence[Case], protocol: Protocol, services: Services) -> None:
    """No dialogue may be counted into what it is measured with. Raises: InputProblem."""
    if protocol.counts_from or protocol.in_sample:
        return
    counted = await counted_in(services.index)
    if services.enhancer is not None:
        counted |= services.enhancer.dialogues
    seen = leaked([case.dialogue_id for case in cases], counted)
    if seen:
        raise InputProblem(
            f"{len(seen)} of these dialogues (first: {seen[0]}) were counted into the knowledge of "
            "this index, or the query enhancer learned from them: "
            "give --counts-from FILE to count without them, or --in-sample to accept it"
        )


def groups(
    cases: Sequence[Case], protocol: Protocol, unseen: Collection[int] = ()
) -> Iterator[tuple[CoMention | None, list[Case]]]:
    """The cases with the counts that they may be answered with; None means as shipped.

    Args: unseen: folds that no counts may know, and whose own cases are left out.
    """
    if protocol.counts_from is None:
        yield None, list(cases)
        return
    dialogues = read_dialogues(protocol.counts_from)
    of = folds_of(list(dialogues), protocol.folds, protocol.seed)
    if protocol.models:
        protocol.models.check(of)
    for fold in [*range(protocol.folds), None]:
        # A dialogue that was not counted at all belongs to no fold: all counts are fair to it.
        group = [case for case in cases if of.get(case.dialogue_id) == fold]
        if group and fold not in unseen:
            own = () if fold is None else (fold,)
            yield counts_without({*unseen, *own}, of, dialogues), group


# --- rows -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Row:
    name: str
    retriever: Retriever
    shape: Callable[[Query], Query]
    """What this row does to the query of the turn."""


def settings_of(name: str, world: World) -> RetrieverSettings:
    """The weights of a row. Raises: InputProblem for a row that there is not."""
    if name in (FULL, OFFLINE):
        return RetrieverSettings(ranker=world.ranker)
    if name == FIXED:
        return RetrieverSettings()
    if name == "popularity":
        # How often people name a film predicts better than a catalogue's own popularity.
        return RetrieverSettings.only("mentions" if world.knowledge.mentions else "popular")
    if name in LEGS:
        return RetrieverSettings.only(*LEGS[name])
    raise InputProblem(
        f"no row {name!r}: choose from {', '.join((FULL, FIXED, 'popularity', *LEGS))}"
    )


def _rows(protocol: Protocol, world: World, proposed: bool) -> list[_Row]:
    extra = (OFFLINE, PROPOSALS) if proposed else ()
    learned = (FIXED,) if protocol.models else ()
    names = dict.fromkeys((*protocol.rows, *learned, *extra))
    return [_Row(name, world.retriever(settings_of(name, world)), _shape(name)) for name in names]


def _shape(row: str) -> Callable[[Query], Query]:
    if row in (FULL, OFFLINE):
        return lambda query: query
    # "What was that film where ..." silences most legs; a leg on its own always has its say.
    return lambda query: replace(query, known_item=False)


async def _answer(case: Case, world: World, rows: Sequence[_Row], protocol: Protocol) -> Answer:
    mentioned = sorted(case.mentioned)
    alone = await replay(case.turns, world.toolbox, mentioned)
    helped = alone
    if case.proposals:
        helped = await replay(case.turns, world.toolbox, mentioned, proposed=True)
    proposed = ground(case.proposals, await world.toolbox.lexicon())
    query = replace(_among(helped.query, protocol), proposals=proposed.movie_ids)
    offline = _among(alone.query, protocol)
    ranks: dict[str, list[int]] = {}
    first: list[tuple[str, float]] = []
    for row in rows:
        asked = offline if row.name == OFFLINE else row.shape(query)
        found = await row.retriever.retrieve(asked, k=protocol.k)
        ranked = [(c.movie.movie_id, c.score) for c in found.candidates]
        first = first if ranks else ranked
        ranks[row.name] = ranks_of(case.new_targets, [movie_id for movie_id, _ in ranked])
    if case.proposals:
        unseen = [m for m in proposed.movie_ids if m not in case.mentioned]
        ranks[AS_WRITTEN] = ranks_of(case.new_targets, unseen)
    return Answer(
        movie_ids=tuple(movie_id for movie_id, _ in first),
        scores=tuple(round(score, 6) for _, score in first),
        ranks=ranks,
        heard=helped.heard,
        barred=await _barred(case, query, world),
        grounded=len(case.proposals) - len(proposed.unknown),
    )


def _among(query: Query, protocol: Protocol) -> Query:
    """The query, over the candidates of the protocol."""
    return replace(query, constraints=replace(query.constraints, only_ids=protocol.candidates))


async def _barred(case: Case, query: Query, world: World) -> tuple[str, ...]:
    """No ranking can win these back: a wish was taken for a condition, or misheard."""
    movies = await world.index.get(case.new_targets)
    bound = query.constraints
    found = []
    for movie_id, movie in movies.items():
        required = [f"require {c.field}" for c in bound.require if not holds(movie, c)]
        excluded = [f"exclude {c.field}" for c in bound.exclude if is_excluded_by(movie, c)]
        named = ["named"] if movie_id in bound.exclude_ids else []
        found += (named + required + excluded)[:1]
    return tuple(found)
