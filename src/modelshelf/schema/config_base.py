"""The record of a model: the fields that all records have."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, ClassVar, Self

from pydantic import AliasGenerator, BaseModel, ConfigDict, Field, field_serializer, model_validator
from pydantic_core import PydanticCustomError, PydanticUndefined

from modelshelf.schema.config_detail import ModelDetail
from modelshelf.schema.config_fields import (
    REFUSED,
    Answer,
    Count,
    Description,
    HexDigest,
    Key,
    License,
    Line,
    ModelSourceType,
    Name,
    Path,
    Seconds,
    Settings,
    Words,
)
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)

__all__ = ["DECIDING", "SHORT_NAMES", "ModelConfigBase", "long_names", "rebased", "with_base"]

SHORT_NAMES: Mapping[str, str] = {
    "type": "model_type",
    "format": "model_format",
    "base": "base_model",
}
"""The short names that the document's samples and HTTP use, and the field that each means."""

DECIDING = ("model_type", "model_format", "base_model")
"""The fields that decide the class of a record."""

_MOST_FIELDS = 200
"""Several times what a record has; each one too many costs a problem to tell."""
_LONG_TO_SHORT = {long: short for short, long in SHORT_NAMES.items()}


def _short_name(field: str) -> str:
    return _LONG_TO_SHORT.get(field, field)


def long_names(document: Mapping[Any, Any]) -> dict[str, Any]:
    """Return *document* with short names made long and paths made text.

    Raises:
        PydanticCustomError: There are too many, one is there under both names with different values, or
            one's name can be none.
    """
    if len(document) > _MOST_FIELDS:
        raise PydanticCustomError(REFUSED, "expected at most {most} fields", {"most": _MOST_FIELDS})
    named: dict[str, Any] = {}
    for given, value in document.items():
        if isinstance(given, str) and not given.isidentifier():
            raise PydanticCustomError(
                REFUSED, "no record has such a field", {"field": ascii(given[:40])}
            )
        if not isinstance(given, str):
            raise PydanticCustomError(
                REFUSED,
                "expected text as names of fields, got {kind}",
                {"kind": type(given).__name__, "field": "record"},
            )
        name = SHORT_NAMES.get(given, given)
        if name in named and named[name] != value:
            raise PydanticCustomError(
                REFUSED,
                "expected one value, got two that differ under its short and its long name",
                {"field": name},
            )
        named[name] = str(value) if isinstance(value, PurePath) else value
    return named


def rebased(bases: tuple[BaseModelType, ...], base: object) -> list[object]:
    """Return the bases of a model whose own base becomes *base*.

    A base that it already worked with moves to the front. Any other stands alone: what the old base
    was compatible with says nothing about the new.
    """
    return [base, *(each for each in bases if each != base)] if base in bases else [base]


def with_base(document: dict[str, Any]) -> dict[str, Any]:
    """Return *document* with the first of its bases as its base, where it has none."""
    bases = document.get("bases")
    if document.get("base_model") is None and isinstance(bases, list | tuple) and bases:
        return document | {"base_model": bases[0]}
    return document


