"""What counts as right: the manifest's words mapped to modelshelf's, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelshelf.schema.identity import Identity
from modelshelf.schema.taxonomy import BaseModelType, ModelType

__all__ = ["Verdict", "is_open", "judge"]

_TYPES = {"qwen3_encoder": "text_encoder", "text_llm": "text_encoder"}
"""The manifest's types that are called otherwise here; what has no word here is unknown."""
_BASES = {
    "hunyuan-image": "hunyuan-image-2.1",
    "lumina-next": "lumina",
    "ltx2": "ltx-video",
    "playground-v2.5": "sdxl",
}
"""The same for bases."""
_VARIANTS: Mapping[str, tuple[str | None, str]] = {
    "2b": (None, "2b"),
    "5b": (None, "5b"),
    "animate_14b": ("animate", ""),
    "dev_canny": ("dev_control", ""),
    "dev_depth": ("dev_control", ""),
    "fun_control_1_3b": ("control", "1.3b"),
    "i2v_14b": ("i2v", ""),
    "image_variation": (None, ""),
    "klein_4b_base": ("klein_4b", ""),
    "klein_9b_base": ("klein_9b", ""),
    "t2v_14b": ("t2v", ""),
    "t2v_1_3b": ("t2v", "1.3b"),
    "t2v_a14b": ("t2v", ""),
    "turbo": (None, ""),
    "vace_14b": ("vace", "14b"),
    "vace_1_3b": ("vace", "1.3b"),
    "zbase": (None, ""),
    "hotshot-xl": (None, ""),
    "interactdiffusion": (None, ""),
    "zero123plus": (None, ""),
}
"""Variants that say two things: the variant here, and what `architecture` must hold.

None where the finer kind is no variant here: any answer goes, the base carries the claim.
"""

Verdict = Mapping[str, str]
"""Field → what was expected and found, for every field that is not right; empty when all are."""


def judge(identity: Identity, expected: Mapping[str, Any]) -> Verdict:
    """Compare *identity* with the manifest's *expected*."""
    wrong: dict[str, str] = {}
    found_type = identity.type.value
    types = {_type(word) for word in _allowed(expected, "type")}
    if found_type not in types:
        wrong["type"] = f"expected {_words(types)}, got {found_type}"
    # Where not knowing is right, nothing is left to be known.
    is_base_asked = found_type != "unknown" or "type" in wrong
    if is_base_asked and not _is_base_right(_bases(identity), expected):
        bases = _words(_allowed(expected, "base"))
        wrong["base"] = f"expected {bases}, got {_words(_bases(identity))}"
    if identity.bases and not _is_variant_right(identity, _allowed(expected, "variant")):
        variants = _words(_allowed(expected, "variant"))
        wrong["variant"] = (
            f"expected {variants}, got {identity.variant} of {identity.architecture!r}"
        )
    predictions = _allowed(expected, "prediction_type") | _allowed(expected, "pred")
    # Where the manifest allows several, structure cannot tell, and silence is right too.
    found = {identity.prediction_type.value} if identity.prediction_type else set()
    if predictions and not (found <= predictions if len(predictions) > 1 else found == predictions):
        wrong["prediction"] = f"expected {_words(predictions)}, got {_words(found)}"
    precisions = _allowed(expected, "precision")
    if precisions and identity.precision not in precisions:
        wrong["precision"] = f"expected {_words(precisions)}, got {identity.precision}"
    return wrong


def is_open(identity: Identity, wrong: Verdict) -> bool:
    """Say whether *identity* claims nothing wrong: not right where more is expected, but honest."""
    claims_type = "type" in wrong and identity.type is not ModelType.UNKNOWN
    claims_base = bool(identity.bases) and wrong.keys() != {"precision"}
    return not claims_type and not claims_base


def _allowed(expected: Mapping[str, Any], field: str) -> set[str]:
    if f"{field}_any_of" in expected:
        return set(expected[f"{field}_any_of"])
    return {expected[field]} if field in expected else set()


def _type(word: str) -> str:
    word = _TYPES.get(word, word)
    return word if word in set(ModelType) else "unknown"


def _base(word: str) -> str:
    word = _BASES.get(word, word)
    return word if word in set(BaseModelType) else "unknown"


def _bases(identity: Identity) -> set[str]:
    return {one.value for one in identity.bases or identity.candidates} or {"unknown"}


def _is_base_right(found: set[str], expected: Mapping[str, Any]) -> bool:
    allowed = {_base(word) for word in _allowed(expected, "base")}
    if "|" not in expected["base"]:
        # Nobody is to know what is no model; a type that serves every base is no claim either.
        if expected["type"] == "unknown":
            return found == {"unknown"}
        return found <= allowed
    members = {_base(word) for word in expected["base"].split("|")}
    return members <= found <= members | allowed or found == {"any"} <= allowed | members


def _is_variant_right(identity: Identity, words: set[str]) -> bool:
    if not words:
        return True
    for word in words:
        variant, architecture = _VARIANTS.get(word, (word, ""))
        if variant in {None, identity.variant} and architecture in identity.architecture:
            return True
    return False


def _words(values: set[str]) -> str:
    return " or ".join(sorted(values)) or "nothing"
