from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from modelshelf.errors import HubError
from modelshelf.schema.model_source import HFModelSource
from modelshelf.schema.taxonomy import ModelRepoVariant
from modelshelf.sources import Selection, select_files
from modelshelf.sources.weight_names import LAYOUT_STEMS, WeightsName

pytestmark = pytest.mark.property

_folders = st.sampled_from(["", "unet/", "vae/", "text_encoder/", "tokenizer/", "checkpoint-5/"])
_stems = st.sampled_from(
    ["diffusion_pytorch_model", "model", "pytorch_model", "flax_model", "openvino_model", "ink"]
)
_middles = st.sampled_from(["", ".fp16", ".fp32", ".non_ema", "-00001-of-00002", "-00002-of-00002"])
_suffixes = st.sampled_from(
    [".safetensors", ".bin", ".ckpt", ".onnx", ".onnx_data", ".xml", ".msgpack", ".h5", ".gguf"]
)
_weights = st.builds("{}{}{}{}".format, _folders, _stems, _middles, _suffixes)
_others = st.builds(
    "{}{}".format,
    _folders,
    st.sampled_from(
        ["config.json", "README.md", "LICENSE", "a.png", "optimizer.bin", "merges.txt", "x.py",
         "model.safetensors.index.json"]
    ),
)  # fmt: skip
_names = st.sets(_weights | _others | st.just("model_index.json"), max_size=25)
_variants = st.none() | st.sampled_from(ModelRepoVariant)


def _select(names: set[str] | list[str], variant: ModelRepoVariant | None) -> Selection | None:
    source = HFModelSource(repo_id="acme/lens", variant=variant)
    try:
        return select_files(source, names)
    except HubError:
        return None


@given(_names, _variants)
def test_what_is_chosen_is_there_and_is_no_leftover(
    names: set[str], variant: ModelRepoVariant | None
) -> None:
    """A part of the listing, without what training leaves, under names that are all different."""
    found = _select(names, variant)
    assume(found is not None)
    assert found is not None
    assert found.names.keys() <= names
    assert len(set(found.names.values())) == len(found.names)
    assert not any("optimizer" in name or "checkpoint-5" in name for name in found.names)
    assert not any(name.endswith((".png", ".py", ".h5")) for name in found.names)


@given(_names, _variants)
def test_no_folder_brings_two_forms_of_its_weights(
    names: set[str], variant: ModelRepoVariant | None
) -> None:
    """Of all that a library saves in one folder there is one kind, one variant, one container."""
    found = _select(names, variant)
    assume(found is not None)
    assert found is not None
    forms: dict[str, set[tuple[str, ...]]] = {}
    for path in found.names:
        name = WeightsName.parse(path)
        if name is not None and name.stem in LAYOUT_STEMS and name.kind not in {"onnx", "openvino"}:
            form = (name.kind, name.stem, name.variant, name.suffix)
            forms.setdefault(name.folder, set()).add(form)
    assert all(len(one) == 1 for one in forms.values())


@given(_names, _variants, st.randoms())
def test_the_order_of_a_listing_does_not_matter(
    names: set[str],
    variant: ModelRepoVariant | None,
    random: object,
) -> None:
    """Hubs promise none."""
    shuffled = sorted(names)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert _select(shuffled, variant) == _select(sorted(names), variant)


@given(_names, _variants)
def test_choosing_from_what_was_chosen_chooses_all_of_it(
    names: set[str], variant: ModelRepoVariant | None
) -> None:
    """Nothing that was taken is in the way of something else that was taken."""
    found = _select(names, variant)
    assume(found is not None)
    assert found is not None
    again = _select(set(found.names.values()), variant)
    assert again is not None
    assert sorted(again.names) == sorted(found.names.values())
    assert (again.variant, again.is_folder) == (found.variant, found.is_folder)
