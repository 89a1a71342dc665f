"""What people and programs wrote about a model: in the file, and in files beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from modelshelf.schema.declared import Declared, Trust
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)

__all__ = ["Field", "ModelMetadata", "Preview", "Statement"]


class Field(StrEnum):
    """What a statement is about; the values are keys of `--json` and never change."""

    TITLE = "title"
    DESCRIPTION = "description"
    AUTHOR = "author"
    LICENSE = "license"
    DATE = "date"
    """When it was made, as written."""
    VERSION = "version"
    """Name of the version of a model that has several."""
    TRIGGER_WORD = "trigger_word"
    """To be put into a prompt."""
    NEGATIVE_TEXT = "negative_text"
    """To be put into a negative prompt."""
    TAG = "tag"
    FREQUENT_TAG = "frequent_tag"
    """What many training images were tagged with."""
    NOTE = "note"
    USAGE_HINT = "usage_hint"
    WEIGHT = "weight"
    """How strongly the author or user applies it, such as `0.8`."""
    RESOLUTION = "resolution"
    """Pixels of the training images, as `1024x1024`."""
    MERGED_FROM = "merged_from"
    BASE_NAME = "base_name"
    """The file or repository that it was trained on, as the trainer called it."""
    OUTPUT_NAME = "output_name"
    """What the trainer called the file."""
    SOFTWARE = "software"
    """What wrote it."""
    NETWORK = "network"
    """The kind of adapter, as the trainer calls its module."""
    NETWORK_DIM = "network_dim"
    NETWORK_ALPHA = "network_alpha"
    NETWORK_ARGS = "network_args"
    SIZE_LABEL = "size_label"
    """Number of parameters in words, such as `12B`."""
    WORKFLOW = "workflow"
    """The program whose workflow is inside; the workflow itself is left there."""
    THUMBNAIL = "thumbnail"
    """The kind of picture that is inside; the picture itself is left there."""
    SOURCE = "source"
    """URL that it came from."""
    CIVITAI_MODEL = "civitai_model"
    """Number of its page on Civitai."""
    CIVITAI_VERSION = "civitai_version"
    """Number of its version on Civitai."""
    SHA256 = "sha256"
    """A claim, as all hashes here: nothing was hashed to check it."""
    DATA_SHA256 = "data_sha256"
    """SHA-256 over the tensors alone."""
    BLAKE3 = "blake3"
    AUTOV1 = "autov1"
    AUTOV2 = "autov2"
    AUTOV3 = "autov3"
    CRC32 = "crc32"


_HASHES = (
    Field.SHA256,
    Field.DATA_SHA256,
    Field.BLAKE3,
    Field.AUTOV1,
    Field.AUTOV2,
    Field.AUTOV3,
    Field.CRC32,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that is written somewhere. Untrusted text, cut to a bounded length."""

    field: Field
    """What it is about."""
    value: str
    """What it says."""
    where: str
    """Where it stands: `metadata:modelspec.title`, `model.civitai.info:model.name`."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A picture or film beside a model that shows what it does. Found, never decoded."""

    name: str
    """File name, in the model's folder."""
    kind: str
    """What its first bytes say, whatever its suffix: `png`, `jpeg`, `webp`, `gif`, `avif`, `mp4`, `webm`."""
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class ModelMetadata:
    """Everything that is written about one model, with where each piece stands.

    Where two places disagree both are kept: the properties give what a person most likely meant, the
    user's own edits before a web site's words and these before the file's.

    Example:
        >>> said = Statement(Field.TITLE, "Mine", "x.json:title")
        >>> ModelMetadata(statements=(said, Statement(Field.TITLE, "Theirs", "metadata:a"))).title
        'Mine'
    """

    statements: tuple[Statement, ...] = ()
    """All statements, the most personal first."""
    claims: tuple[Declared, ...] = ()
    """What is said about type, base and prediction, to be held against the tensors."""
    previews: tuple[Preview, ...] = ()
    """Pictures beside it, the one to show first."""
    read: tuple[str, ...] = ()
    """Files beside it that were read, and `metadata` for what lies inside; sorted."""
    problems: tuple[str, ...] = ()
    """What could not be read or was cut short, a sentence each; sorted."""

    @property
    def title(self) -> str:
        """What it is called; empty where nobody says."""
        return self.first(Field.TITLE)

    @property
    def trigger_words(self) -> tuple[str, ...]:
        """Words for the prompt, from the one place that a person most likely meant."""
        return self._of_first_place(Field.TRIGGER_WORD)

    @property
    def tags(self) -> tuple[str, ...]:
        """All tags, each once."""
        return self.all(Field.TAG)

    @property
    def hashes(self) -> dict[str, str]:
        """Hashes that are claimed, by the field's name; of several the first."""
        return {kind.value: text for kind in _HASHES if (text := self.first(kind))}

    @property
    def beside(self) -> tuple[Declared, ...]:
        """Claims that stand beside the file: those inside it `identify` reads itself."""
        return tuple(claim for claim in self.claims if claim.trust is not Trust.METADATA)

    def first(self, field: Field) -> str:
        """Return the first value of *field*; empty where there is none."""
        return next((one.value for one in self.statements if one.field is field), "")

    def all(self, field: Field) -> tuple[str, ...]:
        """Return all values of *field*, each once."""
        return tuple(dict.fromkeys(one.value for one in self.statements if one.field is field))

    def _of_first_place(self, field: Field) -> tuple[str, ...]:
        where = next((one.where for one in self.statements if one.field is field), "")
        return tuple(
            dict.fromkeys(
                one.value for one in self.statements if one.field is field and one.where == where
            )
        )

    def __bool__(self) -> bool:
        """False where nothing at all was found."""
        return bool(self.statements or self.claims or self.previews or self.problems)

    def document(self) -> dict[str, object]:
        """Return what JSON can say: the best values by name, then everything with its place.

        Keys are part of the contract of `shelf probe --json`; a field that nobody filled is left out.
        """
        best: dict[str, object] = dict(self._best())
        return {
            **best,
            "claims": [_claim(one) for one in self.claims],
            "previews": [
                {"name": one.name, "kind": one.kind, "size": one.size} for one in self.previews
            ],
            "read": list(self.read),
            "problems": list(self.problems),
            "statements": [
                {"field": one.field.value, "value": one.value, "where": one.where}
                for one in self.statements
            ],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Make the value again that `document` was made of, after JSON has had it.

        Raises:
            KeyError: A part of it is missing: it was not made by `document`.
            ValueError: A word in it is none of ours.
        """
        return cls(
            statements=tuple(
                Statement(Field(one["field"]), one["value"], one["where"])
                for one in document["statements"]
            ),
            claims=tuple(map(_claim_from, document["claims"])),
            previews=tuple(
                Preview(one["name"], one["kind"], one["size"]) for one in document["previews"]
            ),
            read=tuple(document["read"]),
            problems=tuple(document["problems"]),
        )

    def _best(self) -> Iterator[tuple[str, object]]:
        for field in Field:
            if field in _HASHES or field is Field.TRIGGER_WORD:
                continue
            if field in {Field.TAG, Field.FREQUENT_TAG}:
                if several := self.all(field):
                    yield f"{field.value}s", list(several)
            elif text := self.first(field):
                yield field.value, text
        if self.trigger_words:
            yield "trigger_words", list(self.trigger_words)
        if self.hashes:
            yield "hashes", self.hashes


def _claim(claim: Declared) -> dict[str, object]:
    told = {
        "bases": [base.value for base in claim.bases],
        "type": claim.type and claim.type.value,
        "variant": claim.variant and claim.variant.value,
        "prediction_type": claim.prediction_type and claim.prediction_type.value,
        "architecture": claim.architecture,
    }
    return {
        "trust": claim.trust.name.lower(),
        "where": claim.where,
        "said": claim.said,
        **{name: value for name, value in told.items() if value},
    }


def _claim_from(told: Mapping[str, Any]) -> Declared:
    kind, variant, prediction = (told.get(key) for key in ("type", "variant", "prediction_type"))
    return Declared(
        trust=Trust[told["trust"].upper()],
        where=told["where"],
        said=told["said"],
        bases=tuple(map(BaseModelType, told.get("bases", ()))),
        type=ModelType(kind) if kind else None,
        variant=ModelVariantType(variant) if variant else None,
        prediction_type=SchedulerPredictionType(prediction) if prediction else None,
        architecture=told.get("architecture", ""),
    )
