from __future__ import annotations

import json
from functools import reduce
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from modelshelf.normalize import identity_detail
from modelshelf.records.part_claims import PartClaim, joined
from modelshelf.schema.identity import Identity, IdentityStatus
from modelshelf.schema.override import Override
from modelshelf.schema.served_bases import served_bases
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType, ModelVariantType

TYPES = st.sampled_from(
    [ModelType.CLIP_EMBED, ModelType.TEXT_ENCODER, ModelType.VAE, ModelType.UNKNOWN]
)
FORMATS = st.sampled_from([ModelFormat.DIFFUSERS, ModelFormat.CHECKPOINT, ModelFormat.UNKNOWN])
BASES = st.lists(
    st.sampled_from(
        [BaseModelType.SDXL, BaseModelType.SD_1, BaseModelType.SD_2, BaseModelType.ANY]
    ),
    max_size=3,
    unique=True,
).map(tuple)


def alone(
    kind: ModelType,
    form: ModelFormat,
    bases: tuple[BaseModelType, ...] = (),
    *,
    override: Override | None = None,
    rules: str = "today's",
    status: IdentityStatus | None = None,
) -> PartClaim:
    """Return what adding a model by itself says of it."""
    if status is None:
        status = IdentityStatus.IDENTIFIED if bases else IdentityStatus.UNDECIDED
        status = IdentityStatus.UNKNOWN if kind is ModelType.UNKNOWN else status
    said = (override or Override()).over(Identity(kind, form, bases, status=status))
    now = said.effective
    detail = identity_detail(said, rules=rules)
    return PartClaim(now.type, now.format, now.bases or (BaseModelType.UNKNOWN,), detail)


def of_pipeline(
    kind: ModelType, form: ModelFormat, bases: tuple[BaseModelType, ...] = ()
) -> PartClaim:
    """Return what a pipeline says of a component."""
    return PartClaim(kind, form, served_bases((), bases))


STATUSES = st.sampled_from([None, IdentityStatus.BROKEN, IdentityStatus.AMBIGUOUS])
"""The last two may be of a model whose type is known, and of one of which nothing is."""
CLAIMS = st.one_of(
    st.builds(alone, TYPES, FORMATS, BASES, status=STATUSES),
    st.builds(of_pipeline, TYPES, FORMATS, BASES),
)


