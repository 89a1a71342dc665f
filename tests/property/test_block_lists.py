from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.identify.block_lists import block_lists
from modelshelf.identify.layout import Layout
from modelshelf.schema.tensor import TensorEntry, TensorIndex

pytestmark = pytest.mark.property

STEPS = st.sampled_from(
    [
        *("0", "1", "12", "007", "#", "", "\u0663", "a\n0", "0\n", "to_q", "attn1", "x_3", "b:2:"),
        *("weight", "qweight", "_data", "model", "module", "_orig_mod", "transformer", "vae"),
        *("conditioner", "embedders", "lora_unet_down_0_x_1", "weight_packed", "\ud800"),
    ]
)
NAMES = st.lists(
    st.lists(STEPS, min_size=1, max_size=6).map(".".join), unique=True, min_size=1, max_size=16
)


class TestBlockLists:
    """Cutting names as one text finds the numbers that looking at each step of each name finds."""

    @given(NAMES)
    def test_each_module_stands_in_the_blocks_that_the_steps_of_its_names_number(
        self, names: list[str]
    ) -> None:
        """Whatever stands before and behind the numbers, and however names of one list differ."""
        layout = Layout(TensorIndex({name: TensorEntry("F16", (2,), 0, 4) for name in names}))
        groups = layout.groups(layout.leading)
        expected: dict[str, dict[str, set[tuple[str, ...]]]] = {}
        for folded, group in groups.items():
            head, number, tail = folded.rpartition("#.")
            for name in group.names if number else ():
                steps = name.split(".")[:-1]
                block = tuple(one for one in steps if one.isascii() and one.isdigit())
                module = tail.rpartition(".")[0]
                expected.setdefault(head, {}).setdefault(module, set()).add(block)
        assert block_lists(groups) == expected
