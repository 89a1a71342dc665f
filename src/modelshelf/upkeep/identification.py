"""Saying anew what stored models are: when the rules have learned, or when a user knows better."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from modelshelf.blobs.views import ViewKeeper
from modelshelf.errors import ModelshelfError, UsageError
from modelshelf.formats import read_tree
from modelshelf.identify import identify, rules_edition
from modelshelf.normalize import identity_detail, override_in
from modelshelf.protocols import RecordStore
from modelshelf.schema.identity import Identity, IdentityStatus
from modelshelf.schema.metadata import ModelMetadata
from modelshelf.schema.model import ModelInfo
from modelshelf.schema.override import Override
from modelshelf.schema.progress import Progress, ProgressReporter, ignore_progress
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
        report: ProgressReporter = ignore_progress,
    ) -> Iterator[ModelInfo]:
        """Identify models again and yield each of which something else is known now.

        What was known is never given up for less: where the rules say less today than they did, the
        record stays. A user's word stays above whatever is detected.

        Args:
            models: Which ones; `open_ones` gives those that it is worth for.
            report: Told of progress.
        """
        listed = list(models)
        for number, model in enumerate(listed, start=1):
            if self._look_again(model):
                yield model
            report(Progress("identifying", model.name, number, len(listed)))
        self._views.settle()

    def open_ones(self) -> list[ModelInfo]:
        """Return models that other rules than today's left open."""
        everything = [*self._records.named_models(), *self._records.pipelines()]
        return [model for model in everything if _is_open(model)]

    def override(self, model: ModelInfo, wish: Override) -> None:
        """Let a user's word win, field by field; what was said before of other fields stays.

        Raises:
            UsageError: A pipeline cannot be anything but a main model.
        """
        if model.is_pipeline and wish.type not in {None, ModelType.MAIN}:
            raise UsageError(
                problem=f"`{model.name}` is a pipeline, which is always of type main",
                remedy="leave its type out",
            )
        earlier = override_in(model.detail)
        said = replace(earlier, **{name: getattr(wish, name) for name in wish.fields})
        self._write(model, self._detect(model), said)
        self._views.settle()

    def as_detected(self, model: ModelInfo) -> None:
        """Take a user's word back, all of it."""
        self._write(model, self._detect(model), Override())
        self._views.settle()

    def _look_again(self, model: ModelInfo) -> bool:
        try:
            detected = self._detect(model)
        except ModelshelfError:
            # Damage is `verify`'s to report; an unknown model that cannot be read stays unknown.
            return False
        if _knows_less(detected, model):
            return False
        return self._write(model, detected, override_in(model.detail))

    def _detect(self, model: ModelInfo) -> Identity:
        said = self._said(model.key)
        # A checkpoint that was split is no file any more in which its own words could be read.
        declared = said.beside if model.original is None else said.claims
        # What a person sees of a pipeline may be symbolic links into the store.
        tree = read_tree(model.path, follow_links=True)
        # The library's own name for it says nothing: claims have what the first one said.
        return identify(tree, declared=declared, name="")

    def _write(self, model: ModelInfo, detected: Identity, said: Override) -> bool:
        overridden = said.over(detected)
        old, learned = json.loads(model.detail), _learned(model)
        detail = identity_detail(
            overridden,
            rules=rules_edition(),
            kept_whole=old.get("kept_whole", ""),
            learned=learned,
        )
        now = overridden.effective
        # A pipeline stays the folder that it is.
        format_ = model.format if model.is_pipeline else now.format
        bases = now.bases if said.bases else served_bases(now.bases, learned)
        self._records.identify_as(model.key, now.type, format_, bases, detail)
        told = {name: value for name, value in json.loads(detail).items() if name != "rules"}
        old.pop("rules", None)
        return (now.type, bases, told) != (model.type, model.bases, old)


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


def _knows_less(detected: Identity, model: ModelInfo) -> bool:
    if detected.type is ModelType.UNKNOWN:
        return model.type is not ModelType.UNKNOWN
    bases = served_bases(detected.bases, _learned(model))
    return BaseModelType.UNKNOWN in bases and BaseModelType.UNKNOWN not in model.bases


def _learned(model: ModelInfo) -> tuple[BaseModelType, ...]:
    """Return the bases that a part has of pipelines, and not of a look at it alone."""
    return () if model.is_pipeline else learned_bases(json.loads(model.detail), model.bases)
