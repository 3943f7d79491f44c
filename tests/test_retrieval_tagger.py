"""The tagger: what it says, of which films, and that nobody mistakes a guess for knowledge."""

import json
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evals.service.index_durability import HashEncoder
from retrieval import tagger as tagging
from retrieval.catalog import ReadReport, open_catalogue
from retrieval.document import document
from retrieval.encoder import OnnxEncoder
from retrieval.guesses import met_wishes
from retrieval.index import TagLeg
from retrieval.jobs.build_index import build_local
from retrieval.jobs.prepare import rows_of
from retrieval.jobs.train_tagger import (
    AIM,
    LEAST,
    grade_limits,
    quadratic_kappa,
    threshold_of,
)
from retrieval.leaning import wary
from retrieval.local_index import LocalIndex
from retrieval.movie import (
    Candidate,
    Constraints,
    Match,
    Movie,
    PredictedTag,
    Range,
    Wish,
)
from retrieval.record import from_json, to_json
from retrieval.tagger import HEADS, MANIFEST, Tagger, TaggerUnusable, load, save, wants_guess

HAUNTED = {
    "movie_id": "h1",
    "title": "The Cold Room",
    "genres": ["horror"],
    "keywords": ["haunted house", "ghost", "possession"],
    "overview": "A family moves into a haunted house, where a vengeful ghost terrifies the "
    "children at night and a priest is called to drive the demon out.",
}
SILENT = {"movie_id": "h2", "title": "Untold", "genres": ["horror"]}
CURATED = {**HAUNTED, "movie_id": "h3", "title": "The Warm Room", "moods": ["cosy"]}


@pytest.fixture(scope="module")
def encoder() -> OnnxEncoder:
    return OnnxEncoder.load()


@pytest.fixture(scope="module")
def tagger(encoder: OnnxEncoder) -> Tagger:
    return load(encoder.identity)


def film(fields: Mapping[str, object]) -> Movie:
    return from_json(json.dumps(fields).encode())


def tagged(tagger: Tagger, encoder: OnnxEncoder, movie: Movie) -> Movie:
    return tagger.tag([movie], encoder.encode([document(movie)]))[0]


def test_a_haunted_house_looks_scary(tagger: Tagger, encoder: OnnxEncoder) -> None:
    found = tagged(tagger, encoder, film(HAUNTED)).predicted_tags
    tags = {(tag.kind, tag.name) for tag in found}
    assert ("mood", "scary") in tags or ("mood", "eerie") in tags or ("mood", "creepy") in tags
    assert ("mood", "funny") not in tags
    assert all(0 < tag.p <= 1 for tag in found)
    grades = {tag.name: tag.grade or 0 for tag in found if tag.kind == "attribute"}
    assert grades.get("scariness", 2) >= 2 and grades.get("humour", 0) <= 1


def test_what_is_known_is_not_guessed(tagger: Tagger, encoder: OnnxEncoder) -> None:
    kinds = {tag.kind for tag in tagged(tagger, encoder, film(CURATED)).predicted_tags}
    assert "mood" not in kinds
    whole = replace(film(CURATED), themes=("ghosts",), attributes={"violence": 1})
    assert tagged(tagger, encoder, whole).predicted_tags == ()
    assert not wants_guess(whole) and wants_guess(film(CURATED))


def test_without_text_nothing_is_guessed(tagger: Tagger, encoder: OnnxEncoder) -> None:
    assert tagged(tagger, encoder, film(SILENT)).predicted_tags == ()


def test_the_artifact_is_small_and_bound(encoder: OnnxEncoder, tmp_path: Path) -> None:
    assert (tagging.FOLDER / HEADS).stat().st_size <= 2_500_000
    with pytest.raises(TaggerUnusable, match="was trained for the encoder"):
        load(HashEncoder().identity)
    with pytest.raises(TaggerUnusable, match="no tagger"):
        load(encoder.identity, tmp_path)
    shutil.copytree(tagging.FOLDER, tmp_path / "damaged")
    (tmp_path / "damaged" / HEADS).write_bytes(b"other weights")
    with pytest.raises(TaggerUnusable, match="not the file of its manifest"):
        load(encoder.identity, tmp_path / "damaged")
    manifest = json.loads((tagging.FOLDER / MANIFEST).read_text())
    (tmp_path / "damaged" / HEADS).write_bytes((tagging.FOLDER / HEADS).read_bytes())
    (tmp_path / "damaged" / MANIFEST).write_text(json.dumps(manifest | {"format": 99}))
    with pytest.raises(TaggerUnusable, match="format 99"):
        load(encoder.identity, tmp_path / "damaged")


def test_saved_heads_say_the_same(tagger: Tagger, encoder: OnnxEncoder, tmp_path: Path) -> None:
    save(tagger, tmp_path, {"encoder_sha": encoder.identity.sha})
    again = load(encoder.identity, tmp_path)
    movies = [film(HAUNTED), film(CURATED)]
    vectors = encoder.encode([document(m) for m in movies])
    before, after = (t.probabilities(movies, vectors) for t in (tagger, again))
    assert np.abs(before - after).max() < 0.01


