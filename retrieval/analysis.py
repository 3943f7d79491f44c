"""What a request was taken to be after: the query intents, with how sure that is.

Knows the shape only. Does not know who finds it out: the query enhancer does, in
`Retriever.prepare`. Read by the semantic cache and shown by the plain endpoints.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Intent = Literal[
    "genre_preference",
    "mood_based",
    "descriptive_features",
    "temporal_context",
    "similarity_based",
]


@dataclass(frozen=True, slots=True)
class Analysis:
    """The intents of one request."""

    confidence: float | None = None
    """Calibrated probability that `primary_intent` is right."""
    primary_intent: Intent | None = None
    all_intents: Mapping[Intent, float] = field(default_factory=dict)
    """{intent: probability}; they are independent and need not sum to 1."""
    enhanced_score: float | None = None
    """How far the enhanced vector is to be trusted over the plain one, 0-1."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """{word of the message: how much it tells, 0-1}; rejected words weigh little."""
