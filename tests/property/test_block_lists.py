from __future__ import annotations

from itertools import chain

import pytest
from hypothesis import example, given
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


def names_of(few: list[str]) -> st.SearchStrategy[list[str]]:
    """Many names of few steps, so that those of one list differ in what stands around their numbers."""
    steps = st.lists(st.sampled_from(few), max_size=2)
    number = st.sampled_from(["0", "1", "12"]).map(lambda one: [one])
    last = st.sampled_from(["weight", "bias", *few]).map(lambda one: [one])
    name = st.tuples(steps, number, steps, last).map(lambda parts: ".".join(chain(*parts)))
    return st.lists(name, unique=True, min_size=2, max_size=20)


NAMES = st.lists(STEPS, min_size=1, max_size=3, unique=True).flatmap(names_of)


class TestBlockLists:
    """Cutting names as one text finds the numbers that looking at each step of each name finds."""

    @given(NAMES)
    @example(["a.0.b.0", "a.0.b.1"])
    @example(["a.#.weight", "a.#.bias"])
    @example(["a.0.weight", "a.1.qweight", "a.12.weight"])
    def test_each_module_stands_in_the_blocks_that_the_steps_of_its_names_number(
        self, names: list[str]
    ) -> None:
        """Whatever stands before and behind the numbers, and however names of one list differ."""
        layout = Layout(TensorIndex({name: TensorEntry("F16", (2,), 0, 4) for name in names}))
        groups = layout.groups(layout.leading)
        expected: dict[str, dict[str, set[str]]] = {}
        for folded, group in groups.items():
            head, number, tail = folded.rpartition("#.")
            for name in group.names if number else ():
                steps = name.split(".")[:-1]
                block = ".".join(one for one in steps if one.isascii() and one.isdigit())
                module = tail.rpartition(".")[0]
                expected.setdefault(head, {}).setdefault(module, set()).add(block)
        assert block_lists(groups) == expected
