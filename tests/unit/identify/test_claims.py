"""What the text inside a tensor file says, and where it stands."""

from __future__ import annotations

import pytest

from modelshelf.identify.claims import claims_of
from modelshelf.schema.declared import Declared, Trust
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)

FLUX, SD_2, SDXL = BaseModelType.FLUX, BaseModelType.SD_2, BaseModelType.SDXL
V = SchedulerPredictionType.V_PREDICTION


@pytest.mark.parametrize(
    ("field", "said", "expected"),
    [
        ("modelspec.architecture", "flux-1-dev/lora", {"bases": (FLUX,), "type": ModelType.LORA}),
        ("modelspec.architecture", "pony", {"bases": (SDXL,), "architecture": "pony"}),
        (
            "ss_base_model_version",
            "Flux.1 schnell",
            {"bases": (FLUX,), "variant": ModelVariantType.SCHNELL},
        ),
        (
            "ss_base_model_version",
            "sd-2.1-768-v",
            {"bases": (SD_2,), "prediction_type": V},
        ),
        ("ss_v2", "True", {"bases": (SD_2,)}),
        ("general.architecture", "sdxl", {"bases": (SDXL,)}),
        ("modelspec.prediction_type", "v", {"prediction_type": V}),
        ("modelspec.predict_key", "v", {"prediction_type": V}),
        ("ss_v_parameterization", "True", {"prediction_type": V}),
    ],
)
def test_a_claim_has_what_its_words_mean_and_where_they_stand(
    field: str, said: str, expected: dict[str, object]
) -> None:
    assert claims_of({field: said}) == (
        Declared(Trust.METADATA, f"metadata:{field}", said, **expected),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"ss_v2": "False"},
        {"ss_v_parameterization": "true"},
        {"modelspec.architecture": "a strange one"},
        {"general.architecture": "clip"},
        {"modelspec.prediction_type": "x"},
        {"title": "sdxl"},
    ],
)
def test_words_that_nobody_knows_claim_nothing(metadata: dict[str, str]) -> None:
    assert claims_of(metadata) == ()


def test_words_are_cut_to_what_fits_a_line() -> None:
    """They are a stranger's, and blanks do not change what they mean."""
    (claim,) = claims_of({"modelspec.architecture": "sdxl" + " " * 90})
    assert (claim.bases, claim.said) == ((SDXL,), "sdxl" + " " * 76)


def test_claims_stand_in_one_order_whatever_the_files() -> None:
    fields = {
        "modelspec.architecture": "sdxl",
        "ss_base_model_version": "sdxl_base_v1-0",
        "ss_v2": "True",
        "general.architecture": "sdxl",
        "modelspec.prediction_type": "v",
        "modelspec.predict_key": "v",
        "ss_v_parameterization": "True",
    }
    for metadata in (fields, dict(reversed(fields.items()))):
        assert [one.where for one in claims_of(metadata)] == [f"metadata:{name}" for name in fields]
