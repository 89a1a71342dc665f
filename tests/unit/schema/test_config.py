from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import TypeAdapter, ValidationError

from modelshelf.errors import InvalidModelConfigException
from modelshelf.schema.config import (
    CONFIG_CLASSES,
    AnyModelConfig,
    ModelConfigBase,
    class_of,
    merge_config,
    parse_config,
)
from modelshelf.schema.config_kinds import (
    CheckpointConfig,
    DiffusersConfig,
    LoRALyCORISConfig,
    MainConfig,
    ONNXSD1Config,
    ONNXSD2Config,
    UnknownConfig,
    VaeConfig,
)
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

INK: dict[str, Any] = {
    "name": "ink",
    "type": "lora",
    "format": "lycoris",
    "base": "sdxl",
    "path": "ink.safetensors",
}
MAIN: dict[str, Any] = INK | {"type": "main", "format": "checkpoint", "config": "v1.yaml"}
DIGEST = "0123456789abcdef" * 4


def problem_of(document: Any) -> InvalidModelConfigException:  # noqa: ANN401 - anything is given
    with pytest.raises(InvalidModelConfigException) as caught:
        parse_config(document)
    return caught.value


@pytest.mark.parametrize(
    ("type_", "format_", "base", "expected"),
    [
        ("main", "checkpoint", "sd-1", "MainCheckpointConfig"),
        ("main", "gguf", "flux", "MainGGUFConfig"),
        ("main", "diffusers", "sd-1", "MainDiffusersConfig"),
        ("onnx", "onnx", "sd-1", "ONNXSD1Config"),
        ("onnx", "olive", "sd-2", "ONNXSD2Config"),
        ("main", "onnx", "sd-2", "ONNXSD2Config"),
        ("onnx", "onnx", "sdxl", "ONNXConfig"),
        ("vae", "onnx", "sdxl", "ONNXComponentConfig"),
        ("vae", "checkpoint", "any", "VaeCheckpointConfig"),
        ("vae", "diffusers", "any", "VaeDiffusersConfig"),
        ("lora", "lycoris", "sdxl", "LoRALyCORISConfig"),
        ("lora", "diffusers", "sdxl", "LoRADiffusersConfig"),
        ("controlnet", "checkpoint", "sdxl", "ControlNetCheckpointConfig"),
        ("controlnet", "diffusers", "sdxl", "ControlNetDiffusersConfig"),
        ("embedding", "embedding_file", "sd-1", "TextualInversionFileConfig"),
        ("embedding", "embedding_folder", "sd-1", "TextualInversionFolderConfig"),
        ("ip_adapter", "invokeai", "sd-1", "IPAdapterInvokeAIConfig"),
        ("ip_adapter", "checkpoint", "sd-1", "IPAdapterCheckpointConfig"),
        ("clip_vision", "diffusers", "any", "CLIPVisionConfig"),
        ("clip_embed", "diffusers", "any", "CLIPEmbedConfig"),
        ("t5_encoder", "gguf", "any", "T5EncoderConfig"),
        ("t2i_adapter", "diffusers", "sd-1", "T2IAdapterConfig"),
        ("control_lora", "lycoris", "flux", "ControlLoRAConfig"),
        ("flux_redux", "checkpoint", "flux", "FluxReduxConfig"),
        ("motion_adapter", "checkpoint", "sd-1", "MotionAdapterConfig"),
        ("spandrel_image_to_image", "checkpoint", "any", "SpandrelConfig"),
        ("scheduler", "diffusers", "sd-1", "SchedulerConfig"),
        ("tokenizer", "transformers", "any", "TokenizerConfig"),
        ("unknown", "checkpoint", "unknown", "UnknownConfig"),
        ("lora", "unknown", "sdxl", "UnknownConfig"),
    ],
)
def test_type_format_and_base_decide_the_class(
    type_: str, format_: str, base: str, expected: str
) -> None:
    """As the document says it: the format discriminates, the type decides within."""
    config = parse_config(INK | {"type": type_, "format": format_, "base": base})
    assert type(config).__name__ == expected
    assert (config.type, config.format, config.base) == (type_, format_, base)
    adapter: TypeAdapter[Any] = TypeAdapter(AnyModelConfig)
    assert adapter.validate_python(INK | {"type": type_, "format": format_, "base": base}) == config


def test_every_type_has_a_class() -> None:
    """Nobody can own a model that has no record, and no class is out of reach."""
    found = set()
    for model_type in ModelType:
        classes = set()
        for model_format in ModelFormat:
            for base in BaseModelType:
                try:
                    classes.add(class_of(model_type, model_format, base))
                except KeyError:
                    continue
        assert classes, model_type
        found |= classes
    assert found == set(CONFIG_CLASSES)


