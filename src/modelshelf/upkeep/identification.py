"""Saying anew what stored models are: when the rules have learned, or when a user knows better."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import reduce

from modelshelf.blobs.views import ViewKeeper
from modelshelf.errors import (
    DuplicateModelException,
    ModelshelfError,
    SourceError,
    UnknownModelException,
    UsageError,
)
from modelshelf.formats import read_tree
from modelshelf.identify import identify, rules_edition
from modelshelf.normalize import identity_detail, override_in
from modelshelf.protocols import RecordStore
from modelshelf.records.part_claims import PartClaim, joined
from modelshelf.schema.declared import Declared
from modelshelf.schema.identity import Identity, IdentityStatus
from modelshelf.schema.metadata import ModelMetadata
from modelshelf.schema.model import ModelInfo
from modelshelf.schema.override import Overridden, Override
from modelshelf.schema.progress import Progress, ProgressReporter, ignore_progress
from modelshelf.schema.query import ModelQuery
from modelshelf.schema.served_bases import learned_bases, served_bases
from modelshelf.schema.taxonomy import BaseModelType, ModelType

__all__ = ["Identification"]

_OPEN = frozenset(
    {
        IdentityStatus.UNKNOWN,
        IdentityStatus.UNDECIDED,
        IdentityStatus.AMBIGUOUS,
        IdentityStatus.PARTIAL,
    }
)
_MOVES = 4
"""Times that a model is looked for where it is now, before what is wrong there is told."""


class Identification:
    """Keeps what the records say of models up to the rules, and below the user's word."""

    def __init__(
        self, records: RecordStore, views: ViewKeeper, said: Callable[[str], ModelMetadata]
    ) -> None:
        """Keep the records of a library.

        Args:
            records: What is known.
            views: What a person sees.
            said: Gives what stood in and beside the model of a key when it was added: files that
                are not stored may have decided what it is.
        """
        self._records = records
        self._views = views
        self._said = said

    def again(
        self,
        models: Iterable[ModelInfo],
        *,
        dry_run: bool = False,
        report: ProgressReporter = ignore_progress,
    ) -> Iterator[ModelInfo]:
        """Identify models again and yield each of which something else is known now, as it is known.

        What was known is never given up for less: where the rules say less today than they did, the
        record stays. A user's word stays above whatever is detected.

        Args:
            models: Which ones; `open_ones` gives those that it is worth for.
            dry_run: Change nothing.
            report: Told of progress.
        """
        listed = list(models)
        for number, model in enumerate(listed, start=1):
            known = self._look_again(model, dry_run=dry_run)
            if known is not None:
                yield known
            report(Progress("identifying", model.name, number, len(listed)))
        if not dry_run:
            self._views.settle()

    def open_ones(self) -> list[ModelInfo]:
        """Return models that other rules than today's left open."""
        everything = [*self._records.named_models(), *self._records.pipelines()]
        return [model for model in everything if _is_open(model)]

    def say(
        self,
        model: ModelInfo,
        wish: Override,
        *,
        taken_back: Collection[str] = (),
        dry_run: bool = False,
    ) -> ModelInfo:
        """Let a user's word win, field by field; what was said before of other fields stays.

        Args:
            model: Of which something is said; its part's other names have it too.
            wish: What is said.
            taken_back: Fields of `Override` of which nothing is said any more, unless *wish* does.
            dry_run: Change nothing.

        Returns:
            The model, as it is or would be known; where it lies is where it was.

        Raises:
            UsageError: A pipeline cannot be anything but a main model.
            DuplicateModelException: Another pipeline of the same content, name and source has this base.
            UnknownModelException: Somebody deleted it meanwhile.
        """
        if model.is_pipeline and wish.type not in {None, ModelType.MAIN}:
            raise UsageError(
                problem=f"`{model.name}` is a pipeline, which is always of type main",
                remedy="leave its type out",
            )
        while True:
            model, seen = self._look_where_it_is(model)
            said = override_in(model.detail).without(taken_back).and_then(wish)
            known = _known_as(model, seen, said)
            if dry_run:
                self._check_apart(known)
                return known
            if self._enter(known, model):
                self._views.settle()
                return known
            model = self._read_again(model)

    def _look_again(self, model: ModelInfo, *, dry_run: bool) -> ModelInfo | None:
        """Return the model where something else is known of it now; None where nothing is."""
        now = model
        while True:
            try:
                now, seen = self._look_where_it_is(now)
                if _knows_less(seen, now):
                    return None
                known = _known_as(now, seen, override_in(now.detail))
                if dry_run or self._enter(known, now):
                    return known if _told(known) != _told(model) else None
                now = self._read_again(now)
            except ModelshelfError:
                # Damage is `verify`'s to report; an unknown model that cannot be read stays unknown.
                return None

    def _look_where_it_is(self, model: ModelInfo) -> tuple[ModelInfo, _Look]:
        """Look at a model; return it as it is now where somebody moved its view meanwhile."""
        for _ in range(_MOVES):
            if model.is_pipeline:
                # Half of a view looks like another model. Whoever moves it from now on has said
                # something of it, which `_enter` finds.
                self._views.settle()
            with suppress(SourceError):
                return model, self._look(model)
            model = self._read_again(model)
        return model, self._look(model)

    def _look(self, model: ModelInfo) -> _Look:
        """Detect what a model is, by its files and by what was told of it under each of its names."""
        # What a person sees of a pipeline may be symbolic links into the store.
        tree = read_tree(model.path, follow_links=True)
        told = dict.fromkeys(self._declared(name) for name in self._names(model))
        # The library's own name for it says nothing: claims have what the first one said.
        found = [identify(tree, declared=declared, name="") for declared in told]
        claims = {_claim(identity): identity for identity in found}
        # As when they were added, so that it is the same whichever of its names is asked.
        joint = reduce(joined, claims)
        own = {claim.detail: identity for claim, identity in claims.items()}[joint.detail]
        return _Look(own, tuple(dict.fromkeys((*joint.learned_bases, *_learned(model)))))

    def _names(self, model: ModelInfo) -> Sequence[ModelInfo]:
        if model.is_pipeline or model.refcount == 1:
            return [model]
        return self._records.find(ModelQuery(ids=(model.id,))) or [model]

    def _declared(self, model: ModelInfo) -> tuple[Declared, ...]:
        said = self._said(model.key)
        # A checkpoint that was split is no file any more in which its own words could be read.
        return tuple(said.beside if model.original is None else said.claims)

    def _enter(self, known: ModelInfo, before: ModelInfo) -> bool:
        """Enter what is known; False where somebody else said something of the model meanwhile."""
        facts = (known.type, known.format, known.bases, known.detail)
        return self._records.identify_as(known.key, *facts, before=before)

    def _read_again(self, model: ModelInfo) -> ModelInfo:
        for now in self._records.find(ModelQuery(key_prefix=model.key)):
            if now.key == model.key:
                return now
        raise UnknownModelException(wanted=model.name)

    def _check_apart(self, known: ModelInfo) -> None:
        """Refuse what the records would refuse: a pipeline that is another one twice."""
        if not known.is_pipeline:
            return
        for other in self._records.find(ModelQuery(name=known.name)):
            is_same = (other.hash, other.source) == (known.hash, known.source)
            if (
                is_same
                and other.is_pipeline
                and other.key != known.key
                and other.base is known.base
            ):
                matches = f"{other.key[:12]} ({other.name})"
                raise DuplicateModelException(wanted=known.name, count=2, matches=matches)


