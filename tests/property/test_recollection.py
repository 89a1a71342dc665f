from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.identify import BUILT_IN, Families, Family, Recollection, identify
from modelshelf.identify.lone_tensors import identify_tensors
from modelshelf.identify.network import Declared
from modelshelf.identify.tensor_condition import Tensor
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType
from modelshelf.schema.tensor import TensorColumns, TensorIndex, TensorKind
from tests.unit.identify.test_files import KNOWN

pytestmark = pytest.mark.property

# Flux adapters ask the metadata whether they are Chroma's.
FEW = sorted(name for name in KNOWN if name.startswith(("lora", "embedding", "vae")))
METADATA = st.sampled_from(
    [
        {},
        {"format": "pt"},
        {"modelspec.architecture": "chroma"},
        {"modelspec.architecture": "flux-1-dev/lora"},
        {"ss_base_model_version": "sdxl_base_v1-0"},
        {"general.architecture": "flux", "note": "x"},
    ]
)
TALKATIVE = Families(
    [
        *BUILT_IN,
        Family(
            id="zz/word",
            type=ModelType.LORA,
            format=ModelFormat.LYCORIS,
            conditions=(Tensor("alpha"), Declared("general.architecture", ("flux",))),
            bases=(BaseModelType.FLUX,),
        ),
    ]
)


def columns(shapes: Sequence[tuple[str, tuple[int, ...]]], dtype: str, odd: str) -> TensorColumns:
    """Return a header as a reader makes it; the first tensor has dtype *odd*."""
    kinds = {name: TensorKind(dtype, shape, 12) for name, shape in shapes}
    kinds[shapes[0][0]] = TensorKind(odd, shapes[0][1], 12)
    return TensorColumns(kinds, start=100)


@st.composite
def libraries(draw: st.DrawFn) -> list[TensorIndex]:
    """Return files that are mostly alike: few layouts in several orders, dtypes and words."""
    names = draw(st.lists(st.sampled_from(FEW), min_size=1, max_size=2))
    found = []
    for _ in range(draw(st.integers(2, 8))):
        shapes = list(KNOWN[draw(st.sampled_from(names))][0].items())
        if draw(st.integers(0, 3)) == 0:
            draw(st.randoms(use_true_random=False)).shuffle(shapes)
        if draw(st.integers(0, 5)) == 0:
            # As many tensors, as many bytes, the same first name.
            shapes[-1] = (f"{shapes[-1][0]}x", shapes[-1][1])
        dtype, odd = draw(st.sampled_from(["F16", "F32"])), draw(st.sampled_from(["F16", "F32"]))
        found.append(TensorIndex(columns(shapes, dtype, odd), draw(METADATA)))
    return found


class TestRecollection:
    """A run that remembers answers as one that does not.

    "Let a fast path skip work whose result is known, never compute it another way."
    """

    @given(library=libraries(), talkative=st.booleans())
    def test_equals_asking_every_time(self, library: list[TensorIndex], *, talkative: bool) -> None:
        """Whatever came before: names, order, dtypes and the words that rules ask for all count."""
        families = TALKATIVE if talkative else BUILT_IN
        known = Recollection()
        for index in library:
            assert known.identify(index, families) == identify_tensors(index, families)

    @given(st.sampled_from(FEW), METADATA, METADATA)
    def test_words_that_narrow_are_each_files_own(
        self, name: str, first: dict[str, str], second: dict[str, str]
    ) -> None:
        """What one file says of itself never speaks for the next."""
        shapes = list(KNOWN[name][0].items())
        known = Recollection()
        for words in (first, second, first):
            index = TensorIndex(columns(shapes, "F16", "F16"), words)
            assert identify(index, known=known) == identify(index)
