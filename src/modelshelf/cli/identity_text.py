"""What a model is, in words for a terminal: one line of it, or all of it with the reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from modelshelf.cli.metadata_text import metadata_facts
from modelshelf.cli.probing import Probed
from modelshelf.cli.text import printable
from modelshelf.errors import FormatError
from modelshelf.schema.identity import Identity, IdentityStatus
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["HEADERS", "PATH_COLUMN", "SPARE_COLUMNS", "block", "row", "summary"]

HEADERS = ("TYPE", "BASE", "VARIANT", "PREDICTION", "PRECISION", "FORMAT", "PATH")
PATH_COLUMN = len(HEADERS) - 1
SPARE_COLUMNS = tuple(map(HEADERS.index, ("PREDICTION", "FORMAT", "PRECISION", "VARIANT")))
"""What a narrow terminal leaves out before it cuts paths short: type and base come first for everybody."""
_NOTHING = "-"
_NOBODY_KNOWS = "?"
_NOTEWORTHY = frozenset({IdentityStatus.PARTIAL, IdentityStatus.AMBIGUOUS, IdentityStatus.BROKEN})
"""States that neither the type nor the base shows."""
_CLAIM = "claim/"
"""Rules that quote somebody begin so; what they quote is no reason."""


def row(probed: Probed) -> tuple[str, ...]:
    """Return one model as cells under `HEADERS`; of one that could not be read the cells say that and why.

    No cell is empty, so that programs can cut a line at its blanks.
    """
    path = str(probed.path)
    identity = probed.identity
    if identity is None:
        code = probed.error.code if probed.error else _NOTHING
        return (_untold(probed), _NOTHING, _NOTHING, _NOTHING, _NOTHING, code, path)
    return (
        identity.type,
        _base(identity),
        ",".join(_finer(identity)) or _NOTHING,
        identity.prediction_type or _NOTHING,
        identity.precision or _NOTHING,
        identity.format,
        path,
    )


def _untold(probed: Probed) -> str:
    """Tell what breaks its format from what is whole, for all that is known, and was not read."""
    return "broken" if isinstance(probed.error, FormatError) else "unread"


def _base(identity: Identity) -> str:
    if identity.bases:
        return ",".join(identity.bases)
    return "|".join(_candidates(identity)) + _NOBODY_KNOWS


def _candidates(identity: Identity) -> tuple[BaseModelType, ...]:
    """Return what there is to choose among; a base without a name is no choice by itself."""
    return () if identity.candidates == (BaseModelType.UNKNOWN,) else identity.candidates


def _finer(identity: Identity) -> Iterator[str]:
    for word in (identity.variant, identity.repo_variant, identity.architecture):
        if word and word not in {"normal", "default"}:
            yield word
    if identity.status in _NOTEWORTHY:
        yield identity.status


def block(probed: Probed, *, explain: bool) -> Iterator[str]:
    """Yield the lines that tell one model at length, its path first.

    Args:
        probed: What was found; what could not be read is told as that.
        explain: Also why, what else was near, and what is written about it.
    """
    yield printable(str(probed.path))
    if probed.identity is None:
        yield f"  {_untold(probed)}: {printable(str(probed.error))}"
        return
    yield from _identity(probed.identity, explain=explain, indent="  ")
    if explain:
        told = {evidence.found for evidence in probed.identity.evidence}
        for finding in probed.findings:
            if finding not in told:
                yield f"  found {printable(finding)}"
        for title, text in metadata_facts(probed.metadata):
            yield f"  {title}: {printable(text)}"
        cited = {evidence.where for evidence in probed.identity.evidence}
        for claim in probed.metadata.claims:
            if claim.where not in cited:
                yield f"  {printable(claim.where)} says {printable(repr(claim.said))}"


def _identity(identity: Identity, *, explain: bool, indent: str) -> Iterator[str]:
    yield indent + "  ".join(_words(identity))
    if explain:
        for name, value in identity.details:
            yield f"{indent}{printable(name)}: {printable(value)}"
        for evidence in identity.evidence:
            where, found = printable(evidence.where), printable(evidence.found)
            is_claim = evidence.rule.startswith(_CLAIM)
            observed = f"{where} {found}" if is_claim else f"because {where}: {found}"
            yield f"{indent}{observed}  [{evidence.rule}]"
        for miss in identity.near_misses:
            if identity.status is IdentityStatus.AMBIGUOUS:
                yield f"{indent}{miss.rule} agrees, and so does another rule: nothing tells which is right"
            else:
                yield f"{indent}not {miss.rule}: {printable(miss.missing)}"
    for component in identity.components:
        yield f"{indent}{printable(component.folder)} ({printable(component.class_name)})"
        yield from _identity(component.identity, explain=explain, indent=indent + "  ")


def _words(identity: Identity) -> Iterator[str]:
    yield identity.type
    if identity.bases:
        yield ",".join(identity.bases)
    elif identity.type is not ModelType.UNKNOWN:
        yield " or ".join(_candidates(identity)) or "unknown base"
    if identity.format is not ModelFormat.UNKNOWN:
        yield identity.format
    finer = (identity.variant, identity.architecture, identity.prediction_type)
    for detail in (*finer, identity.repo_variant, identity.precision):
        if detail:
            yield detail
    if identity.status in _NOTEWORTHY:
        yield f"({identity.status})"


def summary(all_probed: Iterable[Probed]) -> dict[str, object]:
    """Count models by type and base, and what nobody could tell.

    Keys are part of the contract of `shelf probe --json`. A model counts under its own base; what is
    undecided, unknown, broken or unread counts under none. `damaged` are those whose other files tell
    what they are, `unread` those that the system did not let be read.
    """
    types: Counter[str] = Counter()
    bases: Counter[str] = Counter()
    undecided = unknown = broken = unread = damaged = 0
    for probed in all_probed:
        identity = probed.identity
        damaged += identity is not None and identity.status is IdentityStatus.BROKEN
        if identity is None:
            is_broken = _untold(probed) == "broken"
            broken, unread = broken + is_broken, unread + (not is_broken)
        elif identity.type is ModelType.UNKNOWN:
            unknown += 1
        else:
            types[identity.type.value] += 1
            if identity.bases:
                bases[identity.base.value] += 1
            else:
                undecided += 1
    return {
        "models": types.total() + unknown + broken + unread,
        "types": _sorted(types),
        "bases": _sorted(bases),
        "undecided": undecided,
        "unknown": unknown,
        "broken": broken,
        "unread": unread,
        "damaged": damaged,
    }


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))
