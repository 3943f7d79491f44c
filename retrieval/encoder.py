"""Text to vectors: the port `Encoder` and the encoder that ships (MiniLM on ONNX Runtime, CPU).

Knows the artifact in `encoders/minilm/` (model, tokenizer, manifest with checksums), pooling and
normalisation. Does not know movies, indexes or the event loop: every call is synchronous CPU work,
so async callers run it in their bounded executor. Called by index builds, the retriever and the
enhancer. `jobs/build_encoder.py` writes the artifact; `encoder_sentence_transformers.py` is the
second implementation, for other models.
"""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import onnxruntime
from pydantic import BaseModel, ConfigDict, ValidationError
from tokenizers import Tokenizer

FloatArray = npt.NDArray[np.float32]

MINILM_FOLDER = Path(__file__).parent / "encoders" / "minilm"
MANIFEST, MODEL, TOKENIZER = "manifest.json", "model.onnx", "tokenizer.json"
# Characters read of one text. 128 word pieces of English are about 600; the tokenizer would read
# all of a 50 kB message before it cuts.
MAX_CHARS = 8_192


class EncoderError(Exception):
    """An encoder cannot be used; the message says what to do."""


class EncoderMissing(EncoderError):
    """There is no encoder where one was expected, or a package it needs is not installed."""


class EncoderCorrupt(EncoderError):
    """The files are not the ones the manifest describes."""


@dataclass(frozen=True)
class EncoderIdentity:
    """What an index records of its encoder; vectors of different identities never meet."""

    name: str
    sha: str
    """First 16 hex digits of the SHA-256 over what determines the vectors."""
    dimension: int


@dataclass(frozen=True)
class TokenStates:
    """What the model says of each token of one text, special tokens included.

    The unit-length mean of all `states` is the text's vector.
    """

    states: FloatArray
    """(t, d)."""
    mask: npt.NDArray[np.bool_]
    """(t,), true where the token stands for characters of the text, false for [CLS] and [SEP]."""
    char_offsets: list[tuple[int, int]]
    """Per token, start and end in the text; (0, 0) for special tokens."""


class Encoder(Protocol):
    """Turns text into unit vectors. Synchronous and safe to call from several threads."""

    @property
    def identity(self) -> EncoderIdentity: ...

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Rows of unit length, (n, d), in the order of `texts`; each depends on its text alone."""
        ...

    def tokens(self, text: str) -> TokenStates: ...


class Manifest(BaseModel):
    """`manifest.json` of an encoder folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    dimension: int
    max_tokens: int
    source: str
    """Where the weights come from, with the checksum of the original file."""
    licence: str
    files: dict[str, str]
    """File name to SHA-256, for every other file of the folder."""


class OnnxEncoder:
    """An encoder folder on ONNX Runtime: token states from the model, mean pooling here."""

    def __init__(
        self,
        identity: EncoderIdentity,
        session: onnxruntime.InferenceSession,
        tokenizer: Tokenizer,
        threads: int,
    ) -> None:
        self.identity = identity
        self._session = session
        self._tokenizer = tokenizer
        self._threads = threads

    @classmethod
    def load(cls, folder: Path | None = None, threads: int = 1) -> "OnnxEncoder":
        """Checks every file against the manifest, then loads; `threads` texts run at a time."""
        folder = folder or MINILM_FOLDER
        manifest = verified_manifest(folder)
        sha = hashlib.sha256((manifest.files[MODEL] + manifest.files[TOKENIZER]).encode())
        identity = EncoderIdentity(manifest.name, sha.hexdigest()[:16], manifest.dimension)
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        tokenizer.no_padding()  # a fixed padding of 128 makes a query seven times slower
        tokenizer.enable_truncation(max_length=manifest.max_tokens)
        return cls(identity, onnx_session(folder / MODEL), tokenizer, threads)

    def encode(self, texts: Sequence[str]) -> FloatArray:
        # One text per run. int8 activations are scaled per run, so in a batch a vector would depend
        # on its neighbours (cosine down to .978 between batches of 1 and 32), and batches are not
        # faster on a CPU (88 docs/s at 1, 85 at 32). Threads over texts scale better than inside.
        if isinstance(texts, str):
            raise TypeError("encode takes a sequence of texts; wrap a single one: [text]")
        rows = np.empty((len(texts), self.identity.dimension), dtype=np.float32)
        if self._threads == 1 or len(texts) == 1:
            for row, text in enumerate(texts):
                rows[row] = self._vector(text)
            return rows
        with ThreadPoolExecutor(self._threads, thread_name_prefix="encode") as pool:
            for row, vector in enumerate(pool.map(self._vector, texts)):
                rows[row] = vector
        return rows

    def tokens(self, text: str) -> TokenStates:
        encoding = self._tokenizer.encode(_readable(text))
        special = np.asarray(encoding.special_tokens_mask, dtype=np.bool_)
        return TokenStates(self._states(encoding.ids), ~special, list(encoding.offsets))

    def _vector(self, text: str) -> FloatArray:
        return unit_mean(self._states(self._tokenizer.encode(_readable(text)).ids))

    def _states(self, ids: list[int]) -> FloatArray:
        row = np.asarray([ids], dtype=np.int64)
        feed = {"input_ids": row, "attention_mask": np.ones_like(row)}
        states: FloatArray = self._session.run(["token_states"], feed)[0][0]
        return states


def unit_mean(states: FloatArray) -> FloatArray:
    """The vector of a text from the states of its tokens."""
    mean = states.mean(axis=0)
    unit: FloatArray = mean / max(float(np.linalg.norm(mean)), 1e-12)
    return unit


def verified_manifest(folder: Path) -> Manifest:
    """Reads the manifest and checks each file it names.

    Raises:
        EncoderMissing: the folder or a file is not there.
        EncoderCorrupt: the manifest cannot be read or a file has another checksum.
    """
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except OSError as error:
        raise EncoderMissing(
            f"no encoder in {folder} ({error.strerror}). {_remedy(folder)}"
        ) from None
    except ValidationError as error:
        raise EncoderCorrupt(
            f"{folder / MANIFEST} is not a manifest ({error.error_count()} errors). "
            f"{_remedy(folder)}"
        ) from None
    for name in (MODEL, TOKENIZER):
        if name not in manifest.files:
            raise EncoderCorrupt(f"{folder / MANIFEST} does not name {name}. {_remedy(folder)}")
    for name, expected in manifest.files.items():
        try:
            found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        except OSError as error:
            raise EncoderMissing(
                f"cannot read {folder / name} ({error.strerror}). {_remedy(folder)}"
            ) from None
        if found != expected:
            raise EncoderCorrupt(
                f"{folder / name} has SHA-256 {found[:16]}..., expected {expected[:16]}.... "
                f"{_remedy(folder)}"
            )
    return manifest


def _remedy(folder: Path) -> str:
    if folder == MINILM_FOLDER:
        return f"Restore it: git checkout -- {folder}, or install usher again."
    return f"Build one: python -m retrieval.jobs.build_encoder --out {folder}"


def onnx_session(model: Path | bytes) -> onnxruntime.InferenceSession:
    """A session on one thread that does not spin; of a file or of its content."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # A spinning worker starves the event loop on two cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3  # errors only
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def _readable(text: str) -> str:
    """Cut to what can matter; lone surrogates (broken input) become "?", one for one."""
    return text[:MAX_CHARS].encode("utf-8", "replace").decode("utf-8")
