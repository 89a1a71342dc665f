"""What one header says: the families' answer, and what its reader noticed."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice

from modelshelf.identify.claims import BasesSaid
from modelshelf.identify.decision import decide
from modelshelf.identify.facts import Facts
from modelshelf.identify.family import Families
from modelshelf.schema.identity import Evidence, Identity, IdentityStatus, NearMiss
from modelshelf.schema.taxonomy import ModelFormat, ModelType
from modelshelf.schema.tensor import Container, TensorIndex

__all__ = ["identify_tensors"]

_FORMATS = {Container.GGUF: ModelFormat.GGUF, Container.ONNX: ModelFormat.ONNX}
_FRAMES_INSIDE = ("_orig_mod", "_wrapped_module.", ".base_layer.")
_FRAME_INSIDE = re.compile(
    r"_orig_mod[._]|_(?:fsdp|checkpoint)_wrapped_module\.|(?<=\.)base_layer\."
)
"""What stands around a module at any depth: torch's frames where single blocks are compiled, sharded or
computed twice, and PEFT's around what it adapts, in models saved with their adapter. kohya's names join
a frame to the others with an underscore."""
_UNFRAMED = Evidence("names", "a frame inside names", "taken off")
_MOST_FINDINGS = 20
_MOST_WRAPPERS = 2
_MOST_TENSORS = 65_536
"""The largest published models have a fifth; a header may claim a million to keep a reader busy."""
_MOST_KINDS = 2048
"""Names that differ in more than numbers, up to which wrappers are tried: models repeat themselves."""
_MOST_TEXT = 3 << 20
"""Characters of all names together, for the same reason; 65,536 usual names have as many."""


def identify_tensors(
    index: TensorIndex, families: Families, said: BasesSaid = frozenset()
) -> Identity:
    """Say which model the tensors of *index* are.

    What every name begins with is a wrapper, even one that nobody has seen before: where no family
    knows the names, they are tried without it. Frames that torch leaves inside names go first.

    Args:
        index: What a file holds.
        families: Whom to ask.
        said: What others say of the base, for rules that choose among equals.
    """
    count, text = len(index.tensors), sum(map(len, index.tensors))
    if count > _MOST_TENSORS or text > _MOST_TEXT:
        bounds = f"at most {_MOST_TENSORS}, named in {_MOST_TEXT} characters"
        return Identity(
            type=ModelType.UNKNOWN,
            format=_FORMATS.get(index.container, ModelFormat.CHECKPOINT),
            evidence=_findings(index),
            near_misses=(NearMiss("tensors", f"{bounds}: there are {count}, in {text}"),),
            status=IdentityStatus.UNKNOWN,
        )
    fallback = ModelFormat.CHECKPOINT if index.tensors else ModelFormat.UNKNOWN
    facts = Facts(index, said=said)
    bare = _without_frames(facts)
    frames = () if bare is index else (_UNFRAMED,)
    if frames:
        facts = Facts(bare, said=said)
    identity = decide(facts, families, fallback=fallback)
    for _ in range(_MOST_WRAPPERS):
        if _tells(identity) or len(facts.layout.folded) > _MOST_KINDS:
            break
        wrapper = _wrapper_of(bare)
        if not wrapper:
            break
        names = {name.removeprefix(wrapper): entry for name, entry in bare.tensors.items()}
        bare = replace(bare, tensors=names)
        without = decide(Facts(bare, said=said), families, fallback=fallback)
        is_new = identity.type is ModelType.UNKNOWN is not without.type
        if is_new or _tells(without):
            found = Evidence("names", wrapper, "a wrapper around every name, taken off")
            identity = replace(without, evidence=(*without.evidence, found))
    return replace(
        identity,
        format=_FORMATS.get(index.container, identity.format),
        evidence=identity.evidence + frames + _findings(index),
    )


def _tells(identity: Identity) -> bool:
    return bool(identity.bases or identity.candidates)


def _without_frames(facts: Facts) -> TensorIndex:
    """Return the tensors without the frames inside their names, if no two names become one."""
    index = facts.layout.index
    if not any(frame in facts.layout.text for frame in _FRAMES_INSIDE):
        return index
    names = {_FRAME_INSIDE.sub("", name): entry for name, entry in index.tensors.items()}
    return replace(index, tensors=names) if len(names) == len(index.tensors) else index


def _wrapper_of(index: TensorIndex) -> str:
    """Return the first step with its dot, where all of several names share it; else empty."""
    names = iter(index.tensors)
    first, dot, _ = next(names, "").partition(".")
    wrapper = first + dot
    is_shared = (
        bool(dot) and len(index.tensors) > 1 and all(name.startswith(wrapper) for name in names)
    )
    return wrapper if is_shared else ""


def _findings(index: TensorIndex) -> tuple[Evidence, ...]:
    rule = f"reader/{index.container.name.lower()}"
    told = tuple(Evidence(rule, "the file", one) for one in islice(index.findings, _MOST_FINDINGS))
    rest = len(index.findings) - len(told)
    return (*told, Evidence(rule, "the file", f"{rest} findings more")) if rest else told
