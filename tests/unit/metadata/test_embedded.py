from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelshelf.metadata import read_metadata
from modelshelf.schema.declared import Trust
from modelshelf.schema.metadata import Field, ModelMetadata
from modelshelf.schema.taxonomy import ModelType, SchedulerPredictionType


def inside(**metadata: str) -> ModelMetadata:
    """Read what a header says; `__` stands for a dot."""
    return read_metadata(
        Path("nowhere.safetensors"),
        {key.replace("__", "."): text for key, text in metadata.items()},
    )


def test_model_spec() -> None:
    """Every field that the specification says a person may want."""
    found = inside(
        modelspec__sai_model_spec="1.0.1",
        modelspec__architecture="stable-diffusion-v2-768-v",
        modelspec__title="Lens",
        modelspec__author="someone",
        modelspec__resolution="768x768",
        modelspec__prediction_type="v",
        modelspec__hash_sha256="0x" + "AB" * 32,
        modelspec__trigger_phrase="lens flare",
        modelspec__tags="a, b",
        modelspec__thumbnail="data:image/jpeg;base64," + "A" * 100_000,
    )
    assert (found.title, found.first(Field.RESOLUTION), found.tags) == (
        "Lens",
        "768x768",
        ("a", "b"),
    )
    assert found.hashes == {"data_sha256": "ab" * 32}
    assert found.trigger_words == ("lens flare",)
    assert found.first(Field.THUMBNAIL) == "image/jpeg"
    assert [(claim.bases, claim.prediction_type) for claim in found.claims] == [
        (("sd-2",), SchedulerPredictionType.V_PREDICTION),
        ((), SchedulerPredictionType.V_PREDICTION),
    ]


def test_kohya() -> None:
    """Base, network, resolution, and the tags of the training images."""
    found = inside(
        ss_base_model_version="sdxl_base_v1-0",
        ss_sd_model_name="base.safetensors",
        ss_network_module="networks.lora",
        ss_network_dim="32",
        ss_network_alpha="16.0",
        ss_network_args="None",
        ss_output_name="lens",
        ss_resolution="(1024, 768)",
        ss_v2="False",
        sshs_model_hash="ab" * 32,
        sshs_legacy_hash="81b44117",
        ss_tag_frequency=json.dumps(
            {"10_lens": {"lens flare": 40, " sky ": 12}, "2_more": {"soft": 3, "lens flare": 1}}
        ),
    )
    assert found.first(Field.NETWORK) == "networks.lora"
    assert (found.first(Field.NETWORK_DIM), found.first(Field.NETWORK_ALPHA)) == ("32", "16.0")
    assert found.first(Field.NETWORK_ARGS) == ""
    assert found.first(Field.RESOLUTION) == "1024x768"
    assert found.trigger_words == ("lens flare", "soft")
    assert found.all(Field.FREQUENT_TAG) == ("lens flare", "sky", "soft")
    assert found.hashes == {"data_sha256": "ab" * 32, "autov1": "81b44117"}
    assert [(claim.where, claim.bases, claim.type) for claim in found.claims] == [
        ("metadata:ss_base_model_version", ("sdxl",), None),
        ("metadata:ss_network_module", (), ModelType.LORA),
    ]
    assert {claim.trust for claim in found.claims} == {Trust.METADATA}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("(768, 768)", "768x768"),
        ("512,640", "512x640"),
        ("1024", "1024x1024"),
        ("[512, 512]", "512x512"),
        *((nothing, "") for nothing in ("None", "(a, b)", "", "(" * 1000)),
    ],
)
def test_resolutions_as_kohya_writes_them(written: str, read: str) -> None:
    """A pair, a list or one side; anything else is none."""
    assert inside(ss_resolution=written).first(Field.RESOLUTION) == read


def test_velocity_as_kohya_writes_it() -> None:
    """Only `True` says something: the trainer writes `None` and `False` too."""
    assert inside(ss_v_parameterization="True").claims[0].prediction_type == "v_prediction"
    assert inside(ss_v_parameterization="None").claims == ()


def test_ai_toolkit() -> None:
    """The program and its version, and the base by its own word."""
    found = inside(
        software=json.dumps({"name": "ai-toolkit", "version": "0.7.20"}),
        ss_base_model_version="flux2_klein_9b",
    )
    assert found.first(Field.SOFTWARE) == "ai-toolkit 0.7.20"
    assert (found.claims[0].bases, found.claims[0].variant) == (("flux2",), "klein_9b")


