"""What the text inside a tensor file says the model is: claims that may narrow, never proofs.

Trainers and converters write these fields, mergers drop and copy them: musubi-tuner has written
`wan2.1` into adapters of Wan 2.2. Words are understood by `schema.vocabulary` alone.
Sources: Stability-AI/ModelSpec; `library/train_util.py` of kohya-ss/sd-scripts; `docs/gguf.md` of
ggml-org/ggml.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from modelshelf.schema.declared import Declared, Trust
from modelshelf.schema.taxonomy import BaseModelType, SchedulerPredictionType
from modelshelf.schema.vocabulary import Meaning, base_meant, gguf_meant, prediction_meant

__all__ = ["BasesSaid", "bases_said", "claims_of"]

BasesSaid = frozenset[tuple[BaseModelType, ...]]
"""Of each claim that names bases, those that it leaves possible."""

_ARCHITECTURES = ("modelspec.architecture", "ss_base_model_version")
_PREDICTIONS = ("modelspec.prediction_type", "modelspec.predict_key")
"""ModelSpec's field, and the one that ComfyUI writes."""
_LONGEST = 80


def claims_of(metadata: Mapping[str, str]) -> tuple[Declared, ...]:
    """Return what *metadata* of a tensor file says, in a fixed order.

    Example:
        >>> [claim.bases[0].value for claim in claims_of({"ss_base_model_version": "sdxl_base_v1-0"})]
        ['sdxl']
    """
    # Field by field: who asks how many there are wants them all, and no run remembers such a file.
    return tuple(_claims(metadata))


def bases_said(claims: Iterable[Declared]) -> BasesSaid:
    """Return which bases the most trusted of *claims* name; empty where none names any."""
    naming = [claim for claim in claims if claim.bases]
    most = min((claim.trust for claim in naming), default=None)
    return frozenset(claim.bases for claim in naming if claim.trust is most)


def _claims(metadata: Mapping[str, str]) -> Iterator[Declared]:
    for key in _ARCHITECTURES:
        if (meaning := base_meant(metadata.get(key, ""))) is not None:
            yield _declared(key, metadata[key], meaning)
    if metadata.get("ss_v2") == "True":
        yield _declared("ss_v2", "True", Meaning((BaseModelType.SD_2,)))
    word = metadata.get("general.architecture", "")
    if (meaning := gguf_meant(word)) is not None:
        yield _declared("general.architecture", word, meaning)
    for key in _PREDICTIONS:
        if (prediction := prediction_meant(metadata.get(key, ""))) is not None:
            yield _declared(key, metadata[key], Meaning((), None, prediction))
    if metadata.get("ss_v_parameterization") == "True":
        v = Meaning((), None, SchedulerPredictionType.V_PREDICTION)
        yield _declared("ss_v_parameterization", "True", v)


def _declared(key: str, said: str, meaning: Meaning) -> Declared:
    return Declared(
        trust=Trust.METADATA,
        where=f"metadata:{key}",
        said=said[:_LONGEST],
        bases=meaning.bases,
        type=meaning.type,
        variant=meaning.variant,
        prediction_type=meaning.prediction_type,
        architecture=meaning.architecture,
    )
