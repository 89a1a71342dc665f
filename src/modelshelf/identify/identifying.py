"""Saying what a model is: the one function that callers need."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from modelshelf.formats import (
    read_modular_pipeline,
    read_pipeline,
    read_shards,
    read_tensors,
    read_tree,
)
from modelshelf.identify.claims import bases_said, claims_of
from modelshelf.identify.families import BUILT_IN
from modelshelf.identify.family import Families
from modelshelf.identify.file_name import claims_of_name, name_of
from modelshelf.identify.inner_folder import only_model_in
from modelshelf.identify.lone_tensors import identify_tensors
from modelshelf.identify.model_folder import identify_folder, read_folder
from modelshelf.identify.narrowing import is_left_open, narrow
from modelshelf.identify.pipeline import identify_pipeline
from modelshelf.identify.recollection import Recollection
from modelshelf.identify.sibling_config import claims_beside
from modelshelf.schema.declared import Declared
from modelshelf.schema.identity import Evidence, Identity, IdentityStatus, NearMiss
from modelshelf.schema.shard_name import parse_shard_name
from modelshelf.schema.source import SourceFile, SourceTree
from modelshelf.schema.taxonomy import BaseModelType, ModelType
from modelshelf.schema.tensor import Container, TensorIndex

__all__ = ["identify"]


def identify(
    source: Path | str | SourceTree | TensorIndex,
    *,
    families: Families = BUILT_IN,
    declared: Iterable[Declared] = (),
    header: TensorIndex | None = None,
    known: Recollection | None = None,
    name: str | None = None,
) -> Identity:
    """Say which model a file, a folder or a header is.

    Reads names, shapes and dtypes and configurations, never a weight, and executes nothing. All
    families are asked, not only the first that agrees: the same tensors give the same identity in
    whatever order tensors and families stand. What the file is called matters only where everything
    else leaves several answers, and chooses among those.

    Args:
        source: A path, what `read_tree` found there, or a header that was read already.
        families: Whom to ask. Pass your own to try a family before publishing it; leave it out for
            those that ship with modelshelf.
        declared: What others say, such as sidecars: it narrows what tensors and configurations leave
            open and overrules nothing. The file's own metadata is taken in without it.
        header: What `read_tensors` found in *source*, a file, where somebody has read it already.
        known: What a run over many files has seen, so that a layout which thousands of them share
            is evaluated once; None evaluates every file. The answer is the same.
        name: What somebody called the model, heard last of all; None takes that of the file or folder,
            and an empty one says nothing.

    Returns:
        The identity, and what decided it; `status` says how far it goes. A model nobody knows is type
        `unknown`, with the nearest misses. A pipeline of which some files are damaged is identified
        by the others, and says so.

    Raises:
        FormatError: The file, or all that tells what the folder is, is damaged.
        SourceError: Nothing is there, or it cannot be read.

    Example:
        >>> from modelshelf.schema.tensor import TensorEntry, TensorIndex
        >>> token = TensorEntry("F32", (2, 768), 0, 6144)
        >>> identity = identify(TensorIndex({"<token>": token}))
        >>> identity.type.value, identity.base.value, identity.evidence[0].found
        ('embedding', 'sd-1', '[2, 768]')
    """
    declared = tuple(declared)
    said = bases_said(declared)
    evaluate = identify_tensors if known is None else known.identify
    if isinstance(source, TensorIndex):
        identity = evaluate(source, families, said)
        return narrow(identity, (*claims_of(source.metadata), *declared))
    tree = source if isinstance(source, SourceTree) else read_tree(Path(source))
    called = name_of(tree) if name is None else name
    if tree.is_file:
        file = tree.files[0]
        index = _read(tree, file, header)
        identity = evaluate(index, families, said)
        beside = claims_beside(file, identity)
        if identity.type is ModelType.LORA:
            words = (*beside, *declared, *_stranger_named(called))
            if bases_said(words) != said:
                identity = evaluate(index, families, bases_said(words))
                beside = claims_beside(file, identity)
        return _named(called, _narrowed(file, index, identity, (*beside, *declared)))
    pipeline = read_pipeline(tree) or read_modular_pipeline(tree)
    if pipeline is None and (inner := only_model_in(tree)) is not None:
        found = identify(inner.tree, families=families, declared=declared, known=known, name=name)
        folder = inner.tree.root.relative_to(tree.root).as_posix()
        why = Evidence("folder", folder, inner.why)
        return replace(found, evidence=(*found.evidence, why))
    if pipeline is not None:
        return _named(called, narrow(identify_pipeline(tree, pipeline, families), declared))
    identity = _identify_folder(tree, families, declared)
    if identity.type is ModelType.LORA and (strange := _stranger_named(called)):
        identity = _identify_folder(tree, families, (*declared, *strange))
    return _named(called, narrow(identity, declared))


def _named(name: str, identity: Identity) -> Identity:
    """Return *identity* with what is still open narrowed by the name that somebody gave the model."""
    return narrow(identity, claims_of_name(name)) if is_left_open(identity) else identity


def _stranger_named(name: str) -> tuple[Declared, ...]:
    """Return what the name of an adapter says, where that is a model without a base.

    Adapters of a few such models have exactly the modules of one with a base, and rules hear who is meant.
    """
    claims = claims_of_name(name)
    return claims if bases_said(claims) == {(BaseModelType.UNKNOWN,)} else ()


_ENCODER, _TOKENIZER = re.compile(r"text_encoder(_\d)?"), re.compile(r"tokenizer(_\d)?")


def _identify_folder(
    tree: SourceTree, families: Families, declared: Iterable[Declared]
) -> Identity:
    """Say what a folder is; one encoder of a pipeline, kept with its tokenizer alone, is that encoder.

    T5 and CLIP are passed on so: `text_encoder_2` beside `tokenizer_2`, and no pipeline around them.
    """
    reading = read_folder(tree)
    identity = identify_folder(reading, families, declared=declared)
    if (
        identity.type is not ModelType.UNKNOWN
        or reading.config.weights
        or reading.config.config_name
    ):
        # A model that nobody knows is none of its encoders.
        return identity
    folders = {file.member.partition("/")[0] for file in tree.files if "/" in file.member}
    encoders = [name for name in folders if _ENCODER.fullmatch(name)]
    rest = folders.difference(encoders)
    if len(encoders) != 1 or not rest or not all(map(_TOKENIZER.fullmatch, rest)):
        return identity
    found = identify_folder(read_folder(tree.below(encoders[0])), families)
    why = Evidence("folder", encoders[0], "the only component, beside its tokenizer")
    return replace(found, evidence=(*found.evidence, why))


def _narrowed(
    file: SourceFile, index: TensorIndex, identity: Identity, declared: Iterable[Declared]
) -> Identity:
    """Return what the tensors of *file* are, narrowed by its own metadata and by what else is said."""
    if index.container is Container.OTHER and identity.type is ModelType.UNKNOWN:
        nothing = NearMiss("container", f"tensors: {file.member.name} is {index.container}")
        return replace(identity, near_misses=(nothing,))
    return narrow(_as_shard(identity, file), (*claims_of(index.metadata), *declared))


def _as_shard(identity: Identity, file: SourceFile) -> Identity:
    """Say of a file that is called a shard that it is one: the others were never looked at."""
    shard = parse_shard_name(file.member.name)
    if shard is None or int(shard.all) <= 1:
        return identity
    words = f"shard {int(shard.number)} of {int(shard.all)}, by the file's name"
    if identity.type is ModelType.UNKNOWN:
        missing = NearMiss("shards", f"the other shards: this is {words}")
        return replace(identity, near_misses=(missing, *identity.near_misses))
    named = Evidence("shards", file.member.name, words)
    return replace(identity, evidence=(*identity.evidence, named), status=IdentityStatus.PARTIAL)


def _read(tree: SourceTree, file: SourceFile, header: TensorIndex | None) -> TensorIndex:
    # The index of shards names every tensor; alone it is a model of which all shards are missing.
    if file.member.name.endswith(".json") and ".index." in file.member.name:
        return read_shards(tree, file)
    return read_tensors(file) if header is None else header