def test_one_trainer() -> None:
    """Its configuration is inside, with the base as a constant's name."""
    config = {
        "model_type": "STABLE_DIFFUSION_XL_10_BASE",
        "lora_rank": 16,
        "base_model_name": "x/y",
    }
    found = inside(ot_branch="master", ot_config=json.dumps(config))
    assert (found.first(Field.SOFTWARE), found.first(Field.NETWORK_DIM)) == ("OneTrainer", "16")
    assert found.claims[0].bases == ("sdxl",)


def test_diffusers_keeps_rank_and_alpha_in_the_metadata() -> None:
    """Behind the component's name."""
    adapter = {"transformer.r": 16, "transformer.lora_alpha": 32, "transformer.bias": "none"}
    found = inside(lora_adapter_metadata=json.dumps(adapter))
    assert (found.first(Field.NETWORK_DIM), found.first(Field.NETWORK_ALPHA)) == ("16", "32")
    assert found.claims[0].type is ModelType.LORA


def test_gguf() -> None:
    """General fields; the architecture leaves several bases open where writers reuse it."""
    found = inside(
        general__architecture="lumina2",
        general__name="Lens",
        general__size_label="2.6B",
        general__base_model__0__repo_url="https://huggingface.co/Tongyi-MAI/Z-Image-Turbo",
    )
    assert (found.title, found.first(Field.SIZE_LABEL)) == ("Lens", "2.6B")
    assert [claim.bases for claim in found.claims] == [("lumina2", "z-image"), ("z-image",)]


def test_a_workflow_is_named_and_left_where_it_is() -> None:
    """Workflows have megabytes, and paths of somebody's machine."""
    found = inside(workflow=json.dumps({"nodes": ["x" * 1000]}), prompt="{}")
    assert [statement.value for statement in found.statements] == ["ComfyUI"]


@pytest.mark.parametrize(
    "text", ["{", "{" * 5000, "[]", "", "null", '{"a": {"b": "c"}}', '{"a": [1]}']
)
@pytest.mark.parametrize(
    "key", ["ss_tag_frequency", "software", "ot_config", "lora_adapter_metadata", "workflow"]
)
def test_damaged_json_inside_is_told_at_most(key: str, text: str) -> None:
    """A header's text may be anything."""
    found = inside(**{key: text, "ot_branch": "x", "ss_v2": "x"})
    assert len(found.problems) <= 1
    assert not found.trigger_words


def test_a_megabyte_of_tags_is_left_out_and_told() -> None:
    """Parsing is bounded."""
    found = inside(ss_tag_frequency="{" + " " * 2_000_000 + "}")
    assert found.problems == (
        "metadata: `ss_tag_frequency` has 2000002 characters and was left out",
    )


def test_an_unknown_base_keeps_its_words() -> None:
    """What nobody knows is shown, and narrows nothing."""
    (claim,) = inside(ss_base_model_version="a\nnew   one" + "!" * 500).claims
    assert claim.bases == ()
    assert claim.said.startswith("a new one!!")
    assert len(claim.said) == 100


def test_everything_can_be_said_in_json() -> None:
    """Keys are stable, and nothing empty is told."""
    found = inside(modelspec__title="Lens", ss_base_model_version="sd_v1", modelspec__tags="a")
    assert json.loads(json.dumps(found.document())) == {
        "title": "Lens",
        "tags": ["a"],
        "claims": [
            {
                "trust": "metadata",
                "where": "metadata:ss_base_model_version",
                "said": "sd_v1",
                "bases": ["sd-1"],
            }
        ],
        "previews": [],
        "read": ["metadata"],
        "problems": [],
        "statements": [
            {"field": "title", "value": "Lens", "where": "metadata:modelspec.title"},
            {"field": "tag", "value": "a", "where": "metadata:modelspec.tags"},
        ],
    }


def test_of_many_tags_the_most_frequent_are_kept() -> None:
    """A set of images has thousands; a person wants to see what most of them show."""
    counts = {f"tag {number:03}": 1_000 - number for number in range(500)}
    found = inside(ss_tag_frequency=json.dumps({"10_lens": counts}))
    frequent = [one.value for one in found.statements if one.field is Field.FREQUENT_TAG]
    assert frequent == [f"tag {number:03}" for number in range(20)]
    assert found.trigger_words == ("tag 000",)
