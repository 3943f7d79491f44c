"""Moods, themes and grades guessed from a film's text: linear heads in numpy, bound to an encoder.

Knows the artifact (`taggers/starter/`: heads.npz, manifest.json with checksums), what is sure
enough to be said, and which films are left alone: what a catalogue or a person says always stays.
Does not know indexes. Called by jobs/prepare.py at index build and upsert, and by `usher doctor`;
a served Usher never loads it. `jobs/train_tagger.py` writes the artifact.

What is guessed goes to `Movie.predicted_tags`: it ranks with half weight, reasons say "looks", and
no filter reads it, so a film without a curated grade stays unknown to "not too violent".
"""

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from retrieval.encoder import EncoderIdentity
from retrieval.movie import ATTRIBUTES, Movie, PredictedTag
from retrieval.tag_features import Floats, TagWords, Vocabulary, dense, has_text

FOLDER = Path(__file__).parent / "taggers" / "starter"
HEADS, MANIFEST = "heads.npz", "manifest.json"
FORMAT = 1
STEPS = (1, 2, 3)
"""A grade is three yes/no heads: at least 1, 2, 3."""
Kind = Literal["mood", "theme"]
_REMEDY = "Restore it (git checkout) or train it: python -m retrieval.jobs.train_tagger"


class TaggerUnusable(Exception):
    """There is no tagger for this encoder here; the message says what to do."""


@dataclass(frozen=True)
class Heads:
    """The weights, as trained or as read from the artifact."""

    names: tuple[tuple[Kind, str], ...]
    """The tags; the columns behind them are the grades' heads, `STEPS` for each attribute."""
    definitions: tuple[str, ...]
    named: Floats
    """(2, tags, dimension): unit vectors of "name: definition" and of the name."""
    vocabulary: Vocabulary
    dense: Floats
    """(d, columns)"""
    words: Floats
    """(terms, columns)"""
    bias: Floats

    @cached_property
    def tag_words(self) -> TagWords:
        """Where the tags' own words stand in a film."""
        return TagWords([name for _, name in self.names], self.definitions)

    def scores(self, movies: Sequence[Movie], vectors: Floats) -> Floats:
        """(n, columns): log odds of the first stage."""
        scores = dense(movies, vectors) @ self.dense + self.bias
        for row, movie in enumerate(movies):
            at, values = self.vocabulary.of(movie)
            scores[row] += values @ self.words[at]
        return np.asarray(scores, dtype=np.float32)

    def evidence(self, movies: Sequence[Movie], vectors: Floats, scores: Floats) -> Floats:
        """(n, tags, 7): score, two cosines, three matches, and 1, for the second stage."""
        own = np.stack([self.tag_words.of(movie) for movie in movies])
        cosines = [vectors @ side.T for side in self.named]
        ones = np.ones_like(cosines[0])
        tags = scores[:, : len(self.names)]
        parts = [tags, *cosines, *np.moveaxis(own, 2, 0), ones]
        return np.stack(parts, axis=2).astype(np.float32)


@dataclass(frozen=True)
class Tagger:
    """Heads, how they are weighed together, and from where on a tag is said."""

    heads: Heads
    second: Floats
    """(2, 7): weights of `Heads.evidence`, of moods and of themes."""
    thresholds: Floats
    """(tags,): above 1 for a tag that was never sure enough."""
    grades: Floats
    """(attributes, 2): "little" below the first, "a lot" above the second; -1 and 2 for never."""
    sha: str = ""

    def probabilities(self, movies: Sequence[Movie], vectors: Floats) -> Floats:
        """(n, columns). `vectors` are those of `untagged` films."""
        scores = self.heads.scores(movies, vectors)
        return self.weighed(scores, self.heads.evidence(movies, vectors, scores))

    def weighed(self, scores: Floats, evidence: Floats) -> Floats:
        """(n, columns): probabilities from both stages."""
        which = [int(kind == "theme") for kind, _ in self.heads.names]
        tags = np.einsum("ntc,tc->nt", evidence, self.second[which])
        return sigmoid(np.hstack([tags, scores[:, len(which) :]]))

    def tag(self, movies: Sequence[Movie], vectors: Floats) -> list[Movie]:
        """The films with what is guessed of them; fields that have a value get no guess."""
        if not movies:
            return []
        found = self.probabilities(movies, vectors)
        return [
            replace(movie, predicted_tags=self._said(movie, row)) if has_text(movie) else movie
            for movie, row in zip(movies, found, strict=True)
        ]

    def _said(self, movie: Movie, row: Floats) -> tuple[PredictedTag, ...]:
        known = {"mood": bool(movie.moods), "theme": bool(movie.themes)}
        sure = np.flatnonzero(row[: len(self.thresholds)] >= self.thresholds).tolist()
        named = [(*self.heads.names[at], _short(row[at])) for at in sure]
        tags = [PredictedTag(kind, name, p) for kind, name, p in named if not known[kind]]
        if movie.attributes:
            return tuple(tags)
        steps = row[len(self.heads.names) :].reshape(len(ATTRIBUTES), len(STEPS)).tolist()
        limits = self.grades.tolist()
        for attribute, odds, (low, high) in zip(ATTRIBUTES, steps, limits, strict=True):
            lot = odds[1]
            if lot >= high:
                tags.append(PredictedTag("attribute", attribute, _short(lot), grade_of(odds, 2, 3)))
            elif lot <= low:
                p = _short(1 - lot)
                tags.append(PredictedTag("attribute", attribute, p, grade_of(odds, 0, 1)))
        return tuple(tags)


