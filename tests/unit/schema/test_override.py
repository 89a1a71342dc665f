from __future__ import annotations

import pytest

from modelshelf.schema.identity import Evidence, Identity, IdentityStatus
from modelshelf.schema.override import Overridden, Override
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    SchedulerPredictionType,
)

DETECTED = Identity(
    ModelType.VAE,
    ModelFormat.CHECKPOINT,
    candidates=(BaseModelType.SD_1, BaseModelType.SDXL),
    evidence=(Evidence("a", "b", "c"),),
    status=IdentityStatus.UNDECIDED,
)


def test_an_empty_override_changes_nothing() -> None:
    """The detected identity itself counts."""
    assert Overridden(DETECTED).effective is DETECTED
    assert Override().fields == ()


def test_what_the_user_says_wins_and_the_rest_stays() -> None:
    """Evidence is still that of the detection, which is kept as it was."""
    both = Override(prediction_type=SchedulerPredictionType.V_PREDICTION).over(DETECTED)
    assert both.effective.prediction_type == "v_prediction"
    assert both.effective.candidates == DETECTED.candidates
    assert both.effective.status == "undecided"
    assert both.detected == DETECTED


def test_a_base_settles_what_was_open() -> None:
    """Whoever asked for a choice has one now."""
    effective = Override(bases=(BaseModelType.SD_1,)).over(DETECTED).effective
    assert (effective.bases, effective.candidates) == ((BaseModelType.SD_1,), ())
    assert effective.status == "identified"
    assert effective.evidence == DETECTED.evidence


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (IdentityStatus.UNKNOWN, "identified"),
        (IdentityStatus.AMBIGUOUS, "identified"),
        (IdentityStatus.PARTIAL, "partial"),
        (IdentityStatus.BROKEN, "broken"),
    ],
)
def test_a_user_cannot_mend_files(status: IdentityStatus, expected: str) -> None:
    """What is missing or damaged stays so, whatever it is called."""
    detected = Identity(ModelType.UNKNOWN, ModelFormat.UNKNOWN, status=status)
    override = Override(type=ModelType.LORA, bases=(BaseModelType.FLUX,))
    assert override.over(detected).effective.status == expected
    assert override.fields == ("type", "bases")
