"""Everything that is written about one model, gathered from all places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from modelshelf.metadata.embedded import read_embedded
from modelshelf.metadata.gathering import Gathering
from modelshelf.metadata.model_card import read_model_card
from modelshelf.metadata.preview import find_previews
from modelshelf.metadata.sidecar import read_sidecars
from modelshelf.schema.declared import Declared
from modelshelf.schema.metadata import ModelMetadata, Preview

__all__ = ["read_claims", "read_metadata"]

_CARD = "README.md"
_INSIDE = "metadata"


def read_metadata(model: Path, embedded: Mapping[str, str] | None = None) -> ModelMetadata:
    """Read what stands beside the model at *model*, and take what its file says about itself.

    Everything is untrusted text: lengths and counts are bounded, no path in it is followed, no
    picture is decoded. A file beside it that is damaged or gone is told in `problems`; it never
    makes the model unreadable.

    Args:
        model: The model file or folder, as the user named it.
        embedded: The text metadata of the file's header (`TensorIndex.metadata`), where it was
            read; None leaves out what stands inside.

    Returns:
        Statements in the order in which a person most likely means them: the user's edits beside
        the file, what a web site said, what the trainer wrote into the file, the README.

    Example:
        >>> from pathlib import Path
        >>> found = read_metadata(Path("x.safetensors"), {"modelspec.title": "Lens"})
        >>> found.title, found.read
        ('Lens', ('metadata',))
    """
    gathered = list(_gather(model, embedded or {}))
    previews = list(find_previews(model))
    problems = {one for _, source in gathered for one in source.problems}
    problems.update(one for one in previews if isinstance(one, str))
    return ModelMetadata(
        statements=tuple(one for _, source in gathered for one in source.statements),
        claims=tuple(one for _, source in gathered for one in source.claims),
        previews=tuple(one for one in previews if isinstance(one, Preview)),
        read=tuple(sorted(name for name, _ in gathered)),
        problems=tuple(sorted(problems)),
    )


def read_claims(model: Path) -> tuple[Declared, ...]:
    """Read what stands beside *model* about its type and base, and nothing else.

    Equals `read_metadata(model).beside`, in less than half of the time.
    """
    return tuple(claim for _, source in _gather(model, {}) for claim in source.claims)


def _gather(model: Path, embedded: Mapping[str, str]) -> Iterator[tuple[str, Gathering]]:
    is_folder = model.is_dir()
    if not is_folder:
        yield from read_sidecars(model)
    if embedded:
        yield _INSIDE, read_embedded(embedded)
    if is_folder or _is_snapshot(model.parent):
        card = (model if is_folder else model.parent) / _CARD
        if card.is_file():
            yield _CARD, read_model_card(card)


def _is_snapshot(folder: Path) -> bool:
    """Say whether *folder* is one repository as the Hub's cache keeps it: its README is about all in it.

    https://huggingface.co/docs/huggingface_hub/guides/manage-cache
    """
    return folder.parent.name == "snapshots" and folder.parent.parent.name.startswith("models--")
