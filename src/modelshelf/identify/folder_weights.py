"""What the weights of a folder say beside its configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from operator import attrgetter

from modelshelf.identify.claims import BasesSaid, claims_of
from modelshelf.identify.family import Families
from modelshelf.identify.joined_shards import find_stray, join_shards
from modelshelf.identify.layout import Layout
from modelshelf.identify.lone_tensors import identify_tensors
from modelshelf.identify.narrowing import narrow
from modelshelf.identify.precision import precision_of
from modelshelf.schema.identity import Evidence, Identity, IdentityStatus, NearMiss
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType
from modelshelf.schema.tensor import TensorIndex
from modelshelf.schema.weight_suffix import WEIGHT_SUFFIXES

__all__ = ["with_weights"]

_RULE = "folder"


_SHARED = {BaseModelType.ANIMA: BaseModelType.COSMOS}
"""Base → whose denoiser its own is, tensor by tensor, where what it adds is another component."""

_MOST_FORMS = 8
"""Files that are compared; a folder of more is a collection."""
_SUFFIX = re.compile(rf"(?:{'|'.join(map(re.escape, sorted(WEIGHT_SUFFIXES)))})(?:\.index.*)?$")
_LENGTH = attrgetter("length")
_JOINTS = ("-", "_", ".", " ")


def with_weights(
    known: Identity | None,
    headers: Mapping[str, TensorIndex],
    families: Families,
    said: BasesSaid = frozenset(),
) -> Identity:
    """Say what a folder is by its configuration and its weights together.

    Where the configuration is silent, or knows the type alone, the weights speak. Where both know the
    base and contradict each other, the weights are believed: what a loader does with them depends on
    their shapes, and configurations are copied from elsewhere.

    Shards are one model, also where nobody kept the index that names them, unless one of them is of
    another. Several other files speak where their names say that they are forms of one model, as
    `model.fp16` is of `model`, and all of them say the same; otherwise each may be another model.

    Args:
        known: What the configuration says; None where there is none.
        headers: The weights by the names of their files.
        families: Whom to ask.
        said: What others say of an adapter, for rules that choose among equals.
    """
    joined = join_shards(headers)
    if joined is None:
        found, missing = _said_by_all(headers, families, said), _missing_beside(headers)
    else:
        found, missing = _said_by_shards(joined, headers, families, said)
    precision = found.precision if found is not None else _precision_of_largest(headers)
    return replace(_combined(known, found, missing), precision=precision)


def _missing_beside(headers: Mapping[str, TensorIndex]) -> str:
    if headers:
        return "a configuration beside several weight files"
    return "a configuration, or weights whose container is read"


def _said_by_shards(
    joined: TensorIndex, headers: Mapping[str, TensorIndex], families: Families, said: BasesSaid
) -> tuple[Identity | None, str]:
    """Return what all shards together are, and what they miss where they are no one model."""
    found = _said_by(joined, families, said)
    is_known = found.type is not ModelType.UNKNOWN
    stray = find_stray(headers, joined, found) if is_known and len(headers) > 1 else ""
    return (None, stray) if stray else (found, "")


def _said_by(header: TensorIndex, families: Families, said: BasesSaid) -> Identity:
    return narrow(identify_tensors(header, families, said), claims_of(header.metadata))


def _said_by_all(
    headers: Mapping[str, TensorIndex], families: Families, said: BasesSaid
) -> Identity | None:
    if not headers or len(headers) > _MOST_FORMS or not _are_forms(list(headers)):
        return None
    found = [
        _said_by(header, families, said)
        for header in sorted(headers.values(), key=_LENGTH, reverse=True)
    ]
    return found[0] if len(set(map(_gist, found))) == 1 else None


def _are_forms(names: list[str]) -> bool:
    """Say whether the shortest of *names* begins all of them, with a word behind it."""
    stems = [_SUFFIX.sub("", name) for name in names]
    shortest = min(stems, key=len)
    return all(
        stem == shortest or stem.startswith(tuple(shortest + joint for joint in _JOINTS))
        for stem in stems
    )


def _gist(identity: Identity) -> tuple[object, ...]:
    return (
        *(identity.type, identity.bases, identity.candidates, identity.variant),
        *(identity.prediction_type, identity.architecture),
    )


def _combined(known: Identity | None, found: Identity | None, missing: str) -> Identity:
    if found is not None and found.type is not ModelType.UNKNOWN:
        if known is None or not (known.bases or known.candidates):
            return _as_component(found, known)
        return _checked(known, found)
    if known is not None:
        return known
    if found is not None:
        return found
    return Identity(
        type=ModelType.UNKNOWN,
        format=ModelFormat.UNKNOWN,
        near_misses=(NearMiss(_RULE, missing),),
        status=IdentityStatus.UNKNOWN,
    )


def _as_component(found: Identity, known: Identity | None) -> Identity:
    """Return what the weights say, with the type and format that the configuration gives."""
    if known is None or known.type is ModelType.UNKNOWN:
        return found
    if not _is_alike(known, found):
        # Tensors of one kind under a configuration of another: neither is believed alone.
        return replace(
            known,
            evidence=(
                *known.evidence,
                Evidence(_RULE, "weights", f"look like type {found.type}"),
            ),
        )
    return replace(
        found,
        type=known.type,
        format=known.format,
        evidence=(*known.evidence, *found.evidence),
    )


def _checked(known: Identity, found: Identity) -> Identity:
    """Believe the weights where they prove another base than the configuration."""
    said = known.bases or known.candidates
    if not _is_alike(known, found) or not found.bases or BaseModelType.ANY in (*said, *found.bases):
        return known
    if set(found.bases) & {*said, *(_SHARED[base] for base in said if base in _SHARED)}:
        return known
    against = Evidence(
        _RULE, "weights", f"prove {found.base}, against the configuration's {said[0]}"
    )
    return replace(
        found,
        type=known.type,
        format=known.format,
        evidence=(*known.evidence, *found.evidence, against),
    )


def _is_alike(known: Identity, found: Identity) -> bool:
    return known.type is found.type or (
        found.type is ModelType.MAIN and known.type in {ModelType.UNET, ModelType.TRANSFORMER}
    )


def _precision_of_largest(headers: Mapping[str, TensorIndex]) -> str | None:
    """Return the precision of the largest of several files."""
    largest = max(headers.values(), key=_LENGTH, default=None)
    return None if largest is None else precision_of(Layout(largest))