class TestJoined:
    """MODEL_PATH and MODEL_BASE have one row, and one set of rows, for each fundamental model (NMM)."""

    @given(claims=st.lists(CLAIMS, min_size=2, max_size=4))
    def test_who_came_first_is_not_seen(self, claims: list[PartClaim]) -> None:
        """In whatever order imports come, what is known in the end is the same."""
        results = {
            (known.type, known.format, known.bases, known.detail)
            for order in permutations(claims)
            for known in [reduce(joined, order[1:], joined(order[0], order[0]))]
        }
        assert len(results) == 1

    @given(claims=st.lists(CLAIMS, min_size=1, max_size=4))
    def test_adding_again_teaches_nothing(self, claims: list[PartClaim]) -> None:
        """What any of the imports said is known already."""
        known = reduce(joined, claims[1:], joined(claims[0], claims[0]))
        assert all(joined(known, claim) == known for claim in claims)

    @given(kind=TYPES, form=FORMATS, bases=BASES, pipelines=st.lists(CLAIMS, max_size=3))
    def test_what_it_is_alone_is_what_it_is(
        self,
        kind: ModelType,
        form: ModelFormat,
        bases: tuple[BaseModelType, ...],
        pipelines: list[PartClaim],
    ) -> None:
        """Pipelines say what a part is only where nobody who looks at it alone knows."""
        own = alone(kind, form, bases)
        others = [claim for claim in pipelines if not claim.is_own]
        known = reduce(joined, [own], reduce(joined, others, others[0])) if others else own
        assert kind in (ModelType.UNKNOWN, known.type)
        assert known.detail == own.detail

    def test_a_word_of_the_user_counts_more_whoever_came_first(self) -> None:
        """Of a part that came in a pipeline and of one that came by itself."""
        wish = Override(type=ModelType.LORA, bases=(BaseModelType.KOLORS,))
        plain = alone(ModelType.VAE, ModelFormat.DIFFUSERS, (BaseModelType.SDXL,))
        said = alone(ModelType.VAE, ModelFormat.DIFFUSERS, (BaseModelType.SDXL,), override=wish)
        part = of_pipeline(ModelType.VAE, ModelFormat.DIFFUSERS, (BaseModelType.SD_1,))
        for order in permutations([plain, said, part]):
            known = reduce(joined, order)
            assert (known.type, known.bases) == (ModelType.LORA, (BaseModelType.KOLORS,))
            assert joined(known, said) == known

    def test_what_a_users_word_hides_is_kept_below_it(self) -> None:
        """Bases that pipelines name, before the word and after it, come back when it is taken back."""
        wish = Override(bases=(BaseModelType.KOLORS,))
        said = alone(ModelType.VAE, ModelFormat.DIFFUSERS, (BaseModelType.SDXL,), override=wish)
        parts = [
            of_pipeline(ModelType.VAE, ModelFormat.DIFFUSERS, (base,))
            for base in (BaseModelType.SD_1, BaseModelType.SD_2)
        ]
        for order in permutations([said, *parts]):
            known = reduce(joined, order)
            assert known.bases == wish.bases
            back = known.without_words()
            assert back.bases == (BaseModelType.SDXL, BaseModelType.SD_1, BaseModelType.SD_2)
            assert back.own_bases == (BaseModelType.SDXL,)

    def test_what_pipelines_say_of_a_damaged_model_is_their_word_alone(self) -> None:
        """Files that nobody could read prove no type, whichever pipeline names one first."""
        own = alone(ModelType.UNKNOWN, ModelFormat.DIFFUSERS, status=IdentityStatus.BROKEN)
        parts = [
            of_pipeline(kind, ModelFormat.DIFFUSERS, (BaseModelType.SD_1,))
            for kind in (ModelType.TEXT_ENCODER, ModelType.CLIP_EMBED)
        ]
        known = {reduce(joined, order).type for order in permutations([own, *parts])}
        assert known == {ModelType.CLIP_EMBED}

    def test_what_pipelines_say_of_a_base_that_damage_hides_is_their_word_alone(self) -> None:
        """None of their bases becomes its own, so none comes first for having come first."""
        own = alone(ModelType.VAE, ModelFormat.DIFFUSERS, status=IdentityStatus.BROKEN)
        parts = [
            of_pipeline(ModelType.VAE, ModelFormat.DIFFUSERS, (base,))
            for base in (BaseModelType.SDXL, BaseModelType.SD_1)
        ]
        known = {reduce(joined, order).bases for order in permutations([own, *parts])}
        assert known == {(BaseModelType.SD_1, BaseModelType.SDXL)}

    def test_of_two_words_the_last_counts_and_others_stay(self) -> None:
        """Field by field, as `shelf identify` keeps them."""
        first = Override(type=ModelType.LORA, variant=ModelVariantType.NORMAL)
        second = Override(type=ModelType.VAE)
        known = joined(
            alone(ModelType.UNKNOWN, ModelFormat.UNKNOWN, override=first),
            alone(ModelType.UNKNOWN, ModelFormat.UNKNOWN, override=second),
        )
        assert known.type is ModelType.VAE
        assert json.loads(known.detail)["override"] == {"type": "vae", "variant": "normal"}
        assert json.loads(known.detail)["detected"]["type"] == "unknown"

    def test_a_word_that_names_no_base_leaves_it_open(self) -> None:
        """What is undecided stays so until somebody says what is open."""
        wish = Override(variant=ModelVariantType.NORMAL)
        said = alone(ModelType.VAE, ModelFormat.CHECKPOINT, override=wish)
        known = joined(said, alone(ModelType.VAE, ModelFormat.CHECKPOINT))
        assert json.loads(known.detail) == json.loads(said.detail)

    def test_newer_rules_count_where_they_know_as_much(self) -> None:
        """And what was known is not given up for less."""
        old = alone(ModelType.VAE, ModelFormat.DIFFUSERS, (BaseModelType.SD_1,), rules="old")
        new = alone(ModelType.CLIP_EMBED, ModelFormat.DIFFUSERS, (BaseModelType.SD_1,))
        assert joined(old, new).type is ModelType.CLIP_EMBED
        less = alone(ModelType.CLIP_EMBED, ModelFormat.DIFFUSERS)
        assert joined(old, less).type is ModelType.VAE

    def test_a_detail_of_an_earlier_release_names_no_bases(self) -> None:
        """The first of those that are known is taken for its own."""
        known = PartClaim(
            ModelType.VAE,
            ModelFormat.DIFFUSERS,
            (BaseModelType.SDXL, BaseModelType.SD_1),
            '{"status": "identified"}',
        )
        part = of_pipeline(ModelType.VAE, ModelFormat.DIFFUSERS, (BaseModelType.SD_2,))
        assert joined(known, part).bases[0] is BaseModelType.SDXL
