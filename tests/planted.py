"""A dialogue without a fault, and small ways to make it worse: what the tests of scorers share."""

from collections.abc import Callable
from typing import Any

from evals.dialogues.expected import ClauseForm, Compared, Expected, LedgerLine, Wish
from evals.dialogues.reference import Reference
from evals.dialogues.scores import Score
from evals.dialogues.transcript import Outcome, Transcript
from evals.scorers.all import score_all
from retrieval.movie import Movie, PredictedTag

Json = dict[str, Any]
Plant = Callable[[list[Json]], None]


def film(movie_id: str, title: str, year: int, *genres: str, **fields: Any) -> Movie:
    return Movie(movie_id, title, year=year, genres=genres, kind="movie", **fields)


ABRAHAMS, MARTIN = ("Jim Abrahams",), ("Steve Martin", "Bill Pullman")
REFERENCE = Reference.of(
    [
        film(
            "m1",
            "Airplane!",
            1980,
            "comedy",
            runtime_min=88,
            directors=ABRAHAMS,
            fame=5,
            predicted_tags=(PredictedTag("mood", "whimsical", 0.8),),
        ),
        film(
            "m2",
            "Clue",
            1985,
            "comedy",
            "mystery",
            runtime_min=94,
            cast=MARTIN,
            moods=("cosy", "dark humour"),
        ),
        film("m3", "Saw", 2004, "horror", runtime_min=103),
        film("m4", "Top Secret!", 1984, "comedy", runtime_min=90, directors=ABRAHAMS),
        film("m5", "Police Squad Reunion", 1990, "comedy", directors=ABRAHAMS, fame=1),
        film("m6", "Glass Harbour Nights", 1999, "comedy", runtime_min=80),
        film(
            "m7",
            "Gridiron Pact",
            1987,
            "comedy",
            themes=("american football", "demons and the devil", "submarine and sea"),
            cast=("Will Devil", "G"),
        ),
        film("m8", "The American", 2010, "comedy", themes=("devil worship",), fame=1),
        film("m9x", "The Devil", 1972, "comedy", fame=1),
        film("m10", "The Letter", 1940, "comedy", fame=1),
        film("m11", "G", 2002, "comedy", fame=1),
        film(
            "m12",
            "Dear Clara: A Letter to a Sister About Her Brother and the Sea",
            2008,
            "comedy",
            directors=("Marlo Trent",),
        ),
        film("m13", "Noon Train", 1952, "comedy", directors=("Ann Quill",), fame=5),
        film("m14", "Noon Train", 2008, "comedy", directors=("Ben Oar",), moods=("cosy",)),
        film("m15", "Night Bus", 2010, "comedy", directors=("Ben Oar",), moods=("cosy",)),
        *(film(f"p{n}", f"Pony Club {n}", 1990 + n, "comedy") for n in (1, 2, 3)),
    ],
    revision="r",
)
COMEDY = Wish(clause=ClauseForm(field="genre", values=("comedy",)), since=1)
NO_HORROR = Wish(clause=ClauseForm(field="genre", values=("horror",)), avoid=True, since=1)
FIRST = Expected(
    wishes=(COMEDY, NO_HORROR),
    gone_titles=("Saw (2004)",),
    acts=("search",),
    cards="some",
    asks=False,
    ledger_has=(LedgerLine(kind="genre", value="comedy"),),
)
ANSWER = Expected(acts_any=("inform", "chat"), says=("94",), cards="none")
NEWER = Expected(
    wishes=(COMEDY, NO_HORROR),
    compared=(Compared(what="year", side="more"),),
    ledger_lacks=(LedgerLine(kind="runtime"),),
)
WEATHER = Expected(scope="out", cards="none", never_says=("banana",))
VAGUE = Expected(asks=True)


def card(movie_id: str, *why: str, **changes: Any) -> Json:
    movie = REFERENCE.movies.get(movie_id) or Movie(movie_id, "Nothing")
    fields: Json = {"id": movie_id, "title": movie.title, "year": movie.year}
    return fields | {"why": list(why), "facts": {}} | changes


