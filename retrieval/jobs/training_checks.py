"""What makes training data refused: imbalance, too few films, long texts, splits that overlap.

Knows the limits. Does not know where the data come from. Called by make_training_data.py and
train_enhancer.py before anything is trained.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from retrieval.jobs.make_requests import INTENTS, LabelledRequest
from retrieval.jobs.training_pairs import Pair

MAX_IMBALANCE = 10
MIN_FILMS = 1000
MAX_TOKENS = 500
MIN_REQUESTS = 3000


class TrainingDataRefused(Exception):
    """The data may not be trained on; the message names what is wrong."""


def check_requests(
    splits: Mapping[str, Sequence[LabelledRequest]], length: Callable[[str], int]
) -> None:
    """{split: its requests}. Raises: TrainingDataRefused."""
    every = [one for requests in splits.values() for one in requests]
    if len(splits.get("train", ())) < MIN_REQUESTS:
        raise TrainingDataRefused(f"fewer than {MIN_REQUESTS:,} requests to train on")
    _check_balance({i: sum(i in one.intents for one in every) for i in INTENTS}, "intents")
    _check_texts([one.text for one in every], length)
    _check_apart({name: [one.text for one in made] for name, made in splits.items()})


def check_pairs(splits: Mapping[str, Sequence[Pair]], length: Callable[[str], int]) -> None:
    """{split: its pairs}; groups must not be divided. Raises: TrainingDataRefused."""
    every = [pair for pairs in splits.values() for pair in pairs]
    films = {film for pair in every for film in pair.films}
    if len(films) < MIN_FILMS:
        raise TrainingDataRefused(f"answers are {len(films):,} films, fewer than {MIN_FILMS:,}")
    _check_balance(Counter(pair.source for pair in every), "sources")
    _check_texts([pair.text for pair in every], length)
    seen: dict[str, str] = {}
    for name, pairs in splits.items():
        for pair in pairs:
            if seen.setdefault(pair.group, name) != name:
                raise TrainingDataRefused(f"{pair.group!r} is in {seen[pair.group]} and in {name}")


def _check_balance(counts: Mapping[str, int], what: str) -> None:
    if max(counts.values()) > MAX_IMBALANCE * min(counts.values()):
        raise TrainingDataRefused(f"more than {MAX_IMBALANCE} : 1 between {what}: {dict(counts)}")


def _check_texts(texts: Sequence[str], length: Callable[[str], int]) -> None:
    for text in texts:
        # Every token has a character: most texts need no tokenizer to be short enough.
        if len(text) > MAX_TOKENS and length(text) > MAX_TOKENS:
            raise TrainingDataRefused(f"more than {MAX_TOKENS} tokens: {text[:60]!r}...")


def _check_apart(splits: Mapping[str, Sequence[str]]) -> None:
    seen: dict[str, str] = {}
    for name, texts in splits.items():
        for text in texts:
            key = " ".join(re.findall(r"\w+", text.lower()))
            if seen.setdefault(key, name) != name:
                raise TrainingDataRefused(f"{text!r} is in {seen[key]} and in {name}")
