from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from modelshelf.errors import InvalidModelConfigException
from modelshelf.schema.config import (
    CONFIG_CLASSES,
    AnyModelConfig,
    ModelConfigBase,
    class_of,
    merge_config,
    parse_config,
)
from modelshelf.schema.identity import IdentityStatus
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelRepoVariant,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)

pytestmark = pytest.mark.property

TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12
)
WORDS = st.lists(TEXT, max_size=3)
SECONDS = st.floats(0, 2.5e11) | st.integers(0, 10**9)
DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
SAID = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(ModelType),
        "bases": st.lists(st.sampled_from(BaseModelType), min_size=1, max_size=3),
        "variant": st.sampled_from(ModelVariantType),
        "architecture": TEXT,
    },
)
OPTIONAL: dict[str, st.SearchStrategy[Any]] = {
    "key": TEXT,
    "hash": TEXT,
    "description": TEXT,
    "source": TEXT,
    "source_type": st.sampled_from(["path", "url", "hf_repo_id", "civitai"]),
    "source_api_response": TEXT,
    "tags": WORDS,
    "author": TEXT,
    "license": TEXT,
    "trigger_phrases": WORDS,
    "default_settings": st.dictionaries(TEXT, JSON, max_size=3),
    "cover_image": TEXT,
    "variant": st.sampled_from(ModelVariantType),
    "prediction_type": st.sampled_from(SchedulerPredictionType),
    "precision": TEXT,
    "architecture": TEXT,
    "detail": st.fixed_dictionaries(
        {"candidates": st.lists(st.sampled_from(BaseModelType), max_size=3)},
        optional={
            "status": st.sampled_from(IdentityStatus),
            "override": SAID,
            "detected": SAID,
        },
    ),
    "converted_at": SECONDS,
    "size": st.integers(0, 2**63 - 1),
    "blake3": DIGESTS,
    "sha256": DIGESTS,
    "created_at": SECONDS,
    "updated_at": SECONDS,
    "last_used_at": SECONDS,
    "revision": st.integers(0, 2**63 - 1),
    "config": TEXT,
    "vae": TEXT,
    "upcast_attention": st.booleans(),
    "repo_variant": st.sampled_from(ModelRepoVariant),
    "image_encoder_model_id": TEXT,
}
PLACES = [
    (a_type, a_format, base)
    for a_type in ModelType
    for a_format in ModelFormat
    for base in (BaseModelType.SD_1, BaseModelType.SD_2, BaseModelType.SDXL)
]


def _kind(place: tuple[ModelType, ModelFormat, BaseModelType]) -> type[ModelConfigBase] | None:
    try:
        return class_of(*place)
    except KeyError:
        return None


BY_CLASS = {kind: [place for place in PLACES if _kind(place) is kind] for kind in CONFIG_CLASSES}


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a record of any class, with any of the fields that the class has."""
    kind = draw(st.sampled_from(CONFIG_CLASSES))
    a_type, a_format, base = draw(st.sampled_from(BY_CLASS[kind]))
    fields = {name: one for name, one in OPTIONAL.items() if name in kind.model_fields}
    others = draw(st.lists(st.sampled_from(BaseModelType), max_size=2, unique=True))
    document: dict[str, Any] = draw(st.fixed_dictionaries({}, optional=fields))
    return document | {
        "name": draw(TEXT),
        "path": draw(TEXT),
        "type": a_type,
        "format": a_format,
        "bases": [base, *(each for each in others if each != base)],
    }


class TestDocuments:
    """A record that is written and read again is the record."""

    def test_every_field_is_drawn(self) -> None:
        """A field that somebody adds is added here."""
        required = {"name", "path", "model_type", "model_format", "base_model", "bases"}
        for kind in CONFIG_CLASSES:
            assert set(kind.model_fields) - required <= set(OPTIONAL)

    @given(document=documents())
    def test_every_way_out_leads_back(self, document: dict[str, Any]) -> None:
        """The document, its JSON, and what the web API says give back an equal record of that class."""
        config = parse_config(document)
        assert type(config) is class_of(config.type, config.format, config.base)
        for again in (
            config.to_document(),
            config.to_http(),
            json.loads(json.dumps(config.to_http())),
        ):
            assert parse_config(again) == config
        assert parse_config(json.loads(json.dumps(config.to_document()))) == config
        assert parse_config(config) == config
        adapter: TypeAdapter[Any] = TypeAdapter(AnyModelConfig)
        assert adapter.validate_json(json.dumps(config.to_document())) == config

    @given(first=documents(), second=documents())
    def test_a_change_is_made_whole_or_told(
        self, first: dict[str, Any], second: dict[str, Any]
    ) -> None:
        """What is named has its new value, what is not named its old; or the record is as it was."""
        config = parse_config(first)
        second.pop("key", None)
        expected = parse_config(second).to_document()
        before = config.to_document()
        try:
            merged = merge_config(config, second)
        except InvalidModelConfigException as error:
            # Only what the new class lacks can be wrong, and it is named.
            lost = set(error.fields.split(", "))
            assert lost.isdisjoint(parse_config(second).model_fields_set)
        else:
            document = merged.to_document()
            assert {each: document[each] for each in expected if each in second} == {
                each: value for each, value in expected.items() if each in second
            }
            for each in set(before) - set(second) - {"model_type", "model_format", "base_model"}:
                is_default = config.model_dump(exclude_defaults=True).get(each) is None
                if each in type(merged).model_fields and not is_default:
                    assert document[each] == before[each]
        assert config.to_document() == before
