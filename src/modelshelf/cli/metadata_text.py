"""What is written about a model, in words for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from modelshelf.cli.text import human_size
from modelshelf.schema.metadata import Field, ModelMetadata

__all__ = ["metadata_facts"]

_FIELDS = (
    Field.TITLE,
    Field.VERSION,
    Field.AUTHOR,
    Field.LICENSE,
    Field.RESOLUTION,
    Field.NETWORK,
    Field.NETWORK_DIM,
    Field.NETWORK_ALPHA,
    Field.BASE_NAME,
    Field.SOFTWARE,
    Field.WORKFLOW,
    Field.WEIGHT,
    Field.NOTE,
    Field.SOURCE,
    Field.CIVITAI_MODEL,
    Field.CIVITAI_VERSION,
)
"""What a person looks for; `--json` has all."""
_LONGEST = 200


def metadata_facts(metadata: ModelMetadata) -> Iterator[tuple[str, str]]:
    """Yield titles and texts, each text short enough for a line; untrusted, so print them harmless."""
    for field in _FIELDS:
        if text := metadata.first(field):
            yield field.value.replace("_", " "), _short(text)
    for title, words in (("trigger words", metadata.trigger_words), ("tags", metadata.tags)):
        if words:
            yield title, _short(", ".join(words))
    for name, text in metadata.hashes.items():
        yield f"claimed {name}", text
    for preview in metadata.previews:
        yield "preview", f"{preview.name} ({preview.kind}, {human_size(preview.size)})"
    for problem in metadata.problems:
        yield "could not read", problem


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
