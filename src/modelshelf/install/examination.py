"""A first look at what is to be installed: is it a model at all, and is it sound?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from modelshelf.errors import EmptySourceError, FormatError
from modelshelf.formats import read_tensors, read_tree
from modelshelf.identify import Recollection, identify
from modelshelf.identify.file_name import claims_of_name, name_of
from modelshelf.identify.sibling_config import claims_beside
from modelshelf.install.discovery import is_model_folder
from modelshelf.metadata import read_metadata
from modelshelf.schema.declared import Declared
from modelshelf.schema.identity import Identity, IdentityStatus
from modelshelf.schema.metadata import ModelMetadata
from modelshelf.schema.source import SourceTree
from modelshelf.schema.tensor import TensorIndex

__all__ = ["Examination", "absolute", "examine", "look_at"]


def absolute(path: Path) -> Path:
    """Return *path* from the root on, by the name that the user gave it."""
    # Not resolve(): a folder that is reached through a link keeps its name.
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - see above


def look_at(path: Path, *, follow_links: bool = False) -> SourceTree:
    """List the model at *path*.

    Raises:
        SourceError: There is none, or it cannot be read.
    """
    tree = read_tree(absolute(path), follow_links=follow_links)
    if not tree.is_file and not is_model_folder(tree.root):
        raise EmptySourceError(
            path=str(path),
            reason="there is no `model_index.json`, `config.json` or weights file at its top",
        )
    return tree


@dataclass(frozen=True, slots=True)
class Examination:
    """What is known of a model before anything is decided, from one read of its headers."""

    header: TensorIndex | None
    """Of a model that is one file; None for a folder."""
    said: ModelMetadata
    """What stands in and beside it. With the claims of a configuration beside a file, which is not added
    along, and of its name, which may change: who identifies the stored file again has them from here."""
    identity: Identity
    """What it is."""


def examine(
    tree: SourceTree, known: Recollection | None = None, *, told: tuple[Declared, ...] = ()
) -> Examination:
    """Identify a model that is to be installed.

    Args:
        tree: What lies at the source.
        known: What this thread has examined before, so that alike models cost less; None for nothing.
        told: What a hub says that the model is.

    Raises:
        FormatError: A file of it is damaged, and is named.
    """
    # Read once for everybody: of a small model this is most of the work.
    header = read_tensors(tree.files[0]) if tree.is_file else None
    said = read_metadata(tree.root, {} if header is None else header.metadata)
    said = replace(said, claims=(*said.claims, *told)) if told else said
    identity = identify(tree, declared=said.beside, header=header, known=known)
    if identity.status is IdentityStatus.BROKEN:
        broken = next(one for one in identity.evidence if one.rule == "damaged")
        raise FormatError(path=str(tree.root / broken.where), problem=broken.found)
    heard = tuple(dict.fromkeys((*_heard(tree, identity), *said.claims)))
    return Examination(header, replace(said, claims=heard) if heard else said, identity)


def _heard(tree: SourceTree, identity: Identity) -> Iterator[Declared]:
    """Yield what a configuration beside the file at *tree*, and its name, said when it was identified."""
    cited = {evidence.where for evidence in identity.evidence}
    claims = claims_of_name(name_of(tree))
    if tree.is_file:
        # It is asked about what is left open alone, and by now nothing may be.
        claims = (*claims_beside(tree.files[0], replace(identity, bases=())), *claims)
    return (claim for claim in claims if claim.where in cited)
