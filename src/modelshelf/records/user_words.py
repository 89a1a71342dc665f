"""What somebody says of a stored model through its record: kept as a user's word, above what is detected.

It is written where `shelf identify` writes it, so it stays when the model is identified again, and
`shelf identify --as-detected` takes it back.
"""

from __future__ import annotations

import json
from typing import Any

from modelshelf.schema.config import AnyModelConfig
from modelshelf.schema.identity import IdentityStatus
from modelshelf.schema.model import ModelInfo
from modelshelf.schema.taxonomy import BaseModelType, ModelType

__all__ = ["detail_after"]

_FACTS = ("variant", "prediction_type", "precision", "architecture")
"""What stands in the detail itself; type, bases and format are columns."""
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
    old: dict[str, Any] = json.loads(info.detail)
    earlier, detected = dict(old.get("override", {})), dict(old.get("detected", {}))
    for word, value in said.items():
        if word not in earlier:
            detected[word] = old.get(word) if word in _FACTS else _plain(getattr(info, word))
        earlier[word] = _plain(value)
    facts = {word: _plain(value) for word, value in said.items() if word in _FACTS}
    new = old | facts | {"override": _kept(earlier), "detected": _kept(detected)}
    if "bases" in said:
        new.pop("candidates", None)
    is_settled = (
        changed.model_type is not ModelType.UNKNOWN and BaseModelType.UNKNOWN not in changed.bases
    )
    if is_settled and new.get("status") in _SETTLED:
        new["status"] = IdentityStatus.IDENTIFIED.value
    return json.dumps(_kept(new), sort_keys=True)


def _kept(words: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in words.items() if value}


def _plain(value: object) -> object:
    return [str(each) for each in value] if isinstance(value, tuple) else value and str(value)
