"""Vectors by the text they were made from: what a killed build keeps, also for the next build.

One file per encoder that only grows: a header, then records of equal size (crc32, key, vector). A
record that was cut off or damaged ends the file for the reader and is overwritten by the next
writer. Does not know movies. Called by jobs/prepare.py, under the index's write lock.
"""

import os
import zlib
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from retrieval.encoder import EncoderIdentity

_KEY = 16
"""Bytes of the hash of a text."""
_CRC = 4
WASTE = 2
"""A cache with more than twice the records that the last build used is packed."""


def key_of(text: str) -> bytes:
    """The key of a text; the encoder is in the file's header."""
    return blake2b(text.encode(), digest_size=_KEY).digest()


class VectorCache:
    """Opened for one build; `with` closes it."""

    def __init__(self, folder: Path, encoder: EncoderIdentity) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"vectors-{encoder.sha[:16]}.bin"
        self._dimension = encoder.dimension
        self._header = f"usher vectors 1 {encoder.sha} {encoder.dimension}\n".encode()
        self._record = _KEY + _CRC + 4 * encoder.dimension
        self._file: BinaryIO = self._path.open("a+b")
        self._places = self._read()
        self._used: set[bytes] = set()

    def __enter__(self) -> "VectorCache":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._places)

    def missing(self, keys: Iterable[bytes]) -> list[bytes]:
        """Those that are not there, each once."""
        return [key for key in dict.fromkeys(keys) if key not in self._places]

    def put(self, keys: Sequence[bytes], vectors: npt.NDArray[np.float32]) -> None:
        """Append; from here on a killed process does not lose them."""
        self._file.seek(0, os.SEEK_END)
        at = self._file.tell()
        records = []
        for key, vector in zip(keys, vectors, strict=True):
            body = key + np.asarray(vector, dtype="<f4").tobytes()
            records.append(zlib.crc32(body).to_bytes(_CRC, "little") + body)
            self._places[key] = at
            at += self._record
        self._file.write(b"".join(records))
        self._file.flush()

    def get(self, keys: Sequence[bytes]) -> npt.NDArray[np.float32]:
        """The vectors of keys that are there, (n, d)."""
        rows = np.empty((len(keys), self._dimension), dtype=np.float32)
        for row, key in enumerate(keys):
            start = self._places[key] + _CRC + _KEY
            content = os.pread(self._file.fileno(), 4 * self._dimension, start)
            rows[row] = np.frombuffer(content, dtype="<f4")
        self._used.update(keys)
        return rows

    def pack(self) -> None:
        """After a finished build: drop what it did not use, when that is most of the file."""
        if len(self._places) <= WASTE * max(1, len(self._used)):
            return
        packed = self._path.with_suffix(".new")
        with packed.open("wb") as out:
            out.write(self._header)
            for key in self._used:
                out.write(os.pread(self._file.fileno(), self._record, self._places[key]))
            out.flush()
            os.fsync(out.fileno())
        os.replace(packed, self._path)

    def _read(self) -> dict[bytes, int]:
        """The places of all good records; what follows the last good one is cut off."""
        self._file.seek(0)
        places: dict[bytes, int] = {}
        if self._file.read(len(self._header)) != self._header:
            self._file.truncate(0)
            self._file.write(self._header)
            self._file.flush()
            return places
        at = len(self._header)
        while len(record := self._file.read(self._record)) == self._record:
            if zlib.crc32(record[_CRC:]).to_bytes(_CRC, "little") != record[:_CRC]:
                break
            places[record[_CRC : _CRC + _KEY]] = at
            at += self._record
        self._file.truncate(at)
        return places
