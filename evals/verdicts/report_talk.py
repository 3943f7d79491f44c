"""A dialogue as HTML: what was said and shown, and beside each turn what was found wrong with it.

Knows how evidence is pointed out and that every text is escaped: what users and catalogues wrote is
shown, never interpreted. Does not know which dialogues are shown (summary.py). Pure. Called by
report_page.py.
"""

import re
from collections.abc import Sequence
from html import escape

from evals.dialogues.scores import Score
from evals.dialogues.summary import Bad
from evals.dialogues.transcript import PlayedTurn, Shown

_QUOTED = re.compile(r"'([^']{2,})'|\"([^\"]{2,})\"|“([^”]{2,})”")
CHIPS = 8
"""Names of scorers on a closed dialogue."""


def talk(bad: Bad, place: int, is_open: bool) -> str:
    """One dialogue to unfold."""
    one = bad.transcript
    chips = [_chip(score) for score in bad.scores[:CHIPS]]
    if len(bad.scores) > CHIPS:
        chips.append(f'<span class="chip">+{len(bad.scores) - CHIPS}</span>')
    trial = f" trial {one.trial}" if one.trial else ""
    name = f"{one.scenario_id or one.dialogue_id}{trial}"
    whole = _spots(bad.scores, 0)
    turns = "".join(_turn(t, number, bad.scores) for number, t in enumerate(one.turns, 1))
    return (
        f'<details class="talk"{" open" if is_open else ""}><summary>'
        f'<span class="rank">{place}</span><span class="id">{escape(name)}</span>'
        f"{''.join(chips)}</summary>"
        f'<div class="turns">{whole}{turns}</div></details>'
    )


def _chip(score: Score) -> str:
    value = "" if score.value is None else f" {score.value:.3g}"
    kind = "chip broken" if score.falls else "chip"
    return f'<span class="{kind}">{escape(score.scorer)}{value}</span>'


def _turn(turn: PlayedTurn, number: int, scores: Sequence[Score]) -> str:
    details = [s.detail for score in scores for s in score.evidence if s.turn == number]
    phrases = _phrases(details)
    answer = [marked(turn.prose, phrases)] if turn.prose else []
    if turn.question:
        options = " · ".join(escape(option.label) for option in turn.question.options)
        asked = f'<span class="question">{marked(turn.question.question, phrases)}</span>'
        answer.append(f'{asked}<br><span class="meta">{options}</span>' if options else asked)
    if turn.error:
        told = escape(f"{turn.error.code}: {turn.error.message}")
        answer.append(f'<span class="meta">{told}</span>')
    films = "".join(_film(card, details, phrases) for card in turn.cards)
    shown = f'<ul class="films">{films}</ul>' if films else ""
    said = f'<div class="said agent">{"<br>".join(answer)}</div>' if answer else ""
    return (
        f'<div class="turn"><div><div class="said user">{marked(turn.user, phrases)}</div>'
        f'{said}{shown}<div class="meta">{escape(_meta(turn, number))}</div></div>'
        f"<div>{_spots(scores, number)}</div></div>"
    )


def _film(card: Shown, details: Sequence[str], phrases: Sequence[str]) -> str:
    named = any(card.title in d or (card.movie_id and card.movie_id in d) for d in details)
    year = f" ({card.year})" if card.year else ""
    why = f"<small>{marked('; '.join(card.why), phrases)}</small>" if card.why else ""
    kind = ' class="found"' if named else ""
    return f"<li{kind}>{escape(card.title)}{year}{why}</li>"


def _meta(turn: PlayedTurn, number: int) -> str:
    parts = [f"turn {number}", *(turn.acts or ())]
    if turn.status not in (None, "completed"):
        parts.append(str(turn.status))
    if turn.total_ms is not None:
        parts.append(f"{turn.total_ms:.0f} ms")
    ledger = [entry.label for entry in turn.ledger or ()]
    return " · ".join([*parts, *([f"ledger: {', '.join(ledger)}"] if ledger else [])])


def _spots(scores: Sequence[Score], number: int) -> str:
    items = [
        f"<li{' class=broken' if score.falls else ''}><b>{escape(score.scorer)}</b> "
        f"{escape(spot.detail)}</li>"
        for score in scores
        for spot in score.evidence
        if spot.turn == number
    ]
    return f'<ul class="spots">{"".join(items)}</ul>' if items else ""


def _phrases(details: Sequence[str]) -> list[str]:
    """What the evidence quotes, longest first."""
    quoted = {part for d in details for groups in _QUOTED.findall(d) for part in groups if part}
    return sorted(quoted, key=len, reverse=True)


def marked(text: str, phrases: Sequence[str]) -> str:
    """The text, escaped, with every phrase in it marked."""
    if not phrases:
        return escape(text)
    pattern = re.compile("|".join(re.escape(phrase) for phrase in phrases), re.IGNORECASE)
    parts, end = [], 0
    for found in pattern.finditer(text):
        parts.append(f"{escape(text[end : found.start()])}<mark>{escape(found.group())}</mark>")
        end = found.end()
    return "".join(parts) + escape(text[end:])
