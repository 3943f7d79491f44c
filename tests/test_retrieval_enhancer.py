"""The query enhancer that ships: what it refuses, what it hears, and what it leaves alone."""

import json
import shutil
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from infra import learned
from infra.settings import load
from infra.wiring import Services, build
from retrieval.encoder import Encoder, OnnxEncoder, TokenStates
from retrieval.enhancer import FOLDER, MODEL, Enhancer, EnhancerRefused, heard, word_weights
from retrieval.enhancer_input import (
    FRAME,
    LIKE,
    MAX_SEEDS,
    MAX_TEXT,
    NEAR,
    SEED,
    TEXT,
    Backing,
    tokens_of,
)
from retrieval.movie import Query, Seed, Taste
from retrieval.retriever import Retriever
from serving import index_dir

ENCODER = OnnxEncoder.load()
ENHANCER = Enhancer.shipped(ENCODER.identity)
NOTHING = Backing()


def unit(seed: int) -> np.ndarray:
    vector = np.random.default_rng(seed).normal(size=384).astype(np.float32)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


# --- what it reads --------------------------------------------------------------------------------


def test_tokens_lay_out_text_then_films() -> None:
    backing = Backing([unit(1), unit(2)], unit(3), [unit(4)])
    tokens = tokens_of(ENCODER.tokens("a heist"), backing)
    assert tokens.kinds.tolist() == [FRAME, TEXT, TEXT, TEXT, FRAME, SEED, SEED, NEAR, LIKE] or (
        tokens.kinds.tolist() == [FRAME, TEXT, TEXT, FRAME, SEED, SEED, NEAR, LIKE]
    )
    text = tokens.vectors[tokens.kinds <= FRAME]
    assert np.allclose(text.mean(axis=0), tokens.plain, atol=1e-5)
    assert np.allclose(tokens.plain, ENCODER.encode(["a heist"])[0], atol=1e-5)
    assert np.allclose(tokens.vectors[-1], unit(4))
    assert tokens.places[tokens.kinds == SEED].tolist() == [0, 1]


def test_long_requests_and_many_films_are_cut() -> None:
    backing = Backing([unit(n) for n in range(40)])
    tokens = tokens_of(ENCODER.tokens("a heist " * 200), backing)
    assert len(tokens.kinds) == MAX_TEXT + MAX_SEEDS
    assert tokens.places.max() < 64


# --- what it says ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("a horror movie", "genre_preference"),
        ("something to make me cry", "mood_based"),
        ("a film about submarines with Sean Connery", "descriptive_features"),
        ("films from the 1970s", "temporal_context"),
        ("something like Blade Runner", "similarity_based"),
    ],
)
def test_primary_intent_of_plain_requests(text: str, intent: str) -> None:
    analysis = ENHANCER.read(ENCODER.tokens(text), text)
    assert analysis.primary_intent == intent
    assert analysis.confidence is not None and analysis.confidence > 0.5
    assert len(analysis.all_intents) == 5
    assert all(0 <= p <= 1 for p in analysis.all_intents.values())


def test_nothing_wished_has_no_primary_intent() -> None:
    analysis = ENHANCER.read(ENCODER.tokens("thanks, bye!"), "thanks, bye!")
    assert analysis.primary_intent is None
    assert analysis.confidence is None


def test_heard_words_are_content_and_never_rejected() -> None:
    text = "a slow film about submarines, no horror please"
    analysis = ENHANCER.read(ENCODER.tokens(text), text)
    assert {"submarines", "slow"} <= set(heard(analysis))
    assert not {"a", "film", "please", "horror"} & set(heard(analysis))


def test_a_word_weighs_what_its_heaviest_piece_weighs() -> None:
    weights = np.array([0.0, 0.2, 0.9, 0.1], dtype=np.float32)
    found = word_weights("feel-good 80s", [(0, 0), (0, 4), (5, 9), (10, 13)], weights)
    assert found == {"feel-good": pytest.approx(0.9), "80s": pytest.approx(0.1)}


def test_same_request_gives_the_same_unit_vector() -> None:
    states = ENCODER.tokens("a slow film about submarines")
    one = ENHANCER.enhance(states, Backing([unit(1)], unit(2)))
    other = ENHANCER.enhance(states, Backing([unit(1)], unit(2)))
    assert np.array_equal(one.vector, other.vector)
    assert float(np.linalg.norm(one.vector)) == pytest.approx(1.0, abs=1e-5)
    assert 0 <= one.trust <= 1
    alone = ENHANCER.enhance(states, NOTHING)
    assert float(alone.vector @ one.vector) < 0.9999


# --- what it refuses ------------------------------------------------------------------------------


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "enhancer"))


def test_missing_artifact_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(EnhancerRefused, match="git checkout"):
        Enhancer.shipped(ENCODER.identity, tmp_path)


def test_changed_byte_is_refused(copy: Path) -> None:
    content = bytearray((copy / MODEL).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / MODEL).write_bytes(content)
    with pytest.raises(EnhancerRefused, match="not the file of its manifest"):
        Enhancer.shipped(ENCODER.identity, copy)


