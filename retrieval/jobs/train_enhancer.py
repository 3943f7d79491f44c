"""Trains and writes the query enhancer: `python -m retrieval.jobs.train_enhancer --help`.

Knows the order (data, intents, vectors, calibration, export, card) and what may be left out: a fold
of dialogues, for figures out of fold. Does not know losses (train_intents.py, train_vectors.py) nor
metrics. Called by hand; needs the extra `train`. About seven minutes on one core, the data apart;
the same data and seed give the same file.

    python -m evals pairs --index DIR --output pairs.jsonl
    python -m retrieval.jobs.train_enhancer --catalogue FILE --dialogues pairs.jsonl --work DIR
    python -m retrieval.jobs.train_enhancer ... --folds DIR     also DIR/fold-0..4/enhancer.onnx
    python -m retrieval.jobs.train_enhancer ... --folds DIR --nested    and DIR/without-0-1/... 3-4
"""

import argparse
import hashlib
import json
import sys
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import torch

from retrieval.catalog import CatalogError
from retrieval.comention import prefix
from retrieval.encoder import Encoder, OnnxEncoder
from retrieval.enhancer import FOLDER, MANIFEST, MODEL, OUTPUTS, Calibration, Manifest
from retrieval.jobs.calibrate import calibration_of
from retrieval.jobs.enhancer_network import Enhancer, IntentNetwork
from retrieval.jobs.make_training_data import TrainingData, training_data
from retrieval.jobs.train_folds import FOLDS, pairs_of, without
from retrieval.jobs.train_intents import intent_logits, read_requests, train_intents
from retrieval.jobs.train_vectors import ReadPairs, read_pairs_of, train_vectors
from retrieval.jobs.training_checks import TrainingDataRefused
from retrieval.jobs.training_pairs import DIALOGUE

LICENCE = "Apache-2.0; learned in part from ReDial (CC BY 4.0), see MODEL_CARD.md"
CARD = Path(__file__).with_name("enhancer_card.md")
OPSET = 17
MAX_BYTES = 8 * 2**20
READERS = 3
"""Readers of intents that differ by chance alone; what they say is averaged."""
Report = Callable[[str], None]


@dataclass
class EnhancerTraining:
    """Data read once, from which any number of enhancers is trained."""

    data: TrainingData
    encoder: Encoder
    work: Path
    """Where token states are kept."""
    seed: int = 0
    report: Report = print
    _read: ReadPairs | None = field(default=None, repr=False)
    _intents: tuple[list[IntentNetwork], Calibration] | None = field(default=None, repr=False)

    def train(self, without: Collection[str], file: Path) -> Path:
        """One artifact that never saw the dialogues `without`; its file."""
        read = self._pairs()
        kept = [
            row
            for row, pair in enumerate(read.pairs)
            if pair.source != DIALOGUE or pair.group not in without
        ]
        chosen = ReadPairs(
            [read.pairs[row] for row in kept],
            type(read.batches)([read.batches.tokens[row] for row in kept]),
        )
        readers, calibration = self._readers()
        vectors = train_vectors(chosen, self.data.films, self.seed, self.report)
        file.parent.mkdir(parents=True, exist_ok=True)
        talked = {pair.group for pair in chosen.pairs if pair.source == DIALOGUE}
        about = {
            "encoder": self.encoder.identity.sha,
            "calibration": calibration.model_dump_json(),
            "dialogues": " ".join(sorted(prefix(dialogue) for dialogue in talked)),
        }
        d = self.encoder.identity.dimension
        file.write_bytes(exported(Enhancer(vectors, readers).eval(), d, about))
        return file

    def _pairs(self) -> ReadPairs:
        if self._read is None:
            self.report(f"reading {len(self.data.pairs):,} pairs")
            self._read = read_pairs_of(self.data.pairs, self.data.films, self.encoder, self.work)
        return self._read

    def _readers(self) -> tuple[list[IntentNetwork], Calibration]:
        """Intents know no dialogue, so all folds share them."""
        if self._intents is None:
            self.report("reading requests")
            train = read_requests(self.data.requests["train"], self.encoder, self.work)
            held = read_requests(self.data.requests["held"], self.encoder, self.work)
            networks = [train_intents(train, self.seed + n, self.report) for n in range(READERS)]
            logits = np.mean([intent_logits(one, held.batches) for one in networks], axis=0)
            self._intents = networks, calibration_of(logits, held.intents > 0.5)
        return self._intents


