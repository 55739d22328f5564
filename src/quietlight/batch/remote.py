"""Files of a store that fsspec knows (s3://, gs://, memory://, ...): listed, brought here for the work, and results put there."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator, Set
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from quietlight.batch.places import JOURNAL, Stamp, is_url
from quietlight.frames import UnusableInput

if TYPE_CHECKING:
    from quietlight.batch.inputs import Job

_WILDCARDS = frozenset("*?[")
_PART = 256 << 10
"""Bytes of a part of a journal, which is written anew for each line."""


def store(url: str) -> tuple[Any, str]:
    """The file system of a URL and its path there. Raises UnusableInput where fsspec or what it needs is missing."""
    try:
        import fsspec
    except ImportError as error:
        raise UnusableInput(f"{url}: needs fsspec: pip install 'quietlight[distributed]'") from error
    try:
        # Other processes write there, too: what was listed once may not hold.
        found: tuple[Any, str] = fsspec.core.url_to_fs(url, use_listings_cache=False)
    except (ImportError, ValueError) as error:
        raise UnusableInput(f"{url}: {' '.join(str(error).split())}") from error
    return found


def find(url: str, suffixes: Set[str] | None, without: str) -> list[tuple[str, PurePosixPath]]:
    """(URL, path below what was searched) of a file, all files below a folder, or those of a pattern, in sorted order.

    Of several, none that are hidden, below the folder `without`, or of other suffixes.
    """
    files, root = store(url)
    root = root.rstrip("/")
    if files.isfile(root):
        return [(str(files.unstrip_protocol(root)), PurePosixPath(root.rpartition("/")[2]))]
    if _WILDCARDS & set(root):
        paths = [path for path in files.glob(root) if files.isfile(path)]
        base = root[: min(root.find(c) for c in _WILDCARDS if c in root)].rpartition("/")[0]
    else:
        paths, base = files.find(root), root
    out = store(without)[1].rstrip("/") if is_url(without) else base
    places = [
        (path, PurePosixPath(path[len(base) :].lstrip("/")))
        for path in sorted(paths)
        if out == base or not path.startswith(f"{out}/")
    ]
    return [
        (str(files.unstrip_protocol(path)), place)
        for path, place in places
        if not any(part.startswith(".") for part in place.parts)
        and (suffixes is None or place.suffix.lower() in suffixes)
    ]


def stamp_of(url: str) -> Stamp:
    """Size and mark of a file of a store. Raises OSError where there is none."""
    files, path = store(url)
    return [files.size(path) or 0, files.ukey(path)]


@contextmanager
def brought(job: Job) -> Iterator[Job]:
    """The job with its file, and the XMP sidecars of that, on this machine while the block runs. Raises OSError."""
    with tempfile.TemporaryDirectory(prefix="quietlight-") as folder:
        files, path = store(job.url)
        local = Path(folder) / job.source.name
        if not files.isfile(path):
            raise UnusableInput(f"{job.url}: there is no such file")
        files.get_file(path, str(local))
        stem = path.rpartition(".")[0] or path
        for sidecar in (f"{stem}.xmp", f"{path}.xmp"):
            if files.isfile(sidecar):
                files.get_file(sidecar, str(local.with_name(PurePosixPath(sidecar).name)))
        yield replace(job, source=local)


class Store:
    """A folder of a store, as `places.Place`. Its journal is a file per run and `_PART` bytes, since a store appends no lines."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._run = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:4]}"
        self._parts, self._part = 0, b""

    def _at(self, name: PurePosixPath | str) -> tuple[Any, str]:
        files, root = store(self.url)
        return files, f"{root.rstrip('/')}/{name}"

    def shown(self, name: PurePosixPath) -> str:
        return f"{self.url.rstrip('/')}/{name}"

    def key(self, name: PurePosixPath) -> str:
        files, path = self._at(name)
        return str(files.unstrip_protocol(path))

    def clear(self, name: PurePosixPath) -> None:
        """Nothing: what was put there by halves never appeared."""

    def stamp(self, name: PurePosixPath) -> Stamp | None:
        files, path = self._at(name)
        return stamp_of(self.shown(name)) if files.exists(path) else None

    @contextmanager
    def opened(self, name: PurePosixPath) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="quietlight-") as folder:
            yield Path(folder) / name.name
            made = sorted(Path(folder).iterdir(), key=lambda path: path.name == name.name)  # itself last
            for local in made:
                self._put(local, name.with_name(local.name))

    def _put(self, local: Path, name: PurePosixPath) -> None:
        """Copied as a whole or not at all, as far as the store can."""
        files, path = self._at(name)
        files.makedirs(path.rpartition("/")[0], exist_ok=True)
        with ExitStack() as stack:
            source = stack.enter_context(local.open("rb"))
            stack.enter_context(files.transaction)
            shutil.copyfileobj(source, stack.enter_context(files.open(path, "wb")))

    def journal(self) -> list[str]:
        files, start = self._at(JOURNAL)
        if not files.exists(start.rpartition("/")[0]):
            return []
        texts = (files.cat_file(path).decode(errors="replace") for path in sorted(files.glob(f"{start}*")))
        return [line for text in texts for line in text.splitlines()]

    def note(self, line: str) -> None:
        if len(self._part) > _PART:
            self._parts, self._part = self._parts + 1, b""
        self._part += f"{line}\n".encode()
        files, path = self._at(f"{JOURNAL}.{self._run}.{self._parts:04}")
        files.makedirs(path.rpartition("/")[0], exist_ok=True)
        files.pipe_file(path, self._part)
