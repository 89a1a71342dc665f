"""Looking at many models at once: each in a process of its own where there are many, in a fixed order."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from modelshelf.errors import ModelshelfError
from modelshelf.formats import WeightFormat, read_folder_config, read_tensors, read_tree
from modelshelf.identify import Recollection, identify
from modelshelf.metadata import read_claims, read_metadata
from modelshelf.schema.identity import Identity
from modelshelf.schema.metadata import ModelMetadata
from modelshelf.schema.source import SourceFile, SourceTree
from modelshelf.schema.tensor import TensorIndex

if TYPE_CHECKING:
    from concurrent.futures import Executor

__all__ = ["Probed", "probe_all", "probe_model"]

_MANY = 200
"""Below, starting processes takes longer than they save."""
_CHUNK = 100
"""Most models handed to a process at a time: it remembers the layouts of these, and no others."""
_TURNS = 4
"""How often each process takes some, at least, so that none waits long for the last."""
_MOST_PROCESSES = 8
"""Reading headers keeps a disk busy with fewer."""
_GARBAGE = 100_000
"""New objects after which Python looks for cycles."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What one look at one model found."""

    path: Path
    """The model, as it was named or found."""
    identity: Identity | None
    """What it is; None where it could not be read."""
    metadata: ModelMetadata = field(default_factory=ModelMetadata)
    """What is written about it; without what lies inside the file unless all was asked for."""
    findings: tuple[str, ...] = ()
    """What the reader of the file refused or left alone."""
    error: ModelshelfError | None = None
    """Why it could not be read; None where it could."""


def probe_model(
    path: Path,
    *,
    whole: bool = True,
    follow_links: bool = False,
    known: Recollection | None = None,
) -> Probed:
    """Say what the model at *path* is, by its tensors and by what stands beside it.

    Args:
        path: A model file or folder.
        whole: Also return evidence, near misses, components and what the file says about itself;
            without it a result is small and quick.
        follow_links: Take files that links point to outside a folder, too.
        known: As of `identify`.
    """
    try:
        tree = read_tree(path, follow_links=follow_links)
        if not whole:
            identity = identify(tree, declared=read_claims(tree.root), known=known)
            return Probed(path, replace(identity, evidence=(), near_misses=(), components=()))
        index = _own_index(tree)
        metadata = read_metadata(tree.root, index.metadata)
        header = index if tree.is_file else None
        identity = identify(tree, declared=metadata.beside, header=header, known=known)
    except ModelshelfError as error:
        return Probed(path, None, error=error)
    return Probed(path, identity, metadata, index.findings)


def _own_index(tree: SourceTree) -> TensorIndex:
    """Read the header that speaks for the model; none does where a folder has several weights."""
    file = tree.files[0] if tree.is_file else _only_weights(tree)
    return TensorIndex(tensors={}) if file is None else read_tensors(file)


def _only_weights(tree: SourceTree) -> SourceFile | None:
    weights = read_folder_config(tree).weights
    if len(weights) != 1 or weights[0].is_index:
        return None
    return weights[0].member if weights[0].format is WeightFormat.SAFETENSORS else None


def probe_all(
    paths: Sequence[Path],
    *,
    whole: bool,
    follow_links: bool = False,
    pool: Callable[[], Executor] | None = None,
) -> Iterator[Probed]:
    """Probe every path and yield the results in the order of *paths*.

    Args:
        paths: Model files and folders.
        whole: As of `probe_model`.
        follow_links: As of `probe_model`.
        pool: Makes the processes that do the work; None starts them where there are many models
            and more than one core.
    """
    probe = partial(_probe_some, whole=whole, follow_links=follow_links)
    if pool is None:
        if len(paths) < _MANY or _cores() < 2:  # noqa: PLR2004 - one core has nothing to share
            yield from probe(paths)
            return
        pool = _processes
    yield from _probe_together(paths, probe, pool)


def _probe_together(
    paths: Sequence[Path],
    probe: Callable[[Sequence[Path]], Iterator[Probed]],
    pool: Callable[[], Executor],
) -> Iterator[Probed]:
    # Imported here: few models need no processes.
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415 - see above

    done = 0
    executor = pool()
    try:
        size = min(_CHUNK, -(-len(paths) // (_TURNS * _cores())))
        chunks = [paths[at : at + size] for at in range(0, len(paths), size)]
        for probed in executor.map(partial(_probe_chunk, probe), chunks):
            done += len(probed)
            yield from probed
    except BrokenProcessPool:
        # Somebody killed a process, the system for want of memory perhaps: go on alone.
        yield from probe(paths[done:])
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def _probe_chunk(
    probe: Callable[[Sequence[Path]], Iterator[Probed]], paths: Sequence[Path]
) -> list[Probed]:
    return list(probe(paths))


def _probe_some(paths: Sequence[Path], *, whole: bool, follow_links: bool) -> Iterator[Probed]:
    known = Recollection()
    for path in paths:
        yield probe_model(path, whole=whole, follow_links=follow_links, known=known)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _processes() -> Executor:
    # Imported here: few models need no processes.
    import multiprocessing  # noqa: PLC0415 - see above
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 - see above

    # A forked process has everything imported already; elsewhere than on Linux forking is not safe.
    method = "fork" if sys.platform == "linux" else "spawn"
    return ProcessPoolExecutor(
        min(_cores(), _MOST_PROCESSES),
        mp_context=multiprocessing.get_context(method),
        initializer=_settle,
    )


def _settle() -> None:
    """Make a new process fit for the work."""
    # The parent hears of an interruption and says when to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Headers are many small objects without cycles; looking for some costs a tenth of the time.
    gc.freeze()
    gc.set_threshold(_GARBAGE)
