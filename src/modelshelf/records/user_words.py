"""What somebody says of a stored model through its record: kept as a user's word, above what is detected.

It is written where `shelf identify` writes it, so it stays when the model is identified again, and
`shelf identify --as-detected` takes it back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from modelshelf.schema.identity import IdentityStatus
from modelshelf.schema.model import ModelInfo
from modelshelf.schema.served_bases import learned_bases, own_bases
from modelshelf.schema.taxonomy import BaseModelType, ModelType

if TYPE_CHECKING:
    # Whoever lists stored models makes no class of record.
    from modelshelf.schema.config import AnyModelConfig
    from modelshelf.schema.config_detail import ModelDetail

__all__ = ["OWN_FACTS", "detail_after", "detail_with", "said_of_placed", "with_words"]

_FACTS = ("variant", "prediction_type", "precision", "architecture")
"""What stands in the detail itself; type, bases and format are columns."""
OWN_FACTS = (*_FACTS, "format", "bases")
"""What stands in the detail as it was found by looking at the model alone."""
_WORDS = {"model_type": "type", "bases": "bases", "model_format": "format"} | {
    name: name for name in _FACTS
}
"""Field of a record → the user's word that it is."""
_SETTLED = frozenset({IdentityStatus.UNDECIDED, IdentityStatus.AMBIGUOUS, IdentityStatus.UNKNOWN})
"""What is open no more when somebody says type and base."""


def detail_after(info: ModelInfo, current: AnyModelConfig, changed: AnyModelConfig) -> str:
    """Return the detail of *info* when its record becomes *changed*; the same text where nothing is said."""
    said = {
        word: getattr(changed, field)
        for field, word in _WORDS.items()
        if getattr(changed, field) != getattr(current, field)
    }
    if not said:
        return info.detail
    old = json.loads(info.detail)
    own = info.bases if info.is_pipeline else own_bases(old, info.bases)
    learned = () if info.is_pipeline else learned_bases(old, info.bases)
    held = {"type": info.type, "format": info.format, "bases": own}
    words = {word: _plain(value) for word, value in said.items()}
    return json.dumps(with_words(old, words, held, learned=learned), sort_keys=True)


def said_of_placed(current: AnyModelConfig, changed: AnyModelConfig) -> ModelDetail | None:
    """Return how a model that lies elsewhere is known when its record becomes *changed*.

    What is changed of one that was looked at is a user's word; a record that says nothing of how it is known
    goes on saying nothing, and one that says it anew is believed.
    """
    if current.detail is None or changed.detail != current.detail:
        return changed.detail
    fields = {word: field for field, word in _WORDS.items()}
    words = {
        word: getattr(changed, field)
        for word, field in fields.items()
        if getattr(changed, field) != getattr(current, field)
    }
    return detail_with(current, words) if words else current.detail


def detail_with(config: AnyModelConfig, words: Mapping[str, Any]) -> ModelDetail:
    """Return what *config*, the record of a model that lies elsewhere, keeps when a user says *words*.

    Args:
        config: The record as it was.
        words: Values by the names of the fields of `Override`.
    """
    # Imported here: whoever lists stored models makes no class of record.
    from modelshelf.schema.config_detail import ModelDetail  # noqa: PLC0415 - see above

    old = {} if config.detail is None else config.detail.model_dump(mode="json", exclude_none=True)
    facts = {word: value for word in _FACTS if (value := _plain(getattr(config, word)))}
    held = {"type": config.model_type, "format": config.model_format, "bases": config.bases}
    said = {word: _plain(value) for word, value in words.items()}
    new = with_words(old | facts, said, held, learned=())
    return ModelDetail.model_validate(
        {name: value for name, value in new.items() if name in ModelDetail.model_fields}
    )


def with_words(
    old: dict[str, Any],
    words: Mapping[str, Any],
    held: Mapping[str, Any],
    *,
    learned: Sequence[BaseModelType],
) -> dict[str, Any]:
    """Return what is kept of a model when a user says *words* of it, besides what was said before.

    Args:
        old: What was kept, as a mapping.
        words: Plain values by the names of the fields of `Override`.
        held: The type, the format and the bases that the model has had, without those of its pipelines.
        learned: The bases that it has of pipelines alone.
    """
    earlier, detected = dict(old.get("override", {})), dict(old.get("detected", {}))
    for word, value in words.items():
        if word not in earlier:
            detected[word] = old.get(word) if word in _FACTS else _plain(held[word])
        earlier[word] = value
    facts = {word: value for word, value in words.items() if word in OWN_FACTS}
    new = old | facts | {"override": _kept(earlier), "detected": _kept(detected)}
    if "bases" in words:
        new.pop("candidates", None)
        # The word hides them; whoever takes it back has them again.
        new["learned"] = _plain(learned)
    kind, bases = words.get("type", held["type"]), words.get("bases", held["bases"])
    has_base = bool(bases) and BaseModelType.UNKNOWN not in bases
    if has_base and kind != ModelType.UNKNOWN and new.get("status") in _SETTLED:
        new["status"] = IdentityStatus.IDENTIFIED.value
    return _kept(new)


def _kept(words: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in words.items() if value}


def _plain(value: object) -> object:
    return (
        [str(each) for each in value] if isinstance(value, tuple | list) else value and str(value)
    )
