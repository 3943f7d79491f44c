"""Transcripts, scores and other JSON lines in files: read whole or refused, written whole.

Knows that every error names file, line and field, and where the published schema lies. Does not
know what the fields mean. Called by the commands of evals.
"""

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from evals.dialogues.transcript import Transcript
from evals.problem import EvalProblem
from retrieval.catalogs.sources import CatalogError, reading, text_lines

SCHEMA = Path(__file__).parent / "transcript-v1.schema.json"
_Model = TypeVar("_Model", bound=BaseModel)


class EvalInputProblem(EvalProblem):
    """A file given to evals cannot be used; names file, line and field."""


def lines_of(path: Path) -> Iterator[tuple[int, str]]:
    """(number, line) of a file, plain or gzip, blank lines left out. Raises: EvalInputProblem."""
    try:
        yield from text_lines(path)
    except CatalogError as error:
        raise EvalInputProblem(str(error)) from None


def objects_of(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, JSON object). Raises: EvalInputProblem."""
    for number, line in lines_of(path):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise EvalInputProblem(
                f"{path} line {number}: no JSON ({error}): give one JSON object a line"
            ) from None
        if not isinstance(row, dict):
            raise EvalInputProblem(f"{path} line {number}: needs a JSON object, one a line")
        yield number, row


def read_yaml(path: Path) -> Any:
    """What a YAML file holds. Raises: EvalInputProblem."""
    try:
        with reading(path):
            text = path.read_text("utf-8")
        return yaml.safe_load(text)
    except CatalogError as error:
        raise EvalInputProblem(str(error)) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" line {mark.line + 1}" if mark else ""
        raise EvalInputProblem(f"{path}{place}: no YAML ({error.problem})") from None
    except yaml.YAMLError as error:
        raise EvalInputProblem(f"{path}: no YAML ({' '.join(str(error).split())})") from None


def read_models(path: Path, model: type[_Model]) -> list[_Model]:
    """Every line of a file as `model`; an empty file is an error. Raises: EvalInputProblem."""
    found = [validated(model, row, f"{path} line {number}") for number, row in objects_of(path)]
    if not found:
        raise EvalInputProblem(f"{path} is empty: it needs one {model.__name__} a line")
    return found


def validated(model: type[_Model], row: object, where: str) -> _Model:
    """The row as `model`, or its first fault with place and field. Raises: EvalInputProblem."""
    try:
        return model.model_validate_json(json.dumps(row))
    except ValidationError as error:
        raise EvalInputProblem(f"{where}, {fault_of(error)}") from None


def fault_of(error: ValidationError) -> str:
    """The first fault as "field a.0.b: what is wrong"."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"]) or "(whole)"
    return f"field {field}: {first['msg']}"


def write_models(path: Path, models: Iterable[BaseModel]) -> int:
    """One line each, whole or not at all; how many. Raises: EvalInputProblem."""
    return write_lines(path, [model.model_dump_json() for model in models])


def write_lines(path: Path, lines: Sequence[str]) -> int:
    """Lines into a file (.gz ok), whole or not at all. Raises: EvalInputProblem."""
    content = "".join(f"{line}\n" for line in lines).encode()
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
        partial.replace(path)
    except OSError as error:
        raise EvalInputProblem(f"{path} cannot be written: {error.strerror}") from None
    return len(lines)


def schema_text() -> str:
    """The published JSON schema of a transcript line."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    schema |= Transcript.model_json_schema()
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
