"""One description put to every row: as a forgotten film, by one leg alone, and said in chat.

Knows the rows and what each makes of a text, and how ranks are kept so that a long measurement goes
on where it stopped. Does not know where descriptions come from, nor figures (describe.py, which
calls this).
"""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from agent.replay import replay
from evals.dialogues.build import code_sha
from evals.dialogues.run_folder import sha_of
from evals.dialogues.transcript_files import EvalInputProblem, objects_of, validated
from evals.form import Form
from evals.recorded.ranking import ranks_of
from evals.recorded.worlds import RememberingEncoder, World, shipped_world
from infra.wiring import Services
from retrieval.movie import Query
from retrieval.retriever import Retriever, RetrieverSettings

FUSED, LEXICAL, DENSE, CHAT = "fused", "lexical", "dense", "in chat"
BARE = ", no enhancer"
"""Ends the name of a row that is the same without the query enhancer."""
MOVED = "dense, enhanced"
DEPTH = 200


class Answer(Form):
    """The rank of the film that was meant in each row."""

    qid: str
    target: str | None
    """Its id in the index; None where the index lacks it."""
    ranks: dict[str, int]
    heard: bool
    """Whether the agent takes the text for a film whose name is forgotten."""


class Asker:
    """Everything that one description is put to."""

    def __init__(self, services: Services, world: World) -> None:
        world = replace(world, encoder=RememberingEncoder(world.encoder))
        bare = replace(world, enhancer=None)
        self._toolbox = services.toolbox
        legs = RetrieverSettings.only
        self._forgotten: Mapping[str, Retriever] = {
            FUSED: world.retriever(RetrieverSettings()),
            FUSED + BARE: bare.retriever(RetrieverSettings()),
            LEXICAL: bare.retriever(legs("text_whole")),
            DENSE: bare.retriever(legs("dense")),
        }
        self._moved = world.retriever(legs("dense"))
        self._chat = {
            CHAT: world.retriever(services.retriever),
            CHAT + BARE: bare.retriever(services.retriever),
        }

    @classmethod
    async def of(cls, services: Services) -> "Asker":
        """On running services. Raises: IndexFailure."""
        return cls(services, await shipped_world(services))

    @property
    def rows(self) -> tuple[str, ...]:
        """The name of each row."""
        return (*self._forgotten, MOVED, *self._chat)

    async def ask(self, qid: str, text: str, target: str | None) -> Answer:
        """Every row once. Raises: IndexFailure."""
        forgotten = Query(text=text, known_item=True)
        said = (await replay((("user", text),), self._toolbox)).query
        asked = [(row, one, forgotten) for row, one in self._forgotten.items()]
        asked.append((MOVED, self._moved, replace(forgotten, known_item=False)))
        asked += [(row, one, said) for row, one in self._chat.items()]
        ranks = {}
        for row, retriever, query in asked:
            found = await retriever.retrieve(query, k=DEPTH)
            ranks[row] = ranks_of([target or ""], [c.movie.movie_id for c in found.candidates])[0]
        return Answer(qid=qid, target=target, ranks=ranks, heard=said.known_item)


class Kept:
    """Answers on disk: one a line, below a line that says of what code and index they are."""

    def __init__(self, path: Path, answers: Mapping[str, Answer]) -> None:
        self._path = path
        self._answers = dict(answers)

    @classmethod
    async def open(cls, path: Path, services: Services) -> "Kept":
        """A new file, or the same measurement to go on with. Raises: EvalInputProblem."""
        defines = {"index": await services.index.revision(), "code": code_sha()}
        head = {"describe": sha_of(defines), **defines}
        if not path.exists():
            try:
                path.write_text(json.dumps(head) + "\n", "utf-8")
            except OSError as error:
                raise EvalInputProblem(f"{path} cannot be written: {error.strerror}") from None
            return cls(path, {})
        _drop_half_line(path)
        rows = list(objects_of(path))
        if not rows or rows[0][1] != head:
            raise EvalInputProblem(
                f"{path} line 1: these ranks are of another index or other code; name a new file"
            )
        found = [validated(Answer, row, f"{path} line {number}") for number, row in rows[1:]]
        return cls(path, {answer.qid: answer for answer in found})

    def get(self, qid: str, target: str | None) -> Answer | None:
        """What was answered before, if the same film was meant."""
        found = self._answers.get(qid)
        return found if found is not None and found.target == target else None

    def append(self, answer: Answer) -> None:
        """Keep an answer; it is on disk when this returns."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(answer.model_dump_json() + "\n")
            file.flush()
            os.fsync(file.fileno())


def _drop_half_line(path: Path) -> None:
    """Whoever was killed while writing left half a last line: that answer is not done."""
    content = path.read_bytes()
    if content and not content.endswith(b"\n"):
        with path.open("r+b") as file:
            file.truncate(content.rfind(b"\n") + 1)
