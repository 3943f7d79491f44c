"""The folder of a local index: generations, manifest, checksums and the lock.

    OUT/CURRENT                    name of the generation in use, replaced in one step
    OUT/write.lock                 held by whoever writes; the system frees it when a process dies
    OUT/<generation>/manifest.json the last thing written by every change: sizes, checksums, counter
    OUT/<generation>/...           files that only grow, `text` (tantivy), knowledge files

A file may be longer than the manifest says (a change was killed): readers ignore the rest and the
next writer cuts it off. Nothing shorter or different is ever accepted. Does not know what the
files mean. Called by local/snapshot.py, local/writer.py and jobs/build_index.py.
"""

import errno
import fcntl
import json
import os
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from retrieval.index import IndexCorrupt, IndexMissing, IndexReadOnly

FORMAT = 1
"""Raised when the layout changes; an older index is then rebuilt."""
CURRENT = "CURRENT"
MANIFEST = "manifest.json"
LOCK = "write.lock"
LOCK_WAIT_S = 5.0
"""A single upsert takes well below a second, so a lock held longer is a build."""
_CHUNK = 1 << 20

REBUILD = "rebuild it with: usher index build --catalog FILE_OR_DIR --out"


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of a file counts, and the crc32 of that part."""

    size: int = 0
    crc: int = 0


@dataclass(frozen=True, slots=True)
class KnowledgeFile:
    """A stored knowledge file and the sha of the file it was made from."""

    sha: str
    file: str
    extent: Extent


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything a reader needs to trust a generation."""

    encoder_name: str
    encoder_sha: str
    dimension: int
    built_at: str
    source: str
    counter: int = 0
    rows: int = 0
    purged: int = 0
    """How many of the dead rows tantivy has already dropped."""
    files: Mapping[str, Extent] = field(default_factory=dict)
    text_files: Mapping[str, Extent] = field(default_factory=dict)
    knowledge: Mapping[str, KnowledgeFile] = field(default_factory=dict)
    format: int = FORMAT


def current_generation(folder: Path) -> Path:
    """The folder of the generation in use."""
    try:
        name = (folder / CURRENT).read_text(encoding="ascii").strip()
    except (FileNotFoundError, NotADirectoryError):
        raise IndexMissing(
            f"no index at {folder}; make one with: "
            f"usher index build --catalog FILE_OR_DIR --out {folder}"
        ) from None
    except UnicodeDecodeError:
        name = ""
    if not name or "/" in name or not (folder / name).is_dir():
        raise IndexCorrupt(f"{folder / CURRENT} names no generation; {REBUILD} {folder}")
    return folder / name


def switch_current(folder: Path, generation: str) -> None:
    """Make a finished generation the one in use."""
    _replace(folder / CURRENT, f"{generation}\n".encode("ascii"))


def read_manifest(generation: Path) -> Manifest:
    """The manifest of a generation, checked against its own checksum."""
    path = generation / MANIFEST
    try:
        check, _, body = path.read_bytes().partition(b"\n")
        if int(check, 16) != zlib.crc32(body):
            raise ValueError("checksum")
        return _manifest(json.loads(body))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IndexCorrupt(
            f"{path} cannot be read ({error}); {REBUILD} {generation.parent}"
        ) from error


def _manifest(raw: dict[str, object]) -> Manifest:
    if raw["format"] != FORMAT:
        raise ValueError(f"layout {raw['format']}, this version reads {FORMAT}")
    for name in ("files", "text_files"):
        raw[name] = {k: Extent(**v) for k, v in _mapping(raw[name]).items()}
    raw["knowledge"] = {
        k: KnowledgeFile(v["sha"], v["file"], Extent(**v["extent"]))
        for k, v in _mapping(raw["knowledge"]).items()
    }
    return Manifest(**raw)  # type: ignore[arg-type]


def _mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value


def write_manifest(generation: Path, manifest: Manifest) -> None:
    """The commit point of every change."""
    body = json.dumps(asdict(manifest)).encode()
    _replace(generation / MANIFEST, b"%08x\n" % zlib.crc32(body) + body)


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name(path.name + ".new")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def extent_of(path: Path, size: int | None = None) -> Extent:
    """Size and checksum of the first `size` bytes (all, if None), read in chunks."""
    crc = done = 0
    with path.open("rb") as file:
        while size is None or done < size:
            wanted = _CHUNK if size is None else min(_CHUNK, size - done)
            chunk = file.read(wanted)
            if not chunk:
                break
            crc = zlib.crc32(chunk, crc)
            done += len(chunk)
    return Extent(done, crc)


class Appender:
    """Appends to the files of a generation; nothing counts until the manifest says so."""

    def __init__(self, generation: Path, extents: Mapping[str, Extent], names: list[str]) -> None:
        self._extents = {name: extents.get(name, Extent()) for name in names}
        self._files = {name: (generation / name).open("ab") for name in names}
        for name, file in self._files.items():
            # Cut off what a killed change left behind.
            file.truncate(self._extents[name].size)
            file.seek(0, os.SEEK_END)

    def append(self, name: str, content: bytes) -> None:
        before = self._extents[name]
        self._files[name].write(content)
        self._extents[name] = Extent(before.size + len(content), zlib.crc32(content, before.crc))

    def size(self, name: str) -> int:
        return self._extents[name].size

    def sync(self) -> dict[str, Extent]:
        """Bring everything to disk; the extents to write into the manifest."""
        for file in self._files.values():
            file.flush()
            os.fsync(file.fileno())
        return dict(self._extents)

    def close(self) -> None:
        for file in self._files.values():
            try:
                file.close()
            except OSError:
                # A full disk makes the last flush fail; the manifest never counted those bytes.
                continue


@contextmanager
def write_lock(folder: Path, wait_s: float = LOCK_WAIT_S) -> Iterator[None]:
    """Be the only writer of an index folder, in this and every other process."""
    with refusing(folder):
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _acquire(descriptor, folder, time.monotonic() + wait_s)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, folder: Path, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                owner = os.pread(descriptor, 20, 0).decode(errors="replace") or "unknown"
                raise IndexReadOnly(
                    f"{folder} is being written by process {owner}; try again when it has finished"
                ) from None
            time.sleep(0.02)


_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def refusing(folder: Path) -> Iterator[None]:
    """Turn what the file system refuses into IndexReadOnly with the next step."""
    try:
        yield
    except OSError as error:
        raise IndexReadOnly(_reason(folder, error)) from error


def _reason(folder: Path, error: OSError) -> str:
    if error.errno in _FULL:
        return f"no space left for {folder}; nothing was changed: free some space and try again"
    return (
        f"cannot write {folder} ({error.strerror or error}); nothing was changed: "
        "check free space and write access, or choose another folder"
    )