def grade_of(odds: Sequence[float], least: int = 0, most: int = 3) -> int:
    """The grade from the probabilities of at least 1, 2 and 3."""
    return min(max(round(sum(odds)), least), most)


def wants_guess(movie: Movie) -> bool:
    """Whether anything is missing that could be guessed; a catalogue's own guesses stay."""
    complete = movie.moods and movie.themes and movie.attributes
    return has_text(movie) and not complete and not movie.predicted_tags


def sigmoid(scores: Floats) -> Floats:
    """Log odds as probabilities."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(scores, -30, 30))), dtype=np.float32)


def _short(p: float) -> float:
    return round(float(p), 3)


# --- the artifact ---------------------------------------------------------------------------------


def save(tagger: Tagger, folder: Path, about: dict[str, Any]) -> None:
    """Write heads.npz (words as int8) and manifest.json; `about` names the encoder and figures."""
    heads = tagger.heads
    scale = np.maximum(np.abs(heads.words).max(axis=0), 1e-9) / 127
    terms = sorted(heads.vocabulary.place, key=heads.vocabulary.place.__getitem__)
    head = {"names": heads.names, "definitions": heads.definitions, "terms": terms}
    out = io.BytesIO()
    np.savez_compressed(
        out,
        head=np.frombuffer(json.dumps(head).encode(), dtype=np.uint8),
        named=heads.named.astype(np.float16),
        rarity=heads.vocabulary.rarity.astype(np.float16),
        dense=heads.dense.astype(np.float16),
        words=np.round(heads.words / scale).astype(np.int8),
        scale=scale.astype(np.float32),
        bias=heads.bias.astype(np.float32),
        second=tagger.second.astype(np.float32),
        thresholds=tagger.thresholds.astype(np.float32),
        grades=tagger.grades.astype(np.float32),
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / HEADS).write_bytes(out.getvalue())
    sha = hashlib.sha256(out.getvalue()).hexdigest()
    manifest = {"format": FORMAT, "sha256": sha, **about}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def load(encoder: EncoderIdentity, folder: Path = FOLDER) -> Tagger:
    """Raises: TaggerUnusable: missing, damaged, or trained for another encoder."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        content = (folder / HEADS).read_bytes()
    except (OSError, ValueError) as error:
        raise TaggerUnusable(f"no tagger in {folder} ({error}). {_REMEDY}") from None
    if hashlib.sha256(content).hexdigest() != manifest.get("sha256"):
        raise TaggerUnusable(f"{folder / HEADS} is not the file of its manifest. {_REMEDY}")
    if manifest.get("format") != FORMAT:
        raise TaggerUnusable(f"{folder} is of format {manifest.get('format')}. {_REMEDY}")
    if manifest.get("encoder_sha") != encoder.sha:
        raise TaggerUnusable(
            f"the tagger was trained for the encoder {manifest.get('encoder_sha')}, not for "
            f"{encoder.name} ({encoder.sha}): films get no predicted tags"
        )
    return _read(content, manifest["sha256"])


def _read(content: bytes, sha: str) -> Tagger:
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    head = json.loads(arrays["head"].tobytes())
    wide = {name: a.astype(np.float32) for name, a in arrays.items() if name != "head"}
    places = {term: at for at, term in enumerate(head["terms"])}
    heads = Heads(
        names=tuple((cast(Kind, kind), name) for kind, name in head["names"]),
        definitions=tuple(head["definitions"]),
        named=wide["named"],
        vocabulary=Vocabulary(places, wide["rarity"]),
        dense=wide["dense"],
        words=wide["words"] * wide["scale"],
        bias=wide["bias"],
    )
    return Tagger(heads, wide["second"], wide["thresholds"], wide["grades"], sha)
