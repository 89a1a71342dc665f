from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from modelshelf.schema.served_bases import served_bases
from modelshelf.schema.taxonomy import BaseModelType

BASES = st.lists(st.sampled_from(BaseModelType), max_size=4)


class TestServedBases:
    """Others, such as the beloved safety checker, support all model bases (type "any") (NMM)."""

    @given(own=BASES, others=BASES)
    def test_forgets_none(self, own: list[BaseModelType], others: list[BaseModelType]) -> None:
        """Every certain base of both is kept once, `any` swallows them, `unknown` is for none."""
        served = served_bases(own, others)
        certain = {*own, *others} - {BaseModelType.UNKNOWN}
        if BaseModelType.ANY in certain:
            assert served == (BaseModelType.ANY,)
        else:
            assert set(served) == (certain or {BaseModelType.UNKNOWN})
        assert len(served) == len(set(served))

    @given(own=BASES, others=BASES)
    def test_the_order_in_which_others_came_is_not_seen(
        self, own: list[BaseModelType], others: list[BaseModelType]
    ) -> None:
        """And what was served is served again, in the same order."""
        served = served_bases(own, others)
        assert served_bases(own, others[::-1]) == served
        assert served_bases(own, served) == served

    def test_its_own_base_comes_first(self) -> None:
        """Whatever pipelines it serves: its own is the one that it is shown under."""
        served = served_bases([BaseModelType.SDXL], [BaseModelType.SD_2, BaseModelType.SD_1])
        assert served == (BaseModelType.SDXL, BaseModelType.SD_1, BaseModelType.SD_2)
