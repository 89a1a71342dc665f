from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.identify import identify
from modelshelf.identify.adapter_names import (
    Numbered,
    cut_of,
    fold_path,
    numbers_by_cut,
    numbers_of,
    numbers_of_all,
)
from modelshelf.schema.identity import Identity
from tests.unit.identify.adapter_layouts import DENOISERS, KINDS, NAMINGS, Modules, adapter
from tests.unit.identify.layouts import index_of
from tests.unit.identify.test_adapter_families import ends_of

pytestmark = pytest.mark.property

SMALL = {name: ends_of(denoiser) for name, denoiser in DENOISERS.items()}
# Pieces as trainers write them, and what nobody writes, joined in any way.
WORDS = st.sampled_from(
    [
        *("lora_unet_", "lycoris_", "transformer.", "diffusion_model.", "base_model.model."),
        *("double_blocks", "single_blocks", "blocks", "attn", "qkv", "to_q", "processor", "#"),
        *(".", "_", "0", "7", "99999999999999999999", "lora_te1_", "text_encoder_2.", "\n"),
        *(".lora_A.weight", ".lora_down.weight", ".lokr_w1", ".hada_w1_a", ".oft_R.weight"),
        *(".diff", ".b2.weight", ".on_input", ".weight", ".alpha", "_lora1.down.weight"),
    ]
)
NAMES = st.lists(WORDS, min_size=1, max_size=8).map("".join)
SHAPES = st.lists(st.integers(0, 6000), max_size=5).map(tuple)


def possible(identity: Identity) -> set[str]:
    """The bases that an identity leaves possible."""
    return {base.value for base in identity.bases or identity.candidates}


@st.composite
def subsets(draw: st.DrawFn) -> tuple[str, Modules]:
    """Some modules of one denoiser, in some order."""
    name = draw(st.sampled_from(sorted(SMALL)))
    chosen = draw(st.lists(st.sampled_from(sorted(SMALL[name])), min_size=1, unique=True))
    return name, {path: SMALL[name][path] for path in chosen}


class TestTargets:
    """Only targets present count.

    "An absent key of a LoRA is no evidence": whatever modules are left of an adapter, in whosever
    names, of whatever kind and rank, its base stays possible.
    """

    @given(
        subsets(),
        st.sampled_from(sorted(NAMINGS)),
        st.sampled_from(sorted(KINDS)),
        st.integers(1, 99),
    )
    def test_base_stays_possible(
        self, subset: tuple[str, Modules], naming: str, kind: str, rank: int
    ) -> None:
        """The answer is the base, or a set that holds it."""
        name, modules = subset
        denoiser = DENOISERS[name]
        identity = identify(index_of(adapter(modules, naming, KINDS[kind][1], rank)))
        assert {denoiser.base, denoiser.behind} & possible(identity)

    @given(subsets())
    def test_more_modules_leave_no_more_bases(self, subset: tuple[str, Modules]) -> None:
        """Every further module narrows, or changes nothing."""
        name, modules = subset
        writer = KINDS["peft"][1]
        some = possible(identify(index_of(adapter(modules, "comfy", writer))))
        whole = possible(identify(index_of(adapter(SMALL[name], "comfy", writer))))
        assert whole <= some | {DENOISERS[name].base}

    @given(st.dictionaries(NAMES, SHAPES, max_size=12))
    def test_any_names_and_shapes_get_an_answer(self, shapes: dict[str, tuple[int, ...]]) -> None:
        """Nonsense is unknown, or a LoRA of unknown base; it is never an error."""
        assert identify(index_of(shapes)).type.value


CONSTANTS = st.text("ab12._:#\n", max_size=6)
STEPS = st.sampled_from(["0", "7", "12", "1234567890123", "#"])


@st.composite
def alike(draw: st.DrawFn) -> list[str]:
    """Paths that are equal but for numbers that are steps of theirs."""
    constants = draw(st.lists(CONSTANTS, min_size=1, max_size=4))
    numbers = st.tuples(*[STEPS] * (len(constants) - 1))
    separators = draw(st.tuples(*[st.sampled_from("._")] * (2 * len(constants))))
    pieces = [f"{separators[at]}{one}{separators[~at]}" for at, one in enumerate(constants)]
    # Neither end of a path is a separator.
    pieces[0], pieces[-1] = f"a{pieces[0]}", f"{pieces[-1]}a"
    return [
        "".join(piece + number for piece, number in zip(pieces, (*own, ""), strict=True))
        for own in draw(st.lists(numbers, min_size=1, max_size=5))
    ]


class TestNumbers:
    """A fast path skips work whose result is known, and never computes it another way."""

    @given(alike())
    def test_all_paths_at_once_have_the_numbers_of_each(self, paths: list[str]) -> None:
        """Whatever stands between them, line ends and `#` included."""
        assert numbers_of_all(paths) == [numbers_of(path)[1] for path in paths]

    @given(alike(), st.sampled_from(["", "unet.", "lora_te1_", "transformer_2."]))
    def test_numbers_where_the_first_name_has_them(self, paths: list[str], prefix: str) -> None:
        """The same numbers as path by path, or none where anything but numbers differs."""
        known: Numbered = {}
        names = [f"{prefix}{path}.lora_up.weight" for path in paths]
        cut = cut_of(prefix, fold_path(paths[0]))
        assert (cut is None) == (prefix == "transformer_2.")
        if cut is None or any(one in "".join(paths) for one in "#:\n"):
            return
        found = numbers_by_cut(names, cut, len(".lora_up.weight"), known)
        if cut.is_numbered:
            assert found == [numbers_of(path)[1] for path in paths]
            assert numbers_by_cut(names, cut, len(".lora_up.weight"), known) is found
