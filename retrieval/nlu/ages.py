"""How old a child is that a film is for: "7 and 9 years old", "our boy is 6", "second graders".

Knows how people tell ages. Does not know who watches nor what a child may see (audience.py). Pure;
called by quantities.py only.
"""

import re

from retrieval.nlu.spans import NUMBER_WORDS, Span

ADULT = 18
"""Age from which nobody is kept from any film."""
_AGES = r"\d{1,2}(?:(?:, and|,| and| &| or| to|-|–) ?\d{1,2})*"
_AGE = re.compile(
    rf"\b{_AGES}[ -]?(?:years?|yrs?|yo)\b[ -]?olds?\b|\b\d{{1,2}} ?yo\b|\bage[ds]? (?:from )?{_AGES}\b"
    rf"|\b(?:i'm|i am|he's|he is|she's|she is|they're|they are|who is|kids are|children are) {_AGES}(?=$|[.,;!?]| and\b| so\b)"
)
_IN_A_STORY = re.compile(r"\b(?:about|where|in which|starring) (?:an? |the |two |some )?$")


_TOLD_AGES = re.compile(
    rf"\b(?:nephews|nieces|kids|children|sons|daughters|boys|girls|grandkids),? (?:are |aged? )?({_AGES})(?=$|[.,;!?]| and\b| so\b)"
)
_ONES_AGE = re.compile(
    rf"\b(?:my|our|the|her|his|their) (?:\w+ )?(?:boy|girl|kid|child|son|daughter|nephew|niece|grandson|granddaughter|youngest|oldest|eldest|toddler|little one)"
    rf"(?:'s| is| of| aged?| who is| turns| turned|,)+ (?:just |only |about )?({_AGES})(?=$|[.,;!?]| and\b| so\b| years?\b)"
)
_AGE_WORD = re.compile(
    rf"\b({'|'.join(w for w, n in NUMBER_WORDS.items() if n > 1)})[- ]years?[- ]olds?\b"
)
_TOLD_WORD = re.compile(
    rf"\b(?:he's|he is|she's|she is|they're|they are|who is|who are) "
    rf"({'|'.join(w for w, n in NUMBER_WORDS.items() if n > 2)})(?=\W*$|[.,;!?]| and (?:they|he|she|we|want|love|like)\b)"
)
_SCHOOL = re.compile(r"\b(\d)(?:st|nd|rd|th)[- ]grade(?:rs?)?\b")
FIRST_GRADE = 6
"""Years old in the first year of an American school."""


def find_ages(text: str, _newest: int) -> list[Span]:
    """Every age of a child that is told of as somebody's, and not in a story."""
    found = []
    for match in _AGE.finditer(text):
        ages = [int(n) for n in re.findall(r"\d{1,2}", match.group(0))]
        if min(ages) >= ADULT or _IN_A_STORY.search(text[: match.start()]):
            continue
        found.append(Span("age", *match.span(), min=min(ages), max=max(ages)))
    for match in [*_TOLD_AGES.finditer(text), *_ONES_AGE.finditer(text)]:
        ages = [int(n) for n in re.findall(r"\d{1,2}", match.group(1))]
        if min(ages) < ADULT:
            found.append(Span("age", *match.span(1), min=min(ages), max=max(ages)))
    for match in [*_AGE_WORD.finditer(text), *_TOLD_WORD.finditer(text)]:
        if not _IN_A_STORY.search(text[: match.start()]):
            age = NUMBER_WORDS[match.group(1)]
            found.append(Span("age", *match.span(), min=age, max=age))
    for match in _SCHOOL.finditer(text):
        age = int(match.group(1)) + FIRST_GRADE - 1
        found.append(Span("age", *match.span(), min=age, max=age))
    return found
