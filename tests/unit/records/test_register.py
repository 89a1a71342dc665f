from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from modelshelf.records.register import merge_bases, pipeline_digest
from modelshelf.schema.digest import Digest
from modelshelf.schema.taxonomy import BaseModelType

BASES = st.lists(st.sampled_from(BaseModelType), max_size=4)


class TestMergeBases:
    """Others, such as the beloved safety checker, support all model bases (type "any") (NMM)."""

    @given(one=BASES, other=BASES)
    def test_learns_without_forgetting(
        self, one: list[BaseModelType], other: list[BaseModelType]
    ) -> None:
        """Every certain base of both is kept once, `any` swallows them, `unknown` is for none."""
        merged = merge_bases([base.value for base in one], other)
        certain = {*one, *other} - {BaseModelType.UNKNOWN}
        if BaseModelType.ANY in certain:
            assert merged == ["any"]
        else:
            assert set(merged) == {base.value for base in certain or {BaseModelType.UNKNOWN}}
        assert len(merged) == len(set(merged))

    @given(one=BASES, other=BASES)
    def test_learning_again_changes_nothing(
        self, one: list[BaseModelType], other: list[BaseModelType]
    ) -> None:
        """What was learnt twice is what was learnt once, in the same order."""
        merged = merge_bases([base.value for base in one], other)
        assert merge_bases(merged, other) == merged


def test_a_pipeline_is_its_parts_and_where_they_are() -> None:
    """The order of folders does not matter, the folders and parts do."""
    one, two = Digest.blake3(b"1" * 32), Digest.blake3(b"2" * 32)
    digest = pipeline_digest({"vae": one, "unet": two})
    assert digest == pipeline_digest({"unet": two, "vae": one})
    assert digest != pipeline_digest({"vae": two, "unet": one})
    assert digest != pipeline_digest({"vae": one})
