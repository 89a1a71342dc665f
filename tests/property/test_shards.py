from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.errors import FormatError, InvalidShardIndexError
from modelshelf.formats import read_shards, read_tree
from modelshelf.schema.tensor import TensorIndex
from modelshelf.testing import tiny

pytestmark = pytest.mark.property

INDEX = "model.safetensors.index.json"
NAMES = st.text("ab.", min_size=1, max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@contextmanager
def shards(files: dict[str, list[str]], index: bytes) -> Iterator[TensorIndex]:
    """A folder of shards with these tensors, beside this index; what it says while it is there."""
    with tempfile.TemporaryDirectory() as folder:
        for file, names in files.items():
            tensors = dict.fromkeys(names, ("F16", (2,)))
            tiny.write_safetensors(Path(folder) / file, tensors, seed=0)
        (Path(folder) / INDEX).write_bytes(index)
        tree = read_tree(Path(folder))
        found = next(one for one in tree.files if one.member.name == INDEX)
        yield read_shards(tree, found)


class TestShards:
    """'one header of all shards': what the index says, checked against what lies beside it."""

    @given(
        st.dictionaries(NAMES, st.sampled_from(["1.safetensors", "2.safetensors"]), min_size=1),
        st.sets(st.sampled_from(["1.safetensors", "2.safetensors"])),
    )
    def test_a_sound_model_is_read_whole_and_what_is_missing_is_named(
        self, weight_map: dict[str, str], missing: set[str]
    ) -> None:
        """Every tensor is there in the index's order; only those of a missing shard have no shape."""
        files: dict[str, list[str]] = {}
        for name, file in weight_map.items():
            if file not in missing:
                files.setdefault(file, []).append(name)
        with shards(files, json.dumps({"weight_map": weight_map}).encode()) as index:
            assert list(index.tensors) == list(weight_map)
            assert index.missing_shards == tuple(sorted(missing & set(weight_map.values())))
            known = {name for name, entry in index.tensors.items() if entry.dtype}
            assert known == {name for name, file in weight_map.items() if file not in missing}

    @given(st.dictionaries(NAMES, st.text(max_size=8) | JSON, min_size=1, max_size=3))
    def test_any_map_is_read_or_a_typed_error(self, weight_map: dict[str, object]) -> None:
        """Names that leave the folder, names that are none, wrong types."""
        raw = json.dumps({"weight_map": weight_map}).encode()
        try:
            with shards({"a": ["a"]}, raw) as index:
                assert set(index.tensors) == set(weight_map)
        except InvalidShardIndexError:
            return

    @given(JSON.map(lambda document: json.dumps(document).encode()) | st.binary(max_size=60))
    def test_any_bytes_are_an_index_or_a_typed_error(self, raw: bytes) -> None:
        """Never another exception."""
        with pytest.raises(FormatError), shards({}, raw):
            pass