class ModelConfigBase(BaseModel):
    """What is known about one model; the common fields of every kind.

    A record checks itself when it is made and whenever a field is assigned: pydantic's
    `ValidationError` leaves it as it was. `parse_config` picks the class and says the same as an
    `InvalidModelConfigException`.

    Source: `spec/model-manager-v2.md`, "ModelConfigBase". Beyond the document stand `bases` and what
    follows `source`.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid",
        validate_assignment=True,
        validate_default=False,
        # Forty classes, of which a command needs two.
        defer_build=True,
        alias_generator=AliasGenerator(serialization_alias=_short_name),
        # A wrong value may be a megabyte; our own words for it quote its beginning.
        hide_input_in_errors=True,
    )

    key: Key = ""
    """Unique identifier, usually 32 random hexadecimal digits; empty until a store has it."""
    name: Name
    """Name of the model, not unique."""
    model_type: ModelType
    """What it does."""
    model_format: ModelFormat
    """How it lies on disk; with the type it decides the class of the record."""
    base_model: BaseModelType
    """The first of *bases*: the base that it was made for."""
    bases: tuple[BaseModelType, ...] = ()
    """Every base that it works with; never empty. Given one of *base_model* and *bases* the other follows."""
    path: Path
    """Where it lies; a relative one counts from the folder of models."""
    hash: Line = ""
    """Hash of its content as `algorithm:digits`, or plain digits; empty where nobody computed one."""
    description: Description | None = None
    """For people."""
    source: Line | None = None
    """URL, repository id or path that it came from."""
    source_type: ModelSourceType | None = None
    """What *source* is."""
    source_api_response: Answer | None = None
    """The hub's answer about it, as it came."""
    tags: Words = Field(default_factory=list)
    """Each once, in the order given."""
    author: Line | None = None
    """Who made it."""
    license: License = License("")
    """Under which terms; empty where unknown."""
    trigger_phrases: Words = Field(default_factory=list)
    """What to put into a prompt."""
    default_settings: Settings | None = None
    """What a program should start from when it uses the model, by names of its own."""
    cover_image: Line | None = None
    """Path or URL of a picture that stands for it."""
    variant: ModelVariantType | None = None
    """What it was trained to take, or its size; None for kinds of models that have no variants."""
    prediction_type: SchedulerPredictionType | None = None
    """What its denoiser predicts; None where nothing says it."""
    precision: Line | None = None
    """How its numbers are kept, such as `fp16` or `q4_k`."""
    architecture: Line | None = None
    """The published name of its architecture where that is finer than the base."""
    detail: ModelDetail | None = None
    """How it is known what a model is that lies elsewhere; None for one that a library stores."""
    converted_at: Seconds | None = None
    """When it was converted last, in seconds since 1970; None if it never was."""
    size: Count | None = None
    """Bytes of its files."""
    blake3: HexDigest | None = None
    """BLAKE3 of its content: 64 hexadecimal digits."""
    sha256: HexDigest | None = None
    """SHA-256 of a model that is one file: what the hubs know it by."""
    created_at: Seconds | None = None
    """When the record was added, in seconds since 1970."""
    updated_at: Seconds | None = None
    """When the record was changed last, in seconds since 1970."""
    last_used_at: Seconds | None = None
    """When the model was used last, in seconds since 1970; None if nobody used it."""
    revision: Count = 0
    """How often the record was written; 0 for one that no store has. Stores count, nobody else."""

    @property
    def type(self) -> ModelType:
        """*model_type* by its short name."""
        return self.model_type

    @type.setter  # noqa: A003 - the document's name for it
    def type(self, value: ModelType) -> None:
        self.model_type = value

    @property
    def format(self) -> ModelFormat:
        """*model_format* by its short name."""
        return self.model_format

    @format.setter  # noqa: A003 - the document's name for it
    def format(self, value: ModelFormat) -> None:
        self.model_format = value

    @property
    def base(self) -> BaseModelType:
        """*base_model* by its short name."""
        return self.base_model

    @base.setter
    def base(self, value: BaseModelType) -> None:
        self.base_model = value

    @property
    def hashes(self) -> tuple[str, ...]:
        """Every hash that it is known by: lower case, without the algorithm's name, each once."""
        known = (self.hash.rpartition(":")[2].lower(), self.blake3, self.sha256)
        return tuple(dict.fromkeys(each for each in known if each))

    def to_document(self) -> dict[str, Any]:
        """Return the record as JSON can say it, by the long names, for a store to keep.

        Fields that are None are left out; `parse_config` gives back an equal record.

        Example:
            >>> from modelshelf.schema.config import parse_config
            >>> lora = parse_config(
            ...     dict(name="ink", type="lora", format="lycoris", base="sdxl", path="ink.safetensors")
            ... )
            >>> lora.to_document()["model_type"], parse_config(lora.to_document()) == lora
            ('lora', True)
        """
        return self.model_dump(mode="json", exclude_none=True)

    def to_http(self) -> dict[str, Any]:
        """Return the record as the web API says it: the short names, and every field.

        Example:
            >>> from modelshelf.schema.config import parse_config
            >>> lora = parse_config(
            ...     dict(name="ink", type="lora", format="lycoris", base="sdxl", path="ink.safetensors")
            ... )
            >>> said = lora.to_http()
            >>> said["type"], said["format"], said["base"], said["size"] is None
            ('lora', 'lycoris', 'sdxl', True)
        """
        return self.model_dump(mode="json", by_alias=True)

    @model_validator(mode="before")
    @classmethod
    def _named_and_based(cls, given: Any) -> Any:  # noqa: ANN401 - pydantic passes whatever came
        if not isinstance(given, Mapping):
            return given
        document = long_names(given)
        bases = document.get("bases")
        if bases is None:
            base = document.get("base_model", cls.model_fields["base_model"].default)
            if base is not PydanticUndefined:
                document["bases"] = (base,)
        elif isinstance(bases, list | tuple) and bases and document.get("base_model") is None:
            document["base_model"] = bases[0]
        return document

    @model_validator(mode="after")
    def _same_base(self) -> Self:
        if self.bases[:1] != (self.base_model,) or len(set(self.bases)) != len(self.bases):
            raise PydanticCustomError(
                REFUSED,
                "expected `{base}` first and each base once, got {bases}",
                {
                    "field": "bases",
                    "base": self.base_model.value,
                    "bases": ", ".join(self.bases) or "none",
                },
            )
        return self

    @field_serializer("bases", mode="plain")
    def _listed_bases(self, bases: tuple[BaseModelType, ...]) -> list[str]:
        return [each.value for each in bases]

    def __setattr__(self, name: str, value: Any) -> None:  # noqa: ANN401 - pydantic's signature
        if name not in {"base_model", "bases"}:
            super().__setattr__(name, value)
            return
        # Each follows the other, so neither can be assigned alone.
        document = self.model_dump(exclude={"base_model", "bases"})
        if name == "base_model":
            document["bases"] = rebased(self.bases, value)
        document[name] = value
        checked = type(self).model_validate(document)
        self.__dict__["base_model"] = checked.base_model
        self.__dict__["bases"] = checked.bases
        self.__pydantic_fields_set__.update({"base_model", "bases"})
