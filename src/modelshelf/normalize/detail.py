"""What is kept of an identity beside a model's record: finer facts, and why they are believed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from modelshelf.schema.identity import Identity, IdentityStatus
from modelshelf.schema.override import Overridden, Override
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)

__all__ = ["identity_detail", "override_in"]


def identity_detail(
    said: Overridden, *, rules: str, kept_whole: str = "", learned: Iterable[BaseModelType] = ()
) -> str:
    """Write down what is known of a model, as a JSON object without empty fields.

    Args:
        said: What was detected, and what the user says instead.
        rules: The edition of the rules that detected it.
        kept_whole: Why a checkpoint was not converted; empty where that is no question.
        learned: The bases that pipelines named, which a user's word for the bases hides.
    """
    identity = said.effective
    facts: dict[str, object] = {
        "kept_whole": kept_whole,
        "status": identity.status,
        "architecture": identity.architecture,
        # The record may say more: what pipelines that have it know.
        "type": _untold(identity),
        "format": identity.format,
        "bases": list(identity.bases),
        "candidates": list(identity.candidates),
        "variant": identity.variant,
        "prediction_type": identity.prediction_type,
        "repo_variant": identity.repo_variant,
        "precision": identity.precision,
        "details": dict(identity.details),
        "evidence": [asdict(evidence) for evidence in identity.evidence],
        "rules": rules,
    }
    if said.override.fields:
        facts["override"] = {
            name: _plain(getattr(said.override, name)) for name in said.override.fields
        }
        facts["detected"] = {
            name: _plain(value)
            for name in said.override.fields
            if (value := getattr(said.detected, name))
        }
    if said.override.bases is not None:
        facts["learned"] = list(learned)
    return json.dumps({name: value for name, value in facts.items() if value}, sort_keys=True)


def _untold(identity: Identity) -> ModelType | None:
    """Return the type where it is unknown and the status does not say so, as of damaged files."""
    is_told = identity.type is not ModelType.UNKNOWN or identity.status is IdentityStatus.UNKNOWN
    return None if is_told else identity.type


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def override_in(detail: str) -> Override:
    """Return what the user said of a model, out of what `identity_detail` wrote.

    Example:
        >>> from modelshelf.schema.identity import Identity
        >>> said = Override(bases=(BaseModelType.SDXL,))
        >>> nothing = Identity(ModelType.VAE, ModelFormat.CHECKPOINT)
        >>> override_in(identity_detail(said.over(nothing), rules="")) == said
        True
    """
    written: Mapping[str, Any] = json.loads(detail).get("override", {})
    return Override(
        type=ModelType(written["type"]) if "type" in written else None,
        bases=tuple(map(BaseModelType, written["bases"])) if "bases" in written else None,
        format=ModelFormat(written["format"]) if "format" in written else None,
        variant=ModelVariantType(written["variant"]) if "variant" in written else None,
        prediction_type=SchedulerPredictionType(written["prediction_type"])
        if "prediction_type" in written
        else None,
        precision=written.get("precision"),
        architecture=written.get("architecture"),
    )
