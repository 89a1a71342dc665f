"""The front matter of a README as the Hugging Face Hub reads it.

A model card begins with YAML between two lines of `---`. Only what cards use is read: plain values and
lists of plain values at the top level. A YAML parser for text of strangers would have to be bounded first.
https://huggingface.co/docs/hub/model-cards#model-card-metadata
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from modelshelf.errors import ModelshelfError
from modelshelf.formats import read_start
from modelshelf.metadata.gathering import Gathering
from modelshelf.schema.declared import Trust
from modelshelf.schema.metadata import Field
from modelshelf.schema.taxonomy import ModelType

__all__ = ["parse_front_matter", "read_model_card"]

_LIMIT = 64 * 1024
_FENCE = "---"
_MOST_VALUES = 100


def read_model_card(path: Path) -> Gathering:
    """Take what the card *path* says about the model in its folder."""
    gathering = Gathering(path.name, Trust.SIDECAR)
    try:
        text = read_start(path, _LIMIT).decode("utf-8", "replace")
    except ModelshelfError as error:
        gathering.doubt(str(error))
        return gathering
    card = parse_front_matter(text)
    for field, key in (
        (Field.TITLE, "model_name"),
        (Field.LICENSE, "license_name"),
        (Field.LICENSE, "license"),
        (Field.TRIGGER_WORD, "instance_prompt"),
        (Field.SOFTWARE, "library_name"),
        (Field.TAG, "tags"),
        (Field.BASE_NAME, "base_model"),
    ):
        gathering.say_all(field, card.get(key, []), key)
    adapted = ModelType.LORA if "lora" in card.get("tags", []) else None
    gathering.claim_any(card.get("base_model", []), "base_model", type=adapted)
    return gathering


def parse_front_matter(text: str) -> dict[str, list[str]]:
    r"""Return the values of every key at the top level, as far as they are plain text or lists of it.

    Example:
        >>> parse_front_matter("---\nlicense: mit\ntags:\n- lora\n- 'flux'\n---\n# Words")
        {'license': ['mit'], 'tags': ['lora', 'flux']}
    """
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in _front_matter(text):
        item = line.lstrip()
        if item.startswith("- ") and current is not None:
            if len(current) < _MOST_VALUES and ":" not in _plain(item[2:]).partition("://")[0]:
                current.append(_plain(item[2:]))
        elif line[:1].isspace():
            continue
        elif ":" in line and len(found) < _MOST_VALUES:
            key, _, value = line.partition(":")
            current = found.setdefault(key.strip(), [])
            current.extend(_values(value.strip()))
    return {key: values for key, values in found.items() if values}


def _front_matter(text: str) -> Iterator[str]:
    lines = text.lstrip("\ufeff").splitlines()
    if not lines or lines[0].strip() != _FENCE:
        return
    for line in lines[1:]:
        if line.strip() == _FENCE:
            return
        if line.strip() and not line.lstrip().startswith("#"):
            yield line


def _values(value: str) -> list[str]:
    if value.startswith("[") and value.endswith("]"):
        return [plain for one in value[1:-1].split(",")[:_MOST_VALUES] if (plain := _plain(one))]
    # `>` and `|` begin a text of several lines, `{` and `&` what no card needs.
    return [_plain(value)] if value and value[0] not in ">|{&*!" else []


def _plain(value: str) -> str:
    value = value.strip()
    for quote in ('"', "'"):
        if len(value) > 1 and value[0] == value[-1] == quote:
            return value[1:-1]
    return value.partition(" #")[0].strip()
