from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from modelshelf.errors import InvalidModelConfigException
from modelshelf.install.wish import ModelWish
from modelshelf.metadata import read_metadata
from modelshelf.schema.metadata import ModelMetadata
from modelshelf.schema.override import Override
from modelshelf.schema.taxonomy import BaseModelType, ModelType, SchedulerPredictionType


def test_each_field_goes_to_where_it_counts() -> None:
    """What a model is, what it is called, and what else its record says."""
    wish = ModelWish.parse(
        {
            "name": "stable diffusion 2 base model",
            "description": "ours",
            "type": "main",
            "base_model": BaseModelType.SD_2,
            "prediction_type": SchedulerPredictionType("v_prediction"),
            "trigger_phrases": ["x"],
            "upcast_attention": True,
        }
    )
    assert (wish.name, wish.description) == ("stable diffusion 2 base model", "ours")
    assert wish.override == Override(
        type=ModelType.MAIN,
        bases=(BaseModelType.SD_2,),
        prediction_type=SchedulerPredictionType.V_PREDICTION,
    )
    assert wish.record == {"trigger_phrases": ["x"], "upcast_attention": True}


def test_nothing_said_is_nothing_wished() -> None:
    """An empty dictionary leaves everything to be found out."""
    assert ModelWish.parse({}) == ModelWish()
    assert ModelWish.parse({"bases": ["sdxl", "sd-1"]}).override.bases == (
        BaseModelType.SDXL,
        BaseModelType.SD_1,
    )


@pytest.mark.parametrize(
    ("config", "problems"),
    [
        ({"colour": "blue"}, ["`colour`: no record has such a field"]),
        ({"hash": "x", "path": "y"}, ["`hash`: is the store's", "`path`: is the store's"]),
        ({"base": "sd-9"}, ["`base_model`: expected one of any, ", "got `sd-9`"]),
        ({"name": 5, "type": "Lora"}, ["`model_type`: expected one of", "`name`: expected text"]),
        ({"type": "lora", "model_type": "vae"}, ["`model_type`: expected one value, got two"]),
        ({"bases": 7}, ["`bases`: expected one of"]),
    ],
)
def test_what_cannot_be_is_refused_at_once(config: Mapping[str, Any], problems: list[str]) -> None:
    """With every field that is wrong, before anything is fetched."""
    with pytest.raises(InvalidModelConfigException) as raised:
        ModelWish.parse(config)
    assert [problem for problem in problems if problem not in str(raised.value)] == []


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"tags": "line art"}, "`tags`: expected a valid list, got `line art`"),
        ({"tags": ["ink", 3]}, "`tags`: expected a valid string, got `3`"),
        ({"tags": ["ink"] * 1_001}, "`tags`: expected at most 1000 entries, got 1001"),
        ({"author": 5}, "`author`: expected a valid string, got `5`"),
        ({"vae": 7}, "`vae`: expected a valid string, got `7`"),
        ({"upcast_attention": "maybe"}, "`upcast_attention`: expected a valid boolean"),
        (
            {"source_type": "disk"},
            "`source_type`: expected `path`, `url`, `hf_repo_id` or `civitai`",
        ),
    ],
)
def test_what_no_record_can_keep_is_refused_before_anything_is_fetched(
    config: Mapping[str, Any], problem: str
) -> None:
    """It used to be found when a model was fetched whole and to be recorded, and at each further try."""
    with pytest.raises(InvalidModelConfigException) as refused:
        ModelWish.parse(config)
    assert problem in str(refused.value)


def test_what_some_record_can_keep_is_taken() -> None:
    """In any of the forms that a record takes; whether it fits the model is told when that is known."""
    config = {
        "tags": ("ink", "line art"),
        "author": None,
        "vae": "vae/mine",
        "upcast_attention": True,
        "config": "v1-inference.yaml",
        "source": "a friend",
    }
    assert ModelWish.parse(config).record == config


def test_the_hubs_words_join_those_of_the_file(tmp_path: Path) -> None:
    """Lists are joined; of single words the file's own counts more, and the caller's most."""
    said = read_metadata(
        tmp_path / "ink.safetensors",
        {"modelspec.author": "ana", "modelspec.tags": "ink, line", "modelspec.title": "Ink"},
    )
    wish = ModelWish(
        told={"tags": ["line", "hub"], "author": "page", "license": "mit"},
        record={"license": "apache-2.0"},
    )
    fields = wish.fields_beside(said)
    assert fields["tags"] == ["ink", "line", "hub"]
    assert "author" not in fields
    assert fields["license"] == "apache-2.0"
    assert ModelWish(told={"author": "page"}).fields_beside(ModelMetadata()) == {"author": "page"}