def test_every_optional_field_is_none_by_default() -> None:
    """So a document that leaves out what is None says the same."""
    for kind in CONFIG_CLASSES:
        for name, field in kind.model_fields.items():
            if type(None) in get_args(field.annotation):
                assert field.default is None, (kind, name)


def test_the_documented_parents_are_parents() -> None:
    """A checkpoint of a main model is both."""
    config = parse_config(MAIN)
    kinds = (MainConfig, CheckpointConfig, DiffusersConfig, VaeConfig)
    assert [issubclass(type(config), each) for each in kinds] == [True, True, False, False]
    said = config.to_document()
    assert (said["config"], said["variant"], said.get("vae")) == ("v1.yaml", "normal", None)


def test_a_union_refuses_what_does_not_fit() -> None:
    """Web frameworks validate with the union itself."""
    adapter: TypeAdapter[Any] = TypeAdapter(AnyModelConfig)
    for wrong in (INK | {"type": "vae"}, {"name": "ink"}, 7, {1: 2}):
        with pytest.raises(ValidationError):
            adapter.validate_python(wrong)
        with pytest.raises(ValidationError):
            LoRALyCORISConfig.model_validate(wrong)
    config = parse_config(INK)
    assert adapter.validate_python(config) == config
    assert adapter.json_schema()


@pytest.mark.parametrize("kind", [ONNXSD1Config, ONNXSD2Config, UnknownConfig])
def test_a_class_of_one_base_needs_none_said(kind: type[ModelConfigBase]) -> None:
    """Of a class that has its base of its own, the base need not be repeated; nor of an unknown model."""
    config = kind(name="a", path="a")
    assert config.bases == (config.base_model,) == (kind.model_fields["base_model"].default,)
    assert parse_config(config.to_document()) == config


@pytest.mark.parametrize(
    ("changes", "fields", "said"),
    [
        ({"type": "lara"}, "model_type", "got `lara`"),
        ({"type": "a\nb"}, "model_type", r"got `a\nb`"),
        ({"type": None}, "model_type", "expected a value, got none"),
        ({"type": ["x"]}, "model_type", "got a list"),
        ({"format": "diffuser"}, "model_format", "got `diffuser`"),
        ({"type": "vae"}, "model_format", "checkpoint, diffusers, gguf, olive, onnx for a `vae`"),
        ({"model_type": "vae"}, "model_type", "got two that differ"),
        ({"base": "sd3"}, "base_model", "expected `any`, `sd-1`, `sd-2`"),
        ({"base": "sd3"}, "base_model", "or `unknown`, got `sd3`"),
        ({"base": None, "bases": ["sd3"]}, "bases.0", "or `unknown`, got `sd3`"),
        ({"tag": ["x"]}, "tag", "has no such field; did you mean `tags`?"),
        ({"vae": "x"}, "vae", "a LoRALyCORISConfig has no such field"),
        ({"\ud800\n": 1}, r"'\ud800\n'", "no record has such a field"),
        ({"x" * 10**6: 1}, "x" * 60 + "…", "has no such field"),
        ({7: 1}, "record", "expected text as names of fields, got int"),
        ({f"x{n}": n for n in range(300)}, "record", "expected at most 200 fields"),
        ({"name": ""}, "name", "expected something, got nothing"),
        ({"name": b"\xff"}, "name", "got bytes that are none"),
        ({"name": 7}, "name", "expected a valid string, got `7`"),
        ({"path": ""}, "path", "expected something"),
        ({"key": "k" * 300}, "key", "expected at most 255 characters, got 300"),
        ({"description": "x" * 10**6}, "description", "at most 100000 characters, got 1000000"),
        ({"description": "a\0b"}, "description", "without NUL, got one at character 2"),
        ({"description": "a\ud800"}, "description", "the lone surrogate U+D800 at character 2"),
        ({"license": "\0"}, "license", "without NUL"),
        ({"tags": ["a", "\0"]}, "tags.1", "without NUL"),
        ({"tags": [""]}, "tags.0", "expected something"),
        ({"tags": ["x"] * 2000}, "tags", "at most 1000 entries"),
        ({"tags": "ink"}, "tags", "expected a valid list, got `ink`"),
        ({"bases": []}, "bases", "expected `sdxl` first and each base once, got none"),
        ({"bases": ["sd-1", "sdxl"]}, "bases", "expected `sdxl` first"),
        ({"bases": ["sdxl", "sdxl"]}, "bases", "each base once"),
        ({"size": -1}, "size", "got `-1`"),
        ({"size": True}, "size", "got `True`"),
        ({"size": 10**5000}, "size", "got a number"),
        ({"created_at": float("nan")}, "created_at", "a finite number"),
        ({"sha256": "AB"}, "sha256", "expected 64 lower-case hexadecimal digits, got `AB`"),
        ({"default_settings": {"x": float("inf")}}, "default_settings", "finite numbers"),
        ({"default_settings": {"x": [1, {"y": "\0"}]}}, "default_settings", "without NUL"),
        ({"default_settings": {"\ud800": 1}}, "default_settings", "text that UTF-8 can express"),
        ({"default_settings": {"x": "y" * 10**6}}, "default_settings", "at most 100000 characters"),
        ({"variant": "inpainting"}, "variant", "got `inpainting`"),
    ],
)
def test_a_wrong_field_is_named(changes: dict[Any, Any], fields: str, said: str) -> None:
    """Field, what was expected, what came; on one line that any terminal takes, however long the value."""
    error = problem_of(INK | changes)
    assert error.fields == fields
    assert said in str(error)
    assert str(error).isprintable()
    assert len(str(error)) < 1500
    assert (error.code, error.exit_status) == ("model-config-invalid", 2)