def entry(kind: str, value: Any, polarity: str = "want", turn: str = "t-1") -> Json:
    view = {"id": f"e-{kind}", "kind": kind, "value": value, "polarity": polarity, "hard": True}
    return view | {"source_turn": turn, "label": kind, "remove_text": kind}


def turn(
    label: Expected, user: str, acts: list[str], *events: Json, status: str = "completed"
) -> Json:
    finished: Json = {"type": "turn.finished", "status": status, "acts": acts}
    finished |= {"degraded": False, "timings": {}, "prompt_shas": {}}
    whole = [{"type": "turn.started", "conversation_id": "c"}, *events, finished]
    turn_id = f"t-{user}"
    numbered = [{**event, "id": n, "turn_id": turn_id} for n, event in enumerate(whole, 1)]
    times = [10.0 * n for n in range(len(numbered))]
    return {"user": user, "events": numbered, "event_ms": times, "expected": label}


def ledger(*entries: Json) -> Json:
    return {"type": "ledger", "version": 1, "entries": list(entries)}


def cards(*of: Json) -> Json:
    return {"type": "recommendations", "cards": list(of)}


def text(said: str) -> Json:
    return {"type": "text.delta", "text": said}


def question(asked: str) -> Json:
    return {"type": "clarify", "question": asked, "options": []}


SEEN = entry("seen", {"movie_id": "m3", "title": "Saw", "year": 2004}, "avoid")
WISH = entry("genre", "comedy")
OPENING = "a comedy, I have seen Saw"
TRUE = (
    "Looks whimsical, going by its story",
    "88 minutes long",
    "Directed by Jim Abrahams",
    "Comedy, as you asked",
)


def good() -> list[Json]:
    return [
        turn(
            FIRST,
            OPENING,
            ["search"],
            ledger(WISH, SEEN),
            cards(card("m1", *TRUE)),
            text("My first choice for tonight is Airplane! (1980), directed by Jim Abrahams."),
        ),
        turn(ANSWER, "how long is Clue?", ["inform"], text("Clue runs 94 minutes.")),
        turn(
            NEWER,
            "something newer",
            ["refine"],
            ledger(WISH, SEEN, entry("year", {"min": 1981}, turn="t-something newer")),
            cards(card("m2"), card("m4", "Shares Jim Abrahams with Airplane!")),
            text("Then I would go for Clue on a rainy evening like this."),
        ),
        turn(
            Expected(undoes=True),
            "undo that",
            ["refine"],
            ledger(WISH, SEEN),
            cards(card("m5")),
            text("Done, as you like it, and here is one more film."),
        ),
        turn(WEATHER, "and the weather?", ["chat"], text("I only know about films, I am afraid.")),
        turn(VAGUE, "hm", ["clarify"], question("Something loud or something quiet?")),
    ]


def scores_of(turns: list[Json], **changes: Any) -> dict[str, Score]:
    outcome = Outcome(accepted_ids=("m5",), accepted_turn=4)
    transcript = Transcript.from_events({"dialogue_id": "s", "turns": turns}, None, outcome)
    transcript = transcript.model_copy(update={"target_ids": ("m5", "m1", "m2"), **changes})
    return {score.scorer: score for score in score_all([transcript], REFERENCE)}


def other(number: int, made: Json) -> Plant:
    def plant(turns: list[Json]) -> None:
        turns[number - 1] = made

    return plant


def said(number: int, words: str) -> Plant:
    """The prose of a turn is something else."""

    def plant(turns: list[Json]) -> None:
        for event in turns[number - 1]["events"]:
            if event["type"] == "text.delta":
                event["text"] = words

    return plant


def because(*why: str) -> Plant:
    def plant(turns: list[Json]) -> None:
        turns[0]["events"][2]["cards"][0]["why"] = list(why)

    return plant


def shows(*movie_ids: str, label: Expected = NEWER) -> Plant:
    """Turn 3 shows these."""
    shown = cards(*(card(movie_id) for movie_id in movie_ids))
    return other(
        3, turn(label, "something newer", ["refine"], shown, text("Well, these it is then."))
    )
