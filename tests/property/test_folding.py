from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.identify.folding import fold, group_by_fold
from modelshelf.identify.packing import is_companion, may_serve
from modelshelf.identify.wrapper import Part, are_bare, unwrap, unwrap_all, without_frame

pytestmark = pytest.mark.property

STEPS = st.sampled_from(
    [
        *(
            "0",
            "3",
            "10",
            "007",
            "#",
            "#0",
            "",
            "\u0663",
            "\ud800",
            "a\nb",
            "attn1",
            "attn2",
            "1x2y3",
        ),
        *("lora_unet_down_0_x_1", "lora_te2", "lycoris_7", "a:3:b", "12:x", "weight", "9_9", "_4"),
        *("model", "diffusion_model", "module", "vae", "ema", "text_encoders", "clip_l", "net"),
        *("conditioner", "embedders", "transformer", "control_model", "first_stage_model"),
        *(
            "weight_scale",
            "scale",
            "qweight",
            "lora_up",
            "bitsandbytes__nf4",
            "absmax",
            "_orig_mod",
        ),
    ]
)
NAMES = st.lists(
    st.lists(STEPS, min_size=1, max_size=5).map(".".join) | st.text("a0#1._:\n", max_size=8),
    unique=True,
    max_size=12,
)


class TestFolding:
    """Folding many names at once is folding each of them.

    "Let a fast path skip work whose result is known, never compute it another way."
    """

    @given(NAMES)
    def test_groups_are_what_folding_each_gives(self, names: list[str]) -> None:
        """Every name is in the group of its folded form, and in no other."""
        expected: dict[str, list[str]] = {}
        for name, folded in zip(names, fold(names), strict=True):
            expected.setdefault(folded, []).append(name)
        found = group_by_fold(names)
        assert {folded: sorted(own) for folded, own in found.items()} == {
            folded: sorted(own) for folded, own in expected.items()
        }

    @given(NAMES)
    def test_wrappers_of_many_are_the_wrappers_of_each(self, names: list[str]) -> None:
        """Whatever stood before a name says nothing about it."""
        assert list(unwrap_all(names)) == [unwrap(name) for name in names]

    @given(NAMES)
    def test_bare_names_have_nothing_to_take_off(self, names: list[str]) -> None:
        """One look at their first steps tells what a look at each of them would."""
        if are_bare(names):
            assert [unwrap(without_frame(name)) for name in names] == [
                (Part.BARE, name) for name in names
            ]

    @given(NAMES)
    def test_every_companion_ends_as_companions_do(self, names: list[str]) -> None:
        """What the last steps rule out need not be asked one by one."""
        for name in names:
            assert may_serve(name.rpartition(".")[2]) or not is_companion(name, names)