TEXTS = [
    "key",
    "name",
    "path",
    "hash",
    "description",
    "source",
    "source_api_response",
    "author",
    "license",
    "cover_image",
    "precision",
    "architecture",
    "config",
    "vae",
]


@pytest.mark.parametrize("field", TEXTS)
@pytest.mark.parametrize("text", ["a\0", "a\udfff", "x" * 5_000_000])
def test_no_text_is_taken_that_a_store_cannot_keep(field: str, text: str) -> None:
    """PostgreSQL has no NUL, UTF-8 no lone surrogate, and no field is without end."""
    assert problem_of(MAIN | {field: text}).fields == field


def test_all_problems_are_told_at_once() -> None:
    """Nobody mends a record one error at a time."""
    error = problem_of({"name": "a\0", "type": "lora", "format": "lycoris", "foo": 1})
    assert error.fields == "name, base_model, path, foo"


@pytest.mark.parametrize("document", [None, 7, [], "text", {}])
def test_what_is_no_record_is_told(document: object) -> None:
    """A document of another shape is the same error."""
    assert "expected" in str(problem_of(document))


def test_what_lies_too_deep_is_refused_before_it_is_walked() -> None:
    """Neither depth nor a circle ends the program."""
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"x": deep}
    assert "at most 20 levels" in str(problem_of(INK | {"default_settings": deep}))
    circle: dict[str, Any] = {}
    circle["x"] = circle
    assert "at most 20 levels" in str(problem_of(INK | {"default_settings": circle}))


def test_short_and_long_names_mean_the_same() -> None:
    """Both are taken, even together where they agree; documents have long ones, the web short ones."""
    config = parse_config(INK | {"model_type": ModelType.LORA})
    assert config == parse_config(
        {
            "name": "ink",
            "model_type": "lora",
            "model_format": "lycoris",
            "base_model": "sdxl",
            "path": Path("ink.safetensors"),
        }
    )
    assert {"model_type", "model_format", "base_model"} < set(config.to_document())
    assert {"type", "format", "base"} < set(config.to_http())
    assert config.to_http() == config.model_dump(by_alias=True, mode="json")
    assert set(config.to_http()) - {"type", "format", "base"} == set(type(config).model_fields) - {
        "model_type",
        "model_format",
        "base_model",
    }


def test_the_first_base_is_the_models_own() -> None:
    """Given one the other follows, when it is made and when it is assigned."""
    config = parse_config(INK)
    assert config.bases == ("sdxl",)
    several = {key: value for key, value in INK.items() if key != "base"}
    assert parse_config(several | {"bases": ["sd-1", "sd-2"]}).base_model == "sd-1"
    config.bases = (BaseModelType.SD_1, BaseModelType.SD_2)
    assert config.base == "sd-1"
    config.base = BaseModelType.SD_2
    assert list(config.bases) == ["sd-2", "sd-1"]
    config.base_model = BaseModelType.FLUX
    assert list(config.bases) == ["flux"]
    with pytest.raises(ValidationError):
        config.bases = ()
    assert list(config.bases) == ["flux"]


def test_an_assignment_is_checked_and_leaves_the_record_whole() -> None:
    """What a user assigns is what a document could say."""
    config = parse_config(INK)
    config.format = ModelFormat.CHECKPOINT
    config.type = ModelType.LORA
    before = config.to_document()
    assert before["model_format"] == "checkpoint"
    for field, value in [("name", "\0"), ("type", "vae"), ("format", "olive"), ("base", "x")]:
        with pytest.raises(ValidationError):
            setattr(config, field, value)
    with pytest.raises(ValidationError):
        config.colour = "red"
    assert config.to_document() == before


def test_what_was_put_into_a_list_is_checked_when_it_is_parsed_again() -> None:
    """Stores parse what they are given: lists change without anybody being asked."""
    config = parse_config(INK | {"tags": ["a"]})
    config.tags.append("\0")
    assert problem_of(config).fields == "tags.1"
    config.tags[:] = ["b", "a", "b"]
    again = parse_config(config)
    assert again.tags == ["b", "a"]
    assert again.tags is not config.tags


