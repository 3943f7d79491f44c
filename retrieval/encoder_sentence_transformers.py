"""The port `Encoder` over any sentence-transformers model, by name or folder (extra `train`).

Knows sentence-transformers and torch, which it imports on construction only (3 to 9 s). Does not
know the ONNX artifact. Called by wiring when a setting names such a model, and by experiments; an
index built with it answers queries of the same model only. Same contract as `encoder.py`.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from retrieval.encoder import EncoderIdentity, EncoderMissing, FloatArray, TokenStates


class SentenceTransformerEncoder:
    """Vectors of a sentence-transformers model, made unit length."""

    def __init__(self, name_or_folder: str, batch_size: int = 32) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ModuleNotFoundError as error:
            raise EncoderMissing(
                f"the encoder {name_or_folder} needs the package {error.name}. "
                "Install the extra in your checkout: pip install -e '.[train]'"
            ) from None
        try:
            self._model: Any = SentenceTransformer(name_or_folder, device="cpu")
        except (OSError, ValueError) as error:
            raise EncoderMissing(
                f"sentence-transformers cannot load {name_or_folder} ({error}). "
                "Name a folder with its files, or a model that the hub has."
            ) from error
        self._batch_size = batch_size
        dimension = int(self._model.get_embedding_dimension())
        self.identity = EncoderIdentity(name_or_folder, _fingerprint(self._model), dimension)

    def encode(self, texts: Sequence[str]) -> FloatArray:
        if isinstance(texts, str):
            raise TypeError("encode takes a sequence of texts; wrap a single one: [text]")
        if not texts:
            return np.empty((0, self.identity.dimension), dtype=np.float32)
        vectors = self._model.encode(
            [_readable(text) for text in texts],
            batch_size=self._batch_size,
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return np.asarray(vectors, dtype=np.float32)

    def tokens(self, text: str) -> TokenStates:
        text = _readable(text)
        states = self._model.encode(
            [text], output_value="token_embeddings", show_progress_bar=False
        )[0]
        pieces = self._model.tokenizer(
            text,
            truncation=True,
            max_length=self._model.max_seq_length,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
        )
        return TokenStates(
            states=np.asarray(states.cpu(), dtype=np.float32),
            mask=~np.asarray(pieces["special_tokens_mask"], dtype=np.bool_),
            char_offsets=[(int(start), int(end)) for start, end in pieces["offset_mapping"]],
        )


def _fingerprint(model: Any) -> str:
    """Over weights, tokenizer and length, wherever they were loaded from."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().float().numpy().tobytes())
    digest.update(model.tokenizer.backend_tokenizer.to_str().encode())
    digest.update(str(model.max_seq_length).encode())
    return digest.hexdigest()[:16]


def _readable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
