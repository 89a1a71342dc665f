"""What trainers write into a file: kohya's `ss_*`, ai-toolkit, OneTrainer, diffusers.

All of them write text into the header of a safetensors file; what is no text is JSON in a text. Merging
and converting tools drop or keep these at random.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from modelshelf.metadata.gathering import Gathering, as_text, embedded_json
from modelshelf.schema.metadata import Field
from modelshelf.schema.taxonomy import ModelType, SchedulerPredictionType

__all__ = ["read_training"]

_KOHYA = {
    "ss_output_name": Field.OUTPUT_NAME,
    "ss_training_comment": Field.NOTE,
    "ss_sd_model_name": Field.BASE_NAME,
    "ss_network_module": Field.NETWORK,
    "ss_network_dim": Field.NETWORK_DIM,
    "ss_network_alpha": Field.NETWORK_ALPHA,
    "ss_network_args": Field.NETWORK_ARGS,
    "sshs_model_hash": Field.DATA_SHA256,
    "sshs_legacy_hash": Field.AUTOV1,
}
_MOST_FREQUENT = 20
_SIDES = 2


def read_training(gathering: Gathering, metadata: Mapping[str, str]) -> None:
    """Take what any of the trainers wrote."""
    if any(key.startswith("ss") for key in metadata):
        _read_kohya(gathering, metadata)
    _read_ai_toolkit(gathering, metadata)
    _read_one_trainer(gathering, metadata)
    _read_diffusers(gathering, metadata)


def _read_kohya(gathering: Gathering, metadata: Mapping[str, str]) -> None:
    for key, field in _KOHYA.items():
        value = metadata.get(key)
        if value != "None":
            gathering.say(field, value, key)
    resolution = "x".join(_numbers(metadata.get("ss_resolution", "")))
    gathering.say(Field.RESOLUTION, resolution, "ss_resolution")
    gathering.claim_base(metadata.get("ss_base_model_version"), "ss_base_model_version")
    if metadata.get("ss_v_parameterization") == "True":
        gathering.claim(
            "ss_v_parameterization", "True", prediction_type=SchedulerPredictionType.V_PREDICTION
        )
    if "ss_network_module" in metadata:
        gathering.claim("ss_network_module", metadata["ss_network_module"], type=ModelType.LORA)
    _say_tags(gathering, embedded_json(gathering, metadata, "ss_tag_frequency"))


def _numbers(text: str) -> list[str]:
    """Return both sides of a resolution as kohya writes it: `(768, 768)`, `512,512`, `1024`."""
    sides = [side.strip() for side in text[:40].strip("()[] ").split(",")]
    if not all(side.isdecimal() for side in sides):
        return []
    return sides[:_SIDES] if len(sides) >= _SIDES else sides * _SIDES


def _say_tags(gathering: Gathering, frequency: Mapping[str, Any]) -> None:
    """Take the tags that stood under most images, and of each folder of images the first of them.

    A trainer's user puts the trigger word before every caption, so the most frequent tag of a folder
    is most likely one.
    """
    total: Counter[str] = Counter()
    for counts in frequency.values():
        tags = Counter(dict(_counted(counts)))
        total.update(tags)
        if tags:
            gathering.say(Field.TRIGGER_WORD, _by_count(tags)[0], "ss_tag_frequency")
    for tag in _by_count(total)[:_MOST_FREQUENT]:
        gathering.say(Field.FREQUENT_TAG, tag, "ss_tag_frequency")


def _counted(counts: object) -> Iterator[tuple[str, int]]:
    if isinstance(counts, dict):
        for tag, count in counts.items():
            if isinstance(count, int) and not isinstance(count, bool) and tag.strip():
                yield tag.strip(), count


def _by_count(tags: Counter[str]) -> list[str]:
    return sorted(tags, key=lambda tag: (-tags[tag], tag))


def _read_ai_toolkit(gathering: Gathering, metadata: Mapping[str, str]) -> None:
    software = embedded_json(gathering, metadata, "software")
    names = [as_text(software.get(key)) for key in ("name", "version")]
    gathering.say(Field.SOFTWARE, " ".join(filter(None, names)), "software")


def _read_one_trainer(gathering: Gathering, metadata: Mapping[str, str]) -> None:
    if "ot_branch" not in metadata:
        return
    gathering.say(Field.SOFTWARE, "OneTrainer", "ot_branch")
    config = embedded_json(gathering, metadata, "ot_config")
    base = config.get("base_model_name")
    gathering.say(Field.BASE_NAME, base, "ot_config.base_model_name")
    gathering.say(Field.NETWORK_DIM, config.get("lora_rank"), "ot_config.lora_rank")
    gathering.say(Field.NETWORK_ALPHA, config.get("lora_alpha"), "ot_config.lora_alpha")
    model = as_text(config.get("model_type")).replace("_", " ")
    if model:
        gathering.claim_base(_one_trainer_base(model), "ot_config.model_type")


def _one_trainer_base(name: str) -> str:
    """Write OneTrainer's constant as others call the base; most need only their underscores gone."""
    words = {
        "STABLE DIFFUSION XL 10 BASE INPAINTING": "sdxl 1.0 inpainting",
        "STABLE CASCADE 1": "stable cascade",
        "FLUX DEV 1": "flux.1 dev",
        "FLUX FILL DEV 1": "flux.1 fill",
    }
    return words.get(name, name)


def _read_diffusers(gathering: Gathering, metadata: Mapping[str, str]) -> None:
    """Take rank and alpha, which diffusers keeps out of the tensors' names.

    Keys are `r` and `lora_alpha`, alone or behind the component: `transformer.r`.
    """
    adapter = embedded_json(gathering, metadata, "lora_adapter_metadata")
    if not adapter:
        return
    gathering.claim("lora_adapter_metadata", "lora", type=ModelType.LORA)
    for name, field in (("r", Field.NETWORK_DIM), ("lora_alpha", Field.NETWORK_ALPHA)):
        for key in sorted(adapter):
            if key.rpartition(".")[2] == name:
                gathering.say(field, adapter[key], f"lora_adapter_metadata.{key}")
