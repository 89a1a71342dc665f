from __future__ import annotations

from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from modelshelf.identify import BUILT_IN, Families, identify
from modelshelf.schema.identity import Identity
from modelshelf.schema.taxonomy import ModelType
from modelshelf.schema.tensor import TensorIndex
from tests.corpus.mutations import KEEPING
from tests.unit.identify.layouts import index_of
from tests.unit.identify.test_files import KNOWN

pytestmark = pytest.mark.property

NAMES = st.sampled_from(sorted(KNOWN))
LORAS = st.sampled_from(sorted(name for name in KNOWN if name.startswith("lora")))
# A textual inversion is what encoders it has: SD 3's without T5 is SDXL's.
WHOLES = st.sampled_from(sorted(name for name in KNOWN if not name.startswith("embedding")))
WRAPPED = st.sampled_from(
    sorted(
        name for name in KNOWN if name.split()[0] in {"sd-1", "sd-2", "sdxl", "flux", "controlnet"}
    )
)


def decided(identity: Identity) -> tuple[object, ...]:
    """Everything but the names of tensors that evidence cites."""
    return identity.type, identity.bases, identity.candidates, identity.variant, identity.format


def claims(identity: Identity) -> set[str]:
    """All bases that the answer leaves possible."""
    return {base.value for base in identity.bases or identity.candidates}


class TestIdentity:
    """The same answer whatever the order of tensors and families, whatever wraps the names.

    "Order decides nothing, file names decide nothing, a wrong base is worse than `unknown`."
    """

    @given(NAMES, st.randoms(use_true_random=False))
    def test_order_decides_nothing(self, name: str, random: Random) -> None:
        """Neither of tensors nor of families: the whole report is equal."""
        shapes = KNOWN[name][0]
        tensors, families = list(shapes.items()), list(BUILT_IN)
        random.shuffle(tensors)
        random.shuffle(families)
        shuffled = identify(index_of(dict(tensors)), families=Families(families))
        assert shuffled == identify(index_of(shapes))

    @given(
        WRAPPED,
        st.sampled_from(
            ["model.", "module.", "_orig_mod.", "model.diffusion_model.", "diffusion_model."]
        ),
    )
    def test_a_wrapper_decides_nothing(self, name: str, prefix: str) -> None:
        """Programs add and remove prefixes; the model stays what it is."""
        shapes = KNOWN[name][0]
        wrapped = {prefix + tensor: shape for tensor, shape in shapes.items()}
        assert decided(identify(index_of(wrapped))) == decided(identify(index_of(shapes)))

    @given(LORAS, st.data())
    def test_fewer_modules_never_change_the_base(self, name: str, data: st.DataObject) -> None:
        """What is left out of a LoRA is no evidence: the answer stays, or becomes less certain."""
        shapes, _, base, _ = KNOWN[name]
        modules = sorted(
            {tensor.partition(".lora_")[0].removesuffix(".alpha") for tensor in shapes}
        )
        kept = data.draw(st.sets(st.sampled_from(modules), min_size=1))
        identity = identify(
            index_of(
                {
                    tensor: shape
                    for tensor, shape in shapes.items()
                    if tensor.partition(".lora_")[0].removesuffix(".alpha") in kept
                }
            )
        )
        assert identity.type.value == "lora"
        assert {one.value for one in identity.bases} <= {base}
        assert not identity.candidates or base in {one.value for one in identity.candidates}

    @given(NAMES, st.sampled_from(["F8_E4M3", "BF16", "F32"]))
    def test_the_dtype_decides_nothing(self, name: str, dtype: str) -> None:
        """Casting keeps names and shapes, and so the model."""
        shapes = KNOWN[name][0]
        assert decided(identify(index_of(shapes, dtype))) == decided(identify(index_of(shapes)))

    @given(WHOLES, st.sampled_from(sorted(KEEPING)), st.randoms(use_true_random=False))
    def test_what_keeps_a_model_keeps_its_base(
        self, name: str, mutation: str, random: Random
    ) -> None:
        """Wrappers, copies, scales and packing: the answer stays, or more bases become possible."""
        index = index_of(KNOWN[name][0])
        before = identify(index)
        is_adapter = before.type in {ModelType.LORA, ModelType.CONTROL_LORA}
        assume(not (is_adapter and mutation == "nf4"))
        after = identify(TensorIndex(KEEPING[mutation](index.tensors, random)))
        assert after.type is before.type
        assert claims(before) <= claims(after)

    @given(WHOLES, st.data())
    def test_a_part_of_a_model_is_never_another_model(self, name: str, data: st.DataObject) -> None:
        """Remove any tensors: the base stays or is open, and nothing crashes."""
        shapes, _, base, _ = KNOWN[name]
        gone = data.draw(st.sets(st.sampled_from([*sorted(shapes), "-"]), max_size=5))
        left = {tensor: shape for tensor, shape in shapes.items() if tensor not in gone}
        identity = identify(index_of(left))
        assert {one.value for one in identity.bases} <= {base, "any"}

    @given(
        st.dictionaries(
            st.text(max_size=20) | st.sampled_from(sorted(KNOWN["lora sd-1"][0])),
            st.lists(st.integers(0, 2**40), max_size=5).map(tuple),
            max_size=10,
        )
    )
    def test_any_names_and_shapes_give_an_answer(self, shapes: dict[str, tuple[int, ...]]) -> None:
        """Hostile headers are identified, unknown or ambiguous, and nothing else."""
        identity = identify(index_of(shapes))
        assert identity.evidence or identity.type == "unknown"
