"""Checkpoints of torch, whatever their layout, read without torch and without running anything."""

from __future__ import annotations

import os
from pathlib import Path

from modelshelf.errors import InvalidCheckpointError, RefusedCheckpointError
from modelshelf.formats.fault import FormatFault
from modelshelf.formats.opening import reading
from modelshelf.formats.pickle_values import CheckpointFault
from modelshelf.formats.reading_budget import ReadingBudget
from modelshelf.formats.stranger import guess_stranger
from modelshelf.formats.torch_legacy import read_torch_legacy
from modelshelf.formats.torch_tar import is_tar, read_torch_tar
from modelshelf.formats.torch_zip import read_torch_zip
from modelshelf.schema.tensor import TensorIndex

__all__ = ["read_checkpoint"]

_START = 512


def read_checkpoint(path: Path, *, budget: ReadingBudget | None = None) -> TensorIndex:
    """Read names, dtypes, shapes and places of all tensors in the checkpoint *path*.

    Reads the description and nothing of the weights. Nothing that the file names is imported, called
    or executed; names that no checkpoint needs are told in `findings`. Known wrappers such as
    `state_dict` are taken off, and `metadata["unwrapped"]` says so; plain words and numbers at the top
    are metadata too.

    Args:
        path: A regular file: a ZIP archive of torch 1.6 or later, the five pickles in a row of torch
            before it, or the tar archive of torch 0.1.
        budget: What may be read of this file and of others beside it; None where there are none.

    Returns:
        The tensors in the file's order. Where a tensor's bytes are no single range of the file, for it
        is strided, compressed or big-endian, its place is 0, 0.

    Raises:
        InvalidCheckpointError: The file is broken, or no checkpoint.
        RefusedCheckpointError: A tensor could only be read by running what the file names.
        SourceNotFoundError: It is gone.
        SourceUnreadableError: The operating system refuses to read it.
    """
    try:
        with reading(path) as stream:
            return _read(stream.fileno(), budget or ReadingBudget())
    except FormatFault as error:
        is_refused = isinstance(error, CheckpointFault) and error.is_refused
        kind = RefusedCheckpointError if is_refused else InvalidCheckpointError
        raise kind(path=str(path), problem=error.problem) from error


def _read(descriptor: int, budget: ReadingBudget) -> TensorIndex:
    size = os.fstat(descriptor).st_size
    start = os.pread(descriptor, _START, 0)
    if start.startswith(b"PK\x03\x04"):
        return read_torch_zip(descriptor, size, budget)
    if is_tar(start):
        return read_torch_tar(descriptor, size, budget)
    if start.startswith(b"\x80"):
        return read_torch_legacy(descriptor, size, budget)
    got = f"got {start[:4]!r}{guess_stranger(start)}"
    raise CheckpointFault(problem=f"expected a ZIP archive, a pickle or a tar archive, {got}")
