"""Checkpoints as torch writes them since 1.6: a ZIP archive of one pickle and a file for each storage.

    <root>/data.pkl      the object; its tensors name their storages
    <root>/data/<key>    the numbers of one storage, stored and aligned to 64 bytes
    <root>/byteorder     `little` or `big`; missing means little
    <root>/code/…        only in TorchScript: a program, of which nothing is read

https://docs.pytorch.org/docs/stable/notes/serialization.html#serialized-file-format-for-torch-save
"""

from __future__ import annotations

from collections.abc import Mapping

from modelshelf.formats.pickle_reader import read_pickle
from modelshelf.formats.pickle_values import CheckpointFault
from modelshelf.formats.reading_budget import ReadingBudget
from modelshelf.formats.torch_index import build_index
from modelshelf.formats.torch_tensor import Place
from modelshelf.formats.zip_directory import ZipEntry, open_entry, read_directory, stored_at
from modelshelf.schema.tensor import Container, TensorIndex

__all__ = ["read_torch_zip"]

_PICKLE = "/data.pkl"
_LARGEST_PICKLE = 64 << 20
_LONGEST_WORD = 16
_ENTRY_COST = 4


def read_torch_zip(descriptor: int, size: int, budget: ReadingBudget) -> TensorIndex:
    """Read the checkpoint in the ZIP archive of *size* bytes behind *descriptor*.

    Raises:
        CheckpointFault: The archive or the pickle is broken, or a tensor could only be read by
            running something.
    """
    entries = read_directory(descriptor, size)
    budget.spend(_ENTRY_COST * len(entries))
    root = _root(entries)
    findings = set(_odd_names(entries, root))
    code = f"{root}/code/"
    if f"{root}/constants.pkl" in entries or any(name.startswith(code) for name in entries):
        findings.add("it is a TorchScript program; nothing of it was read")
        return TensorIndex(tensors={}, container=Container.PICKLE, findings=tuple(sorted(findings)))
    entry = entries[root + _PICKLE]
    if entry.size > _LARGEST_PICKLE:
        raise CheckpointFault(
            problem=f"its pickle has {entry.size} bytes, expected at most {_LARGEST_PICKLE}"
        )
    pickle = read_pickle(open_entry(descriptor, entry), budget)
    is_big = _is_big_endian(descriptor, entries.get(f"{root}/byteorder"))
    if is_big:
        findings.add("its numbers are big-endian: their places are left out")

    data = f"{root}/data/"

    def locate(key: str) -> Place | None:
        stored = entries.get(data + key)
        if stored is None:
            return None
        if stored.method or stored.is_encrypted or stored.packed != stored.size:
            findings.add(
                "some of its storages are compressed or encrypted: their places are left out"
            )
            return Place(None, stored.size)
        begin = stored_at(descriptor, stored)
        return Place(None if is_big else begin, stored.size)

    return build_index(pickle, locate, budget, findings)


def _root(entries: Mapping[str, ZipEntry]) -> str:
    """Return the one folder at the top of the archive that holds a pickle."""
    roots = [
        name.removesuffix(_PICKLE)
        for name in entries
        if name.endswith(_PICKLE) and name.count("/") == 1
    ]
    if len(roots) != 1:
        raise CheckpointFault(
            problem=f"the archive holds `data.pkl` {len(roots)} times, expected once: "
            + (
                "it is no checkpoint of torch"
                if not roots
                else "readers would see different models"
            )
        )
    return roots[0]


def _odd_names(entries: Mapping[str, ZipEntry], root: str) -> list[str]:
    """Say what is in the archive that torch did not put there. None of it is unpacked or opened."""
    inside = f"{root}/"
    odd = [
        name
        for name in entries
        if not name.startswith(inside) or (".." in name and ".." in name.split("/"))
    ]
    shown = ", ".join(repr(name[:100]) for name in sorted(odd)[:3])
    entries_are = "entry of the archive is" if len(odd) == 1 else "entries of the archive are"
    return [f"{len(odd)} {entries_are} outside of the checkpoint: {shown}"] if odd else []


def _is_big_endian(descriptor: int, entry: ZipEntry | None) -> bool:
    if entry is None:
        return False
    word = open_entry(descriptor, entry).read(_LONGEST_WORD)
    if word not in {b"little", b"big"}:
        raise CheckpointFault(problem=f"its byte order is {word!r}, expected `little` or `big`")
    return word == b"big"
