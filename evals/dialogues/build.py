"""What exactly answered: the build of an agent, by content.

Knows which files make the product and where services keep their versions. Does not know what is
measured. Called by the commands that play dialogues; two dialogues of the same build, scenario and
seed are the same dialogue, which is what caching rests on.
"""

import hashlib
from functools import cache
from pathlib import Path

from evals.dialogues.transcript import Build
from evals.place import ROOT
from evals.report import commit_of
from infra.wiring import Services
from prompts.loader import load_phrases

PRODUCT = ("agent", "tools", "retrieval", "prompts", "infra")
_CODE = frozenset({".py", ".yaml", ".json", ".md", ".txt", ".onnx"})


@cache
def code_sha(root: Path = ROOT) -> str:
    """A short hash of everything that can change an answer, committed or not."""
    digest = hashlib.sha256()
    for package in PRODUCT:
        for file in sorted((root / package).rglob("*")):
            if file.suffix in _CODE and file.is_file():
                digest.update(f"{file.relative_to(root)}\n".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


async def build_of(services: Services, catalogue_sha: str, name: str = "usher") -> Build:
    """The build of running services. Raises: IndexFailure."""
    stats = await services.index.stats()
    return Build(
        name=name,
        commit=commit_of(),
        prompt_shas={"phrases": load_phrases().sha},
        model_ids=() if services.settings.model == "offline" else (services.settings.model,),
        index_revision=stats.revision,
        catalogue_sha=catalogue_sha,
        code_sha=code_sha(),
    )
