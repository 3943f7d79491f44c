"""The steps of a turn but the search: understand, decide, respond. The nodes of graph.py.

Knows what each step reads and adds. Does not know how a list is found (searching.py), LangGraph
(graph.py), stores or surfaces: it emits events through the sink it is given. Plain async functions,
so that a test can run them one by one.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

from agent import respond
from agent.decision import Decision, DecisionContext
from agent.events import Clarify, LedgerChanged, Status, Suggestions, TextDelta
from agent.inform import furthest
from agent.ledger import Ledger, movie_id_of
from agent.letting_go import let_go
from agent.speak import speak
from agent.state import Deps, TurnState, elapsed_ms
from agent.turn import DialogueState, Shown
from retrieval.movie import RangeField, fold, number_of, stems
from retrieval.understand import Context, understand

LITTLE_KNOWN = 100.0
"""Prior (lexicon.prior) of a film below which a bare name may well mean one that is missing."""


async def understand_step(state: TurnState, deps: Deps) -> TurnState:
    """Read the message against the catalogue's names and what was shown."""
    deps.emit(Status, phase="understanding")
    started = deps.clock()
    before = state["before"]
    tables = await deps.toolbox.catalogue.tables()
    wanted = [*before.last_shown, *([before.in_focus] if before.in_focus else [])]
    wanted += [m for e in before.ledger.entries if (m := movie_id_of(e))]
    movies = await deps.toolbox.movies(wanted)
    shown = tuple(movies[m] for m in before.last_shown if m in movies)
    focus = movies.get(before.in_focus or "") or (shown[0] if shown else None)
    said = state.get("history", ())
    context = Context(shown, focus, said[-1][0] if said else "")
    heard = understand(state["turn"].message, tables.lexicon, context)
    named = [m.movie_id for m in heard.mentions] + [u.movie_id for u in heard.unsure]
    taste = await deps.toolbox.taste(state["turn"].principal)
    named += taste.likes if heard.about_me else ()
    movies |= await deps.toolbox.movies([m for m in named if m not in movies])
    return {
        "tables": tables,
        "movies": movies,
        "understanding": heard,
        "taste": taste,
        "timings": {"understand": elapsed_ms(deps, started)},
    }


async def decide_step(state: TurnState, deps: Deps) -> TurnState:
    """Decide the acts and bring the ledger up to date."""
    started = deps.clock()
    turn, before = state["turn"], state["before"]
    decision = await deps.decider.decide(
        DecisionContext(
            turn.message,
            state["understanding"],
            before,
            state["movies"],
            tuple(turn.edits),
            state.get("history", ()),
            state["tables"].lexicon,
            deps.model,
        )
    )
    ledger, changes = before.ledger.apply(decision.edits, state["turn_id"])
    trial: TurnState = {**state, "decision": decision, "ledger": ledger, "changes": changes}
    ledger, gone = await let_go(trial, deps)
    if ledger.entries == before.ledger.entries:
        ledger = before.ledger  # what came was let go again: nothing to show or to undo
    labels = '", "'.join(entry.label for entry in gone)
    notes = [deps.phrases.say("relaxed", len(gone), label=labels)] if gone else []
    decision = _without_stale_words(decision, before, ledger)
    notes += [deps.phrases.say("unknown_name", title=n) for n in state["understanding"].unknown]
    notes += [deps.phrases.say("untold", what=w) for w in state["understanding"].untold]
    notes += [*_unmeasured(state, deps), *_little_known(state, deps)]
    phase = "searching" if decision.search else "answering"
    deps.emit(Status, phase=phase, acts=list(decision.acts))
    if ledger.version != before.ledger.version:
        views = [entry.view() for entry in ledger.entries]
        deps.emit(LedgerChanged, version=ledger.version, entries=views)
    held = [m for e in ledger.entries if (m := movie_id_of(e)) and m not in state["movies"]]
    return {
        "decision": decision,
        "ledger": ledger,
        "movies": {**state["movies"], **await deps.toolbox.movies(held)},
        "changes": [c for c in changes if c.what != "added" or c.entry in ledger.entries],
        "cards": [],
        "notes": notes,
        "clarify": decision.clarify,
        "gone": gone,
        "timings": state["timings"] | {"decide": elapsed_ms(deps, started)},
    }


