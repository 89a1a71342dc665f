"""What a diffusers pipeline folder is: its components decide, its class alone never does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from modelshelf.identify.allowance import Allowance
from modelshelf.identify.family import Families
from modelshelf.identify.model_folder import (
    DAMAGED,
    FolderReading,
    identify_folder,
    read_folder,
    repo_variant_of,
)
from modelshelf.schema.identity import Component, Evidence, Identity, IdentityStatus, NearMiss
from modelshelf.schema.pipeline import PipelineIndex, type_in_pipeline
from modelshelf.schema.source import SourceTree
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelRepoVariant,
    ModelType,
    SchedulerPredictionType,
    SubModelType,
)

__all__ = ["identify_pipeline"]

_RULE = "pipeline"
# Redux is a pipeline without a denoiser: what it makes of an image is FLUX's to read.
_DENOISERS = frozenset({ModelType.UNET, ModelType.TRANSFORMER, ModelType.FLUX_REDUX})
# Made for no base in particular, and used as they are by many.
_SERVE_ANY = frozenset(
    {
        ModelType.SAFETY_CHECKER,
        ModelType.FEATURE_EXTRACTOR,
        ModelType.IMAGE_ENCODER,
        ModelType.T5_ENCODER,
        ModelType.TOKENIZER,
    }
)
_OPEN = frozenset({IdentityStatus.UNDECIDED, IdentityStatus.AMBIGUOUS})
_SETTLED = IdentityStatus.IDENTIFIED


def identify_pipeline(tree: SourceTree, index: PipelineIndex, families: Families) -> Identity:
    """Say what the pipeline in *tree* is, and what each of its components is.

    The base is its denoiser's. Components that belong to the base get it; those that serve every
    base keep `any`. Declared components whose folder is missing are named in the evidence.

    Files that are damaged leave what the others tell: the status is then `broken`, and the evidence
    names them.
    """
    allowance = Allowance()
    readings = {
        slot.folder: read_folder(below, allowance)
        for slot in index.slots
        if (below := tree.below(slot.folder)).files
    }
    components = [
        Component(
            slot.folder,
            slot.class_name,
            _as_component(
                slot.folder,
                identify_folder(
                    readings[slot.folder],
                    families,
                    class_name=slot.class_name,
                    pipeline=index.class_name,
                ),
            ),
        )
        for slot in index.slots
        if slot.folder in readings
    ]
    denoisers = [one for one in components if one.identity.type in _DENOISERS]
    is_heard = not all(_is_mute(readings[one.folder]) for one in denoisers)
    absent = {} if is_heard else _declared_denoisers(index, readings, families)
    bases = _shared_bases(denoisers) or _only(absent.values())
    lead = _lead(denoisers, bases)
    repo_variant = repo_variant_of([reading.config for reading in readings.values()])
    is_onnx = repo_variant is ModelRepoVariant.ONNX
    return Identity(
        type=ModelType.MAIN,
        format=ModelFormat.ONNX if is_onnx else ModelFormat.DIFFUSERS,
        bases=bases,
        candidates=() if bases else _only({one.identity.candidates for one in denoisers}),
        variant=lead.variant if lead else None,
        prediction_type=_prediction(components) or _shared_prediction(denoisers),
        repo_variant=repo_variant,
        precision=_precision(components, denoisers),
        architecture=lead.architecture if lead else _shared_architecture(denoisers),
        evidence=_evidence(index, components, denoisers) + _class_evidence(index, absent),
        near_misses=_near_misses(denoisers) if not bases else (),
        status=_status(index, components, bases),
        components=tuple(
            Component(one.folder, one.class_name, _with_base(one.identity, bases))
            for one in components
        ),
    )


def _as_component(folder: str, identity: Identity) -> Identity:
    return replace(identity, type=type_in_pipeline(folder, identity.type))


def _shared_bases(denoisers: list[Component]) -> tuple[BaseModelType, ...]:
    found = {one.identity.bases for one in denoisers}
    proven = found - {()}
    if len(proven) != 1:
        return ()
    bases = proven.pop()
    # A prior that several bases have leaves the decision to the denoiser beside it.
    others = [one.identity.candidates for one in denoisers if not one.identity.bases]
    return bases if all(bases[0] in candidates for candidates in others) else ()


def _lead(denoisers: list[Component], bases: tuple[BaseModelType, ...]) -> Identity | None:
    """Return the denoiser that makes the image: one of the base, and no prior if there is another.

    None where the pipeline has none of its base.
    """
    own = [one for one in denoisers if bases and one.identity.bases == bases]
    own.sort(key=lambda one: one.folder.startswith("prior"))
    return own[0].identity if own else None


def _shared_architecture(denoisers: list[Component]) -> str:
    """Return what a denoiser without a base is called, where all of them are called so."""
    found = {one.identity.architecture for one in denoisers}
    return found.pop() if len(found) == 1 else ""


def _declared_denoisers(
    index: PipelineIndex, readings: Mapping[str, FolderReading], families: Families
) -> dict[str, tuple[BaseModelType, ...]]:
    """Return the bases that the classes of missing components prove, by folder.

    Only where nothing of the component can be read: a configuration that no family knows is a model
    that nobody knows, whatever its class is called.
    """
    return {
        slot.folder: bases
        for slot in index.slots
        if _is_mute(readings.get(slot.folder))
        and (bases := families.bases_of_class(slot.class_name, index.class_name))
    }


def _is_mute(reading: FolderReading | None) -> bool:
    return reading is None or not (reading.config.config_name or reading.headers)


def _class_evidence(
    index: PipelineIndex, absent: Mapping[str, tuple[BaseModelType, ...]]
) -> tuple[Evidence, ...]:
    classes = {slot.folder: slot.class_name for slot in index.slots}
    return tuple(
        Evidence(
            _RULE, f"{index.member.member}:{folder}", f"{classes[folder]}, a class of one base"
        )
        for folder in absent
    )


def _only(found: Iterable[tuple[BaseModelType, ...]]) -> tuple[BaseModelType, ...]:
    one = set(found)
    return one.pop() if len(one) == 1 else ()


def _with_base(identity: Identity, bases: tuple[BaseModelType, ...]) -> Identity:
    if identity.type in _SERVE_ANY:
        return _settled(identity, (BaseModelType.ANY,))
    if identity.type is ModelType.UNKNOWN:
        return identity
    if bases:
        why = Evidence(_RULE, "model_index.json", f"component of a {bases[0]} pipeline")
        return replace(_settled(identity, bases), evidence=(*identity.evidence, why))
    if identity.bases == (BaseModelType.ANY,):
        return identity
    # A VAE may look like SDXL's in a pipeline that is none of ours: the whole decides.
    return _settled(identity, ())


def _settled(identity: Identity, bases: tuple[BaseModelType, ...]) -> Identity:
    """Return *identity* with *bases*, or with none at all, and the status that goes with them."""
    status = identity.status
    if bases and status in _OPEN:
        status = _SETTLED
    elif not bases and status is _SETTLED:
        status = IdentityStatus.UNDECIDED
    return replace(identity, bases=bases, candidates=(), status=status)


def _prediction(components: list[Component]) -> SchedulerPredictionType | None:
    """Return what the schedulers say; the one that is called so before one of a single step."""
    schedulers = [one for one in components if one.identity.type is ModelType.SCHEDULER]
    own = [one for one in schedulers if one.folder == SubModelType.SCHEDULER]
    return _shared_prediction(own or schedulers)


def _shared_prediction(components: list[Component]) -> SchedulerPredictionType | None:
    found = {one.identity.prediction_type for one in components}
    return found.pop() if len(found) == 1 else None


def _precision(components: list[Component], denoisers: list[Component]) -> str | None:
    """Return the denoiser's; without one, what all components that have weights share."""
    found = {one.identity.precision for one in denoisers or components} - {None}
    return found.pop() if len(found) == 1 else "mixed" if found else None