@dataclass(frozen=True, slots=True)
class _Look:
    """What looking at a stored model found."""

    identity: Identity
    """What it is alone, as who was told most of it says."""
    learned: tuple[BaseModelType, ...]
    """Bases that it has besides: of pipelines, and of what was told of it under its other names."""


def _claim(identity: Identity) -> PartClaim:
    detail = identity_detail(Overridden(identity), rules=rules_edition())
    bases = identity.bases or (BaseModelType.UNKNOWN,)
    return PartClaim(identity.type, identity.format, bases, detail)


def _known_as(model: ModelInfo, seen: _Look, said: Override) -> ModelInfo:
    """Return the model as it is known when *seen* was detected and *said* is the user's word."""
    overridden = said.over(seen.identity)
    kept_whole = json.loads(model.detail).get("kept_whole", "")
    now = overridden.effective
    return replace(
        model,
        type=now.type,
        bases=now.bases if said.bases else served_bases(now.bases, seen.learned),
        # A pipeline stays the folder that it is.
        format=model.format if model.is_pipeline else now.format,
        detail=identity_detail(
            overridden, rules=rules_edition(), kept_whole=kept_whole, learned=seen.learned
        ),
    )


def _told(model: ModelInfo) -> tuple[object, ...]:
    """Return what is known of a model, by whatever rules."""
    detail = {name: value for name, value in json.loads(model.detail).items() if name != "rules"}
    return model.type, model.bases, detail


def _is_open(model: ModelInfo) -> bool:
    detail = json.loads(model.detail)
    is_open = (
        model.type is ModelType.UNKNOWN
        or BaseModelType.UNKNOWN in model.bases
        or detail.get("status") in _OPEN
        # An earlier modelshelf left what came in a pipeline first at what that said of it.
        or not detail
    )
    return is_open and detail.get("rules") != rules_edition()


def _knows_less(seen: _Look, model: ModelInfo) -> bool:
    if seen.identity.type is ModelType.UNKNOWN:
        return model.type is not ModelType.UNKNOWN
    bases = served_bases(seen.identity.bases, seen.learned)
    return BaseModelType.UNKNOWN in bases and BaseModelType.UNKNOWN not in model.bases


def _learned(model: ModelInfo) -> tuple[BaseModelType, ...]:
    """Return the bases that a part has of pipelines, and not of a look at it alone."""
    return () if model.is_pipeline else learned_bases(json.loads(model.detail), model.bases)