def exported(network: Enhancer, d: int, about: Mapping[str, str]) -> bytes:
    """Both networks as one ONNX file with what must be known of it. Raises: SystemExit."""
    example = (
        torch.randn(6, d),
        torch.tensor([1, 0, 0, 1, 2, 3]),
        torch.tensor([0, 1, 2, 3, 0, 0]),
        torch.nn.functional.normalize(torch.randn(d), dim=0),
    )
    names = ["tokens", "kinds", "places", "plain"]
    axes = {name: {0: "tokens"} for name in ("tokens", "kinds", "places", "weights")}
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter is deprecated, but enough here
        torch.onnx.export(
            network,
            example,
            str(Path(folder) / MODEL),
            input_names=names,
            output_names=OUTPUTS,
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
        model = onnx.load(str(Path(folder) / MODEL))
    onnx.helper.set_model_props(model, dict(about))
    content: bytes = model.SerializeToString()
    if len(content) > MAX_BYTES:
        raise SystemExit(f"the artifact has {len(content):,} bytes, more than {MAX_BYTES:,}")
    return content


def write_manifest(folder: Path, encoder: Encoder) -> None:
    """The manifest of a folder that ships."""
    files = sorted(path for path in folder.iterdir() if path.name != MANIFEST)
    manifest = Manifest(
        name="query enhancer",
        encoder_sha=encoder.identity.sha,
        licence=LICENCE,
        files={path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
    )
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")


def model_card(data: TrainingData, encoder: Encoder, args: argparse.Namespace) -> str:
    """The card: the command that made the artifact, and what it was trained on, counted."""
    counts: dict[str, int] = {}
    for pair in data.pairs:
        counts[pair.source] = counts.get(pair.source, 0) + 1
    told = ", ".join(f"{n:,} {source}" for source, n in sorted(counts.items()))
    requests = sum(len(split) for split in data.requests.values())
    return CARD.read_text("utf-8").format(
        pairs=told,
        requests=f"{requests:,}",
        films=f"{len(data.films.vectors):,}",
        encoder=f"{encoder.identity.name} {encoder.identity.sha}",
        catalogue=args.catalogue.name,
        seed=args.seed,
        torch=torch.__version__,
    )


def train_folds(
    training: EnhancerTraining, of: Mapping[str, int], out: Path, nested: bool = False
) -> None:
    """One artifact per fold, trained without it; those that are there are kept. And the map.

    Args: nested: also one per pair of folds, trained without both. They come first, so that a
    second process may make them while another makes those of single folds.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / FOLDS).write_text(json.dumps({"folds": dict(of)}), "utf-8")
    folds = sorted(set(of.values()))
    for unseen in [*(pairs_of(folds) if nested else ()), *((fold,) for fold in folds)]:
        file = out / without(*unseen) / MODEL
        if file.exists():
            training.report(f"{file} is there")
            continue
        training.report(f"{file}: learning")
        training.train({dialogue for dialogue, fold in of.items() if fold in unseen}, file)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m retrieval.jobs.train_enhancer", description="Train the query enhancer."
    )
    parser.add_argument("--catalogue", type=Path, required=True, help="films to rank: facts only")
    parser.add_argument("--dialogues", type=Path, help="pairs written by python -m evals pairs")
    parser.add_argument("--work", type=Path, required=True, help="folder for encoded films")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder of the artifact")
    parser.add_argument("--folds", type=Path, help="folder: also one artifact per fold")
    parser.add_argument("--nested", action="store_true", help="and one per pair of folds")
    parser.add_argument("--only-folds", action="store_true", help="leave what is in --out alone")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    if (args.nested or args.only_folds) and not args.folds:
        parser.error("--nested and --only-folds need --folds DIR")
    torch.set_num_threads(1)
    encoder = OnnxEncoder.load()
    try:
        data = training_data(args.catalogue, args.dialogues, encoder, args.work)
    except (CatalogError, TrainingDataRefused) as refused:
        print(refused, file=sys.stderr)
        return 1
    training = EnhancerTraining(
        data, encoder, args.work, args.seed, lambda line: print(line, flush=True)
    )
    if not args.only_folds:
        training.train((), args.out / MODEL)
        (args.out / "MODEL_CARD.md").write_text(model_card(data, encoder, args), encoding="utf-8")
        write_manifest(args.out, encoder)
        print(f"written to {args.out}", flush=True)
    if args.folds:
        of = json.loads(args.dialogues.with_name(FOLDS).read_text("utf-8"))
        train_folds(training, of["folds"], args.folds, args.nested)
    return 0


if __name__ == "__main__":
    sys.exit(main())