def test_a_threshold_is_where_three_quarters_are_right() -> None:
    rng = np.random.default_rng(0)
    wanted = (rng.random(400) < 0.3).astype(np.float32)
    p = (0.3 * wanted + 0.7 * rng.random(400)).astype(np.float32)
    said = p >= threshold_of(p, wanted)
    assert said.sum() >= LEAST and wanted[said].mean() >= AIM
    noise = rng.random(400).astype(np.float32)
    assert threshold_of(noise, wanted) > 1
    few = (np.arange(400, 0, -1) / 400).astype(np.float32)
    assert threshold_of(few, (few > 1 - 10 / 400).astype(np.float32)) > 1, "ten films prove nothing"


def test_grades_are_guessed_only_where_they_agree() -> None:
    grades = np.repeat(np.arange(4), 50)
    steps = np.stack([grades >= s for s in (1, 2, 3)], axis=1).astype(np.float32)
    assert quadratic_kappa(grades, grades) == pytest.approx(1.0)
    low, high = grade_limits(steps, grades)
    assert low >= 0 and high <= 1
    assert grade_limits(np.full_like(steps, 0.5), grades) == (-1.0, 2.0)


def test_records_of_guesses_come_back_and_older_ones_open() -> None:
    guess = PredictedTag("attribute", "violence", 0.8, 2)
    movie = Movie("m", "M", predicted_tags=(guess, PredictedTag("mood", "dark", 0.9)))
    assert from_json(to_json(movie)) == movie
    older = b'{"movie_id":"m","title":"M","predicted_tags":[{"kind":"mood","name":"dark","p":0.9}]}'
    assert from_json(older).predicted_tags == (PredictedTag("mood", "dark", 0.9),)


async def test_an_index_ranks_by_guesses_and_never_filters(
    encoder: OnnxEncoder, tmp_path: Path
) -> None:
    source = tmp_path / "films.jsonl"
    source.write_text("\n".join(map(json.dumps, (HAUNTED, SILENT, CURATED))))
    report = build_local(open_catalogue(source), encoder, tmp_path / "index", None)
    assert report.guessed == 2
    with ThreadPoolExecutor(1) as executor:
        index = LocalIndex.open(tmp_path / "index", encoder.identity, executor)
        movie = (await index.get(["h1"]))["h1"]
        mood = next(tag.name for tag in movie.predicted_tags if tag.kind == "mood")
        assert movie.moods == () and movie.attributes == {}
        [ranked] = await index.search([TagLeg((Wish("mood", mood),))], Constraints(), 5)
        assert ranked.movie_ids == ("h1",) and ranked.scores[0] == pytest.approx(0.5, abs=0.01)
        must = Constraints(require=(Match("mood", frozenset({mood})),))
        [bound] = await index.search([TagLeg((Wish("mood", mood),))], must, 5)
        assert bound.movie_ids == ()
        grade = Constraints(require=(Range("scariness", 0, 3),))
        assert await index.count(grade) == 0
        await index.close()
    [row] = [
        r
        for r in rows_of(open_catalogue(source), encoder, ReadReport())
        if not r.movie.genres or r.movie.movie_id == "h1"
    ]
    assert row.movie == movie, "an upsert guesses what a build guesses"


def test_another_encoder_builds_without_guesses(tmp_path: Path) -> None:
    source = tmp_path / "films.jsonl"
    source.write_text(json.dumps(HAUNTED))
    assert build_local(open_catalogue(source), HashEncoder(), tmp_path / "i", None).guessed == 0


def test_met_wishes_tell_guesses_apart() -> None:
    guess = PredictedTag("theme", "ghosts", 0.8)
    movie = Movie("m", "M", moods=("dark",), predicted_tags=(guess,))
    wishes = (Wish("mood", "Dark"), Wish("topic", "ghosts"), Wish("mood", "funny"))
    assert met_wishes(movie, wishes) == ["mood:Dark", "~topic:ghosts"]


def test_what_looks_ruled_out_ranks_lower_and_stays() -> None:
    violent = Movie("v", "V", predicted_tags=(PredictedTag("attribute", "violence", 0.9, 2),))
    calm = Movie("c", "C", predicted_tags=(PredictedTag("attribute", "violence", 0.9, 0),))
    dark = Movie("d", "D", predicted_tags=(PredictedTag("mood", "dark", 0.9),))
    ranked = [Candidate(m, s) for m, s in ((violent, 1.0), (dark, 0.9), (calm, 0.8))]
    rough = wary(ranked, (Range("violence", 2, None),))
    assert [c.movie.movie_id for c in rough] == ["d", "c", "v"]
    assert [c.movie.movie_id for c in wary(ranked, (Match("mood", frozenset({"dark"})),))][2] == "d"
    assert wary(ranked, (Range("pace", 2, None), Match("genre", frozenset({"dark"})))) == ranked