def _without_stale_words(decision: Decision, before: DialogueState, ledger: Ledger) -> Decision:
    """Words of a wish that is no longer held describe nothing: "a comedy", "no, a thriller"."""
    gone = [e for e in before.ledger.entries if e not in ledger.entries]
    stale = {stem for e in gone if isinstance(e.value, str) for stem in stems(e.value)}
    years = any(e.kind == "year" for e in gone)
    search, earlier = decision.search, before.query_text
    if search is None or not (gone and earlier) or not search.text.startswith(earlier):
        return decision
    kept = [
        word
        for word in earlier.split()
        if not stale & set(stems(word)) and not (years and any(c.isdigit() for c in word))
    ]
    text = f"{' '.join(kept)}{search.text[len(earlier) :]}".strip()
    return replace(decision, search=replace(search, text=text))


def _unmeasured(state: TurnState, deps: Deps) -> list[str]:
    """Say which length or year "shorter than X" would need, where X has none."""
    said = []
    for comparison in state["understanding"].comparisons:
        movie = state["movies"].get(comparison.anchor or "")
        what = comparison.what
        if (
            movie
            and what in ("runtime", "year")
            and number_of(movie, cast(RangeField, what)) is None
        ):
            said.append(deps.phrases.say("unknown", field=what, title=movie.title))
    return said


def _little_known(state: TurnState, deps: Deps) -> Iterator[str]:
    """Say which film a name is taken to mean where only one is at hand that few people know.

    Somebody who says "Parasite" hardly means the film of 1982: better known ones may be missing.
    """
    titles = state["tables"].lexicon.titles
    for mention in state["understanding"].mentions:
        said = state["turn"].message[mention.start : mention.end]
        entries = titles.get(fold(said), ())
        little = len(entries) == 1 and entries[0].prior < LITTLE_KNOWN
        if mention.end and little and entries[0].movie_id == mention.movie_id and mention.year:
            yield deps.phrases.say("only_namesake", title=mention.title, year=mention.year)


async def respond_step(state: TurnState, deps: Deps) -> TurnState:
    """Say it: prose on the verified cards, a question if any, chips; then the new state."""
    started = deps.clock()
    if deps.model is not None:
        text = await speak(state, deps, deps.model)
    else:
        text = respond.compose(state, deps.phrases)
        for piece in respond.pieces(text):
            deps.emit(TextDelta, text=piece)
    clarify = state["clarify"]
    if clarify is not None:
        question = respond.question(clarify, deps.phrases, len(state["before"].asked))
        deps.emit(Clarify, question=question, options=list(clarify.options))
    if state.get("chips"):
        deps.emit(Suggestions, chips=state["chips"])
    return {
        "answer": text,
        "after": _after(state),
        "timings": state["timings"] | {"respond": elapsed_ms(deps, started)},
    }


def _after(state: TurnState) -> DialogueState:
    before, decision = state["before"], state["decision"]
    movie_ids = tuple(card.candidate.movie.movie_id for card in state["cards"])
    shown = before.shown
    if movie_ids:
        views = tuple(respond.card_view(card).model_dump(mode="json") for card in state["cards"])
        older = tuple(Shown(s.turn_id, s.movie_ids) for s in before.shown)
        shown = (*older, Shown(state["turn_id"], movie_ids, views))
    clarify = state["clarify"]
    search = decision.search
    text = search.text if search and not search.known_item else before.query_text
    cleared = any(e.op == "clear" for e in decision.edits)
    gone = [(str(entry.kind), str(entry.value)) for entry in state["gone"]]
    return DialogueState(
        ledger=state["ledger"],
        shown=shown,
        query_text="" if cleared else text,
        in_focus=_focus(state, movie_ids),
        asked=(*before.asked, clarify.key) if clarify else before.asked,
        pending=clarify.key if clarify else None,
        let_go=tuple(dict.fromkeys([*(() if cleared else before.let_go), *gone])),
    )


def _focus(state: TurnState, movie_ids: tuple[str, ...]) -> str | None:
    """What "it" will mean next: the movie asked about, else the top of the new list."""
    asked = [m.movie_id for m in state["understanding"].mentions if m.stance == "asked"]
    question = state["understanding"].question
    if asked and question and question.extreme and (movie := furthest(question, state)):
        return movie.movie_id
    if asked:
        return asked[0]
    return movie_ids[0] if movie_ids else state["before"].in_focus
