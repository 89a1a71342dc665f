from __future__ import annotations

import pickle

import pytest

from modelshelf.schema.tensor import TensorColumns, TensorEntry, TensorIndex, TensorKind

KINDS = {"b": TensorKind("F16", (2, 3), 12), "a": TensorKind("F32", (), 4)}
COLUMNS = TensorColumns(KINDS, start=100)
ENTRIES = {"b": TensorEntry("F16", (2, 3), 100, 112), "a": TensorEntry("F32", (), 112, 116)}


def test_columns_are_a_mapping_like_any_other() -> None:
    """Nobody who reads them can tell them from a dictionary of entries."""
    assert COLUMNS == ENTRIES
    assert list(COLUMNS) == list(ENTRIES)
    assert list(COLUMNS.items()) == list(ENTRIES.items())
    assert list(COLUMNS.values()) == list(ENTRIES.values())
    assert (len(COLUMNS), "a" in COLUMNS, "c" in COLUMNS) == (2, True, False)
    assert (COLUMNS["a"], COLUMNS.get("c")) == (ENTRIES["a"], None)
    assert repr(COLUMNS) == repr(ENTRIES)
    with pytest.raises(KeyError):
        COLUMNS["c"]


def test_columns_travel_between_processes() -> None:
    """A pool that probes a library sends them back."""
    assert pickle.loads(pickle.dumps(COLUMNS)) == ENTRIES  # noqa: S301 - written here


@pytest.mark.parametrize("tensors", [COLUMNS, ENTRIES], ids=["columns", "entries"])
def test_shapes_and_dtypes_are_there_whatever_the_tensors_are_kept_in(
    tensors: TensorColumns | dict[str, TensorEntry],
) -> None:
    """One name or all."""
    index = TensorIndex(tensors)
    assert index.shapes == {"b": (2, 3), "a": ()}
    assert (index.shape("b"), index.shape("c")) == ((2, 3), None)
    assert index.dtypes == {"F16", "F32"}
    told = {name: (kind.dtype, kind.shape, kind.length) for name, kind in index.kinds.items()}
    assert told == {"b": ("F16", (2, 3), 12), "a": ("F32", (), 4)}


def test_tensors_that_are_alike_are_of_one_kind() -> None:
    """Whoever counts kinds counts them as objects."""
    alike = {"a": TensorEntry("F32", (), 0, 4), "b": TensorEntry("F32", (), 4, 8)}
    kinds = TensorIndex(alike).kinds
    assert kinds["a"] is kinds["b"]
