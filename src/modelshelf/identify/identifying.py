"""Saying what a model is: the one function that callers need."""

from __future__ import annotations

from pathlib import Path

from modelshelf.formats import container_of, read_pipeline, read_safetensors, read_tree
from modelshelf.identify.decision import decide
from modelshelf.identify.facts import Facts
from modelshelf.identify.families import BUILT_IN
from modelshelf.identify.family import Families
from modelshelf.identify.model_folder import identify_folder, read_folder
from modelshelf.identify.pipeline import identify_pipeline
from modelshelf.schema.identity import Evidence, Identity, NearMiss
from modelshelf.schema.source import SourceTree
from modelshelf.schema.taxonomy import ModelFormat, ModelType
from modelshelf.schema.tensor import Container, TensorIndex

__all__ = ["identify"]


def identify(
    source: Path | str | SourceTree | TensorIndex, *, families: Families = BUILT_IN
) -> Identity:
    """Say which model a file, a folder or a header is.

    Reads names, shapes and dtypes and configurations, never a weight. All families are asked, not
    only the first that agrees: the same tensors give the same identity whatever the file is called,
    in whatever order tensors and families stand.

    Args:
        source: A path, what `read_tree` found there, or a header that was read already.
        families: Whom to ask. Pass your own to try a family before publishing it; leave it out for
            those that ship with modelshelf.

    Returns:
        The identity, and what decided it. A model nobody knows is type `unknown`, with the nearest
        misses; so is a lone file whose container modelshelf does not read yet.

    Raises:
        FormatError: The file, or a component of the folder, is damaged.
        SourceError: Nothing is there, or it cannot be read.
        AmbiguousIdentityError: Two families agree and neither goes before the other. A bug in a
            condition, not in the file: keep the model as `unknown`.

    Example:
        >>> from modelshelf.schema.tensor import TensorEntry, TensorIndex
        >>> token = TensorEntry("F32", (2, 768), 0, 6144)
        >>> identity = identify(TensorIndex({"<token>": token}))
        >>> identity.type.value, identity.base.value, identity.evidence[0].found
        ('embedding', 'sd-1', '[2, 768]')
    """
    if isinstance(source, TensorIndex):
        return _identify_tensors(source, families, path="the header")
    tree = source if isinstance(source, SourceTree) else read_tree(Path(source))
    if tree.is_file:
        return _identify_file(tree, families)
    pipeline = read_pipeline(tree)
    if pipeline is not None:
        return identify_pipeline(tree, pipeline, families)
    return identify_folder(read_folder(tree), families)


def _identify_file(tree: SourceTree, families: Families) -> Identity:
    path = tree.files[0].path
    container = container_of(tree.files[0])
    if container is Container.SAFETENSORS:
        return _identify_tensors(read_safetensors(path), families, path=str(path))
    return Identity(
        type=ModelType.UNKNOWN,
        format=ModelFormat.ONNX if container is Container.ONNX else ModelFormat.UNKNOWN,
        evidence=(Evidence("container", tree.files[0].member, container.value),),
        near_misses=(NearMiss("container", f"{container.value} is a container not read yet"),),
    )


def _identify_tensors(index: TensorIndex, families: Families, *, path: str) -> Identity:
    return decide(Facts(index), families, path=path, fallback=ModelFormat.CHECKPOINT)