def test_settings_may_say_what_json_can() -> None:
    """An escape that is written out is no NUL."""
    settings = {"weight": 0.75, "seen": [None, True, "\\u0000"], "steps": {"min": 1}}
    assert parse_config(INK | {"default_settings": settings}).default_settings == settings


def test_lists_are_kept_in_order_without_repeats() -> None:
    """A set has no order, so it gets one."""
    assert parse_config(INK | {"tags": ["b", "a", "b"]}).tags == ["b", "a"]
    assert parse_config(INK | {"trigger_phrases": {"b", "a"}}).trigger_phrases == ["a", "b"]


def test_a_license_can_be_asked_as_the_document_asks() -> None:
    """Its sample filters on `license.contains`; a model without one just does not fit."""
    sold = parse_config(INK | {"license": "allowCommercialUse=Sell"})
    models = [sold, parse_config(INK)]
    assert [each for each in models if each.license.contains("allowCommercialUse=Sell")] == [sold]
    assert type(sold.to_document()["license"]) is str


def test_every_hash_is_known_once_and_bare() -> None:
    """Whatever the algorithm is called."""
    config = parse_config(INK | {"hash": f"blake3:{DIGEST.upper()}", "blake3": DIGEST})
    assert config.hashes == (DIGEST,)
    assert parse_config(INK).hashes == ()


def test_a_record_survives_copying_and_pickling() -> None:
    """Work is handed to other processes."""
    config = parse_config(MAIN)
    assert pickle.loads(pickle.dumps(config)) == config  # noqa: S301 - it was written here
    assert copy.deepcopy(config) == config


class TestMerge:
    def test_fields_that_are_not_named_stay(self) -> None:
        """A sparse dict changes what it says; the record that was given stays as it is."""
        config = parse_config(INK | {"tags": ["a"], "description": "fine"})
        merged = merge_config(config, {"description": None, "name": "pen"})
        assert (merged.name, merged.description, merged.tags) == ("pen", None, ["a"])
        assert (config.name, config.description) == ("ink", "fine")

    def test_a_new_type_changes_the_class(self) -> None:
        """What only the old class had by default goes, and the new class's defaults come."""
        lora = parse_config(INK)
        main = merge_config(lora, {"type": "main", "format": "checkpoint"})
        assert type(main).__name__ == "MainCheckpointConfig"
        assert main.variant == "normal"
        again = merge_config(main, {"model_type": "lora", "format": "lycoris"})
        assert again == lora

    def test_a_new_base_changes_the_class_of_onnx(self) -> None:
        """SD 1 and 2 have classes of their own."""
        first = parse_config(INK | {"type": "onnx", "format": "onnx", "base": "sd-1"})
        second = merge_config(first, {"base": "sd-2", "prediction_type": "v_prediction"})
        assert (type(second).__name__, second.prediction_type) == ("ONNXSD2Config", "v_prediction")

    def test_what_is_set_is_not_lost_with_the_class(self) -> None:
        """Who changes the class says what becomes of it."""
        main = parse_config(MAIN)
        with pytest.raises(InvalidModelConfigException) as caught:
            merge_config(main, {"format": "diffusers"})
        assert caught.value.fields == "config"
        assert "set it to None" in str(caught.value)
        merged = merge_config(main, {"format": "diffusers", "config": None})
        assert type(merged).__name__ == "MainDiffusersConfig"

    def test_bases_follow(self) -> None:
        """A known base moves to the front, a new one replaces all."""
        config = merge_config(parse_config(INK), {"bases": ["sd-1", "sd-2"]})
        assert config.base == "sd-1"
        assert merge_config(config, {"base": "sd-2"}).bases == ("sd-2", "sd-1")
        assert merge_config(config, {"base": "flux"}).bases == ("flux",)

    @pytest.mark.parametrize(
        ("changes", "fields"),
        [
            ({"key": "other"}, "key"),
            ({"type": "vae", "model_type": "lora"}, "model_type"),
            ({"type": "vae"}, "model_format"),
            ({"type": None}, "model_type"),
            ({"colour": "red"}, "colour"),
            ({"tags": None}, "tags"),
            ({"base": ["x"]}, "base_model"),
            ({"bases": ["x"]}, "bases.0"),
            ({"bases": 7}, "base_model, bases"),
            (7, "record"),
        ],
    )
    def test_a_wrong_change_is_named(self, changes: Any, fields: str) -> None:  # noqa: ANN401
        """As in a whole record."""
        config = parse_config(INK | {"key": "a"})
        with pytest.raises(InvalidModelConfigException) as caught:
            merge_config(config, changes)
        assert caught.value.fields == fields
        assert config == parse_config(INK | {"key": "a"})