def _status(
    index: PipelineIndex, components: list[Component], bases: tuple[BaseModelType, ...]
) -> IdentityStatus:
    found = {one.identity.status for one in components}
    if IdentityStatus.BROKEN in found:
        return IdentityStatus.BROKEN
    if len(components) < len(index.slots) or IdentityStatus.PARTIAL in found:
        return IdentityStatus.PARTIAL
    return IdentityStatus.IDENTIFIED if bases else IdentityStatus.UNDECIDED


def _evidence(
    index: PipelineIndex, components: list[Component], denoisers: list[Component]
) -> tuple[Evidence, ...]:
    present = {one.folder for one in components}
    return (
        Evidence(_RULE, f"{index.member.member}:_class_name", index.class_name),
        *(
            Evidence(one.rule, f"{component.folder}/{one.where}", one.found)
            for component in denoisers
            for one in component.identity.evidence
        ),
        *(
            Evidence(one.rule, f"{component.folder}/{one.where}", one.found)
            for component in components
            for one in component.identity.evidence
            if one.rule == DAMAGED and component not in denoisers
        ),
        *(
            Evidence(_RULE, slot.folder, "declared, but the folder is missing")
            for slot in index.slots
            if slot.folder not in present
        ),
    )


def _near_misses(denoisers: list[Component]) -> tuple[NearMiss, ...]:
    if not denoisers:
        return (NearMiss(_RULE, "a unet or transformer whose class is known"),)
    return tuple(miss for one in denoisers for miss in one.identity.near_misses)