def test_other_encoder_is_refused() -> None:
    other = replace(ENCODER.identity, sha="0" * 16)
    with pytest.raises(EnhancerRefused, match="trained for encoder"):
        Enhancer.shipped(other)


def test_a_file_that_is_no_enhancer_is_refused(tmp_path: Path) -> None:
    (tmp_path / MODEL).write_bytes(b"not a model")
    with pytest.raises(EnhancerRefused, match="no query enhancer"):
        Enhancer.load(tmp_path / MODEL, ENCODER.identity)


def test_artifact_is_small_and_names_its_encoder() -> None:
    assert (FOLDER / MODEL).stat().st_size <= 8 * 2**20
    manifest = json.loads((FOLDER / "manifest.json").read_text("utf-8"))
    assert manifest["encoder_sha"] == ENCODER.identity.sha
    assert "ReDial" in (FOLDER / "MODEL_CARD.md").read_text("utf-8")


# --- in the retriever -----------------------------------------------------------------------------


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def services(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Services]:
    one = await build(load(home=tmp_path_factory.mktemp("home"), index_dir=index_dir()))
    yield one
    await one.close()


@pytest.mark.asyncio(loop_scope="module")
async def test_films_move_the_vector_and_the_plain_one_stays(services: Services) -> None:
    tables = await services.toolbox.catalogue.tables()
    retriever = services.toolbox.retriever_for(tables)
    text = "something tense"
    alone = await retriever.prepare(Query(text))
    seeded = await retriever.prepare(Query(text, seeds=(Seed("us000002"),)))
    liked = await retriever.prepare(Query(text), Taste(likes={"us000002": 1.0}))
    assert alone.vector is not None and seeded.vector is not None and liked.vector is not None
    assert not np.allclose(alone.vector, seeded.vector, atol=1e-4)
    assert not np.allclose(alone.vector, liked.vector, atol=1e-4)
    assert alone.plain is not None and seeded.plain is not None
    assert np.allclose(alone.plain, services.encoder.encode([text])[0], atol=1e-5)
    assert np.array_equal(alone.plain, seeded.plain)


@pytest.mark.asyncio(loop_scope="module")
async def test_one_film_described_keeps_its_plain_vector(services: Services) -> None:
    tables = await services.toolbox.catalogue.tables()
    retriever = services.toolbox.retriever_for(tables)
    prepared = await retriever.prepare(Query("a shark hunter loses his boat", known_item=True))
    assert prepared.vector is not None
    assert prepared.plain is not None
    assert np.array_equal(prepared.vector, prepared.plain)
    assert prepared.analysis is not None and prepared.analysis.enhanced_score is None


@pytest.mark.asyncio(loop_scope="module")
async def test_intents_are_read_from_the_message_as_typed(services: Services) -> None:
    tables = await services.toolbox.catalogue.tables()
    retriever = services.toolbox.retriever_for(tables)
    query = Query("but shorter", said="something like Blade Runner but shorter")
    prepared = await retriever.prepare(query)
    assert prepared.analysis is not None
    assert prepared.analysis.all_intents["similarity_based"] > 0.5
    assert "Blade" in prepared.analysis.weights
    assert (await retriever.prepare(Query())).analysis is None


class Counting:
    """An encoder that notes what it was asked for."""

    def __init__(self, inner: Encoder) -> None:
        self.identity, self.encode, self.inner = inner.identity, inner.encode, inner
        self.read: list[str] = []

    def tokens(self, text: str) -> TokenStates:
        self.read.append(text)
        return self.inner.tokens(text)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_search_encodes_only_what_it_searches_by(services: Services) -> None:
    tables = await services.toolbox.catalogue.tables()
    counting, enhancer = Counting(services.encoder), services.enhancer
    of = (services.index, counting, tables.knowledge, services.executor)
    query = Query("something tense", said="like Blade Runner", seeds=(Seed("us000002"),))
    assert (await Retriever(*of, enhancer=enhancer).retrieve(query, k=3)).candidates
    assert counting.read == ["something tense"]


@pytest.mark.asyncio
async def test_a_refused_artifact_leaves_plain_vectors(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(encoder: object) -> Enhancer:
        raise EnhancerRefused("gone")

    monkeypatch.setattr(learned, "load_enhancer", refuse)
    services = await build(load(home=tmp_path, index_dir=index_dir()))
    try:
        assert services.enhancer is None
        tables = await services.toolbox.catalogue.tables()
        retriever = services.toolbox.retriever_for(tables)
        prepared = await retriever.prepare(Query("something tense", seeds=(Seed("us000002"),)))
        assert prepared.analysis is None and prepared.vector is not None
        assert np.array_equal(prepared.vector, services.encoder.encode(["something tense"])[0])
        assert (await retriever.retrieve(Query("something tense"), k=3)).candidates
    finally:
        await services.close()


def test_threads_may_share_it() -> None:
    states = ENCODER.tokens("a slow film about submarines")
    alone = ENHANCER.enhance(states, NOTHING).vector
    with ThreadPoolExecutor(4) as pool:
        vectors = list(pool.map(lambda _: ENHANCER.enhance(states, NOTHING).vector, range(16)))
    assert all(np.array_equal(vector, alone) for vector in vectors)
