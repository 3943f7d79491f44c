"""The query enhancer: from the tokens of a request and the films behind it to a better vector.

Knows the artifact (one ONNX file that carries the sha of its encoder and its calibration; the one
that ships lies in enhancers/minilm/ with a manifest and a model card), and what its outputs mean.
Does not know how it was trained (jobs/train_enhancer.py), indexes or users. Synchronous CPU work.
Called by retriever.py; infra/wiring.py loads it. Without it, queries keep their plain vectors.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as onnx_errors
from pydantic import BaseModel, ConfigDict, ValidationError

from retrieval.analysis import Analysis, Intent
from retrieval.encoder import EncoderIdentity, FloatArray, TokenStates, onnx_session
from retrieval.enhancer_input import Backing, Tokens, tokens_of

FOLDER = Path(__file__).parent / "enhancers" / "minilm"
MODEL, MANIFEST = "enhancer.onnx", "manifest.json"
INTENTS: tuple[Intent, ...] = (
    "genre_preference",
    "mood_based",
    "descriptive_features",
    "temporal_context",
    "similarity_based",
)
"""In the order of the network's outputs."""
FLOOR = 0.3
"""No intent is called primary when all are less likely than this."""
HEARD = 0.5
"""Weight from which a word is shown as heard."""
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_UNREADABLE = (
    *(onnx_errors.InvalidProtobuf, onnx_errors.InvalidGraph, onnx_errors.InvalidArgument),
    *(onnx_errors.Fail, onnx_errors.NotImplemented, RuntimeError),
)
"""What ONNX Runtime says of a file that is no model."""
OUTPUTS = ["vector", "trust", "intents", "weights"]


class EnhancerRefused(Exception):
    """There is no enhancer that may be used; the message says why, and what to do."""


class Calibration(BaseModel):
    """From what the network says to probabilities; fitted on requests held out of training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scale: tuple[float, ...]
    shift: tuple[float, ...]
    """Per intent: probability = sigmoid(scale * logit + shift)."""
    primary: tuple[float, ...]
    confidence: tuple[float, ...]
    """Points of a rising curve: probability of the primary intent, how often it was right."""


class Manifest(BaseModel):
    """`manifest.json` beside the artifact that ships."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    encoder_sha: str
    licence: str
    files: Mapping[str, str]
    """File name to SHA-256."""


@dataclass(frozen=True, slots=True)
class Enhanced:
    """One request as the enhancer sees it."""

    vector: FloatArray
    """(d,), L2-normalised."""
    trust: float
    """How far the step away from the plain vector was trusted, 0-1."""
    intents: Mapping[Intent, float]
    """{intent: probability} of the words alone, whatever films stand behind them."""


class Enhancer:
    """One artifact, loaded. Safe to call from several threads."""

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        sha: str,
        calibration: Calibration,
        dialogues: frozenset[str],
    ) -> None:
        self.sha = sha
        """First 16 hex digits of the SHA-256 of the file."""
        self.dialogues = dialogues
        """Prefixes (comention.py) of every dialogue that it learned from."""
        self._session = session
        self._calibration = calibration

    @classmethod
    def shipped(cls, encoder: EncoderIdentity, folder: Path | None = None) -> "Enhancer":
        """The artifact of a folder with a manifest. Raises: EnhancerRefused."""
        folder = folder or FOLDER
        remedy = f"restore {folder}: git checkout -- {folder}, or install usher again"
        try:
            manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
            found = hashlib.sha256((folder / MODEL).read_bytes()).hexdigest()
        except (OSError, ValidationError) as error:
            reason = getattr(error, "strerror", None) or "its manifest cannot be read"
            raise EnhancerRefused(f"no query enhancer in {folder} ({reason}); {remedy}") from None
        if found != manifest.files.get(MODEL):
            raise EnhancerRefused(f"{folder / MODEL} is not the file of its manifest; {remedy}")
        return cls.load(folder / MODEL, encoder)

    @classmethod
    def load(cls, file: Path, encoder: EncoderIdentity) -> "Enhancer":
        """One file, for the encoder it was trained with. Raises: EnhancerRefused."""
        try:
            content = file.read_bytes()
            session = onnx_session(content)
            about: Mapping[str, str] = session.get_modelmeta().custom_metadata_map
            calibration = Calibration.model_validate_json(about["calibration"])
        except (OSError, KeyError, ValueError, *_UNREADABLE) as error:
            raise EnhancerRefused(f"{file} is no query enhancer ({type(error).__name__})") from None
        if about.get("encoder") != encoder.sha:
            raise EnhancerRefused(
                f"the query enhancer was trained for encoder {about.get('encoder')}, this one is "
                f"{encoder.sha}: queries keep their plain vectors"
            )
        sha = hashlib.sha256(content).hexdigest()[:16]
        return cls(session, sha, calibration, frozenset(about.get("dialogues", "").split()))

    def enhance(self, states: TokenStates, backing: Backing) -> Enhanced:
        """The vector of a request with the films behind it."""
        vector, trust, logits, _ = self._run(tokens_of(states, backing))
        return Enhanced(vector, float(trust), self._likely(logits))

    def read(self, states: TokenStates, text: str) -> Analysis:
        """What one message is after: intents, confidence, the words that tell most."""
        tokens = tokens_of(states, Backing())
        _, _, logits, weights = self._run(tokens)
        given, intents = self._calibration, self._likely(logits)
        best = max(INTENTS, key=lambda name: intents[name])
        confidence = float(np.interp(intents[best], given.primary, given.confidence))
        return Analysis(
            confidence=round(confidence, 4) if intents[best] >= FLOOR else None,
            primary_intent=best if intents[best] >= FLOOR else None,
            all_intents=intents,
            weights=word_weights(text, tokens.char_offsets, weights),
        )

    def _likely(self, logits: FloatArray) -> dict[Intent, float]:
        given = self._calibration
        chances = _sigmoid(np.asarray(given.scale) * logits + np.asarray(given.shift))
        return {name: round(float(p), 4) for name, p in zip(INTENTS, chances, strict=True)}

    def _run(self, tokens: Tokens) -> list[FloatArray]:
        feed = {
            "tokens": tokens.vectors,
            "kinds": tokens.kinds,
            "places": tokens.places,
            "plain": tokens.plain,
        }
        outputs: list[FloatArray] = self._session.run(OUTPUTS, feed)
        return outputs


def word_weights(
    text: str, offsets: Sequence[tuple[int, int]], weights: FloatArray
) -> dict[str, float]:
    """{word: weight}: of each word as typed, that of its heaviest piece."""
    found: dict[str, float] = {}
    for word in _WORD.finditer(text):
        start, end = word.span()
        inside = [w for (a, b), w in zip(offsets, weights, strict=True) if a < end and start < b]
        if inside:
            found[word.group()] = round(max(found.get(word.group(), 0.0), float(max(inside))), 4)
    return found


def heard(analysis: Analysis) -> list[str]:
    """The words that weigh, heaviest first: "what I heard"."""
    told = [word for word, weight in analysis.weights.items() if weight >= HEARD]
    return sorted(told, key=lambda word: -analysis.weights[word])


def _sigmoid(x: npt.NDArray[np.float64]) -> FloatArray:
    return np.asarray(1.0 / (1.0 + np.exp(-x)), dtype=np.float32)
