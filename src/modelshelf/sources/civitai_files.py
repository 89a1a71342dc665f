"""The files of a version on Civitai, and the choice among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from modelshelf.schema.model_source import CivitaiModelSource

__all__ = ["CivitaiFile", "choose_file"]

_MODELS = frozenset({"Model", "Pruned Model", "Negative", "Diffusers"})
_NEVER = frozenset({"Config", "Training Data", "Workflow"})
_FORMATS = ("SafeTensor", "GGUF", "PickleTensor", "Diffusers")
_SUFFIXES = {"SafeTensor": "safetensors", "GGUF": "gguf", "Diffusers": "zip", "ONNX": "zip"}
_MOST_FILES = 1_000


@dataclass(frozen=True, slots=True)
class CivitaiFile:
    """One file, as the API describes it; what is missing or of a wrong type is empty."""

    id: int
    """Its number; 0 where it has none."""
    name: str
    """As its author called it: not checked."""
    type: str
    """`Model`, `Pruned Model`, `VAE`, `Config`, `Training Data`, …."""
    format: str
    """`SafeTensor`, `PickleTensor`, `GGUF`, `Diffusers`, `Other`."""
    size: str
    """`full` or `pruned`."""
    precision: str
    """`fp16`, `fp32`, `bf16`, …."""
    size_hint: int | None
    """Bytes, made of kibibytes with a fraction."""
    is_primary: bool
    """Whether it is what the site's button gives."""
    hashes: Mapping[str, str] = field(default_factory=dict)
    """Kind of hash → digits."""
    scans: Mapping[str, str] = field(default_factory=dict)
    """`pickle scan` and `virus scan` → verdict."""

    @classmethod
    def all_of(cls, version: Mapping[str, Any]) -> Iterator[CivitaiFile]:
        """Yield the files of a version, as the API gives it."""
        files = version.get("files")
        for one in (files if isinstance(files, list) else [])[:_MOST_FILES]:
            if isinstance(one, dict):
                yield cls._read(one)

    @classmethod
    def _read(cls, told: Mapping[str, Any]) -> CivitaiFile:
        number, kib, kinds = told.get("id"), told.get("sizeKB"), _texts(told.get("metadata"))
        known = isinstance(kib, int | float) and 0 <= kib < 2**53
        scans = {"pickle scan": "pickleScanResult", "virus scan": "virusScanResult"}
        return cls(
            id=number if isinstance(number, int) and number > 0 else 0,
            name=_text(told.get("name")),
            type=_text(told.get("type")),
            format=kinds.get("format", ""),
            size=kinds.get("size", ""),
            precision=kinds.get("fp", ""),
            size_hint=round(kib * 1024) if known and kib is not None else None,
            is_primary=told.get("primary") is True,
            hashes=_texts(told.get("hashes")),
            scans={name: text for name, key in scans.items() if (text := _text(told.get(key)))},
        )

    @property
    def suffix(self) -> str:
        """What a file of its format is called by."""
        return _SUFFIXES.get(self.format, "ckpt")


def choose_file(files: list[CivitaiFile], source: CivitaiModelSource) -> CivitaiFile | None:
    """Choose the file that *source* means; None where none is as it was asked for.

    Args:
        files: All of the version, in the site's order.
        source: Its number, hash, format, size or precision of the file, as far as they are given.

    Example:
        >>> told = {"files": [
        ...     {"id": 1, "type": "Model", "metadata": {"format": "PickleTensor"}, "primary": True},
        ...     {"id": 2, "type": "Model", "metadata": {"format": "SafeTensor"}},
        ...     {"id": 3, "type": "Training Data", "metadata": {"format": "Other"}}]}
        >>> choose_file(list(CivitaiFile.all_of(told)), CivitaiModelSource(version_id=9)).id
        2
    """
    if source.file_id is not None:
        return next((file for file in files if file.id == source.file_id), None)
    if source.hash is not None:
        owners = [
            file
            for file in files
            if source.hash in {digits.upper() for digits in file.hashes.values()}
        ]
        if owners:
            return owners[0]
        # The site knows more hashes than it shows.
    models = [file for file in files if file.type in _MODELS]
    models = models or [file for file in files if file.type not in _NEVER]
    fitting = [file for file in models if _fits(file, source)]
    return min(fitting, key=_rank, default=None)


def _fits(file: CivitaiFile, source: CivitaiModelSource) -> bool:
    wishes = (
        (source.format, file.format),
        (source.size, file.size),
        (source.precision, file.precision),
    )
    return all(wish is None or wish.casefold() == got.casefold() for wish, got in wishes)


def _rank(file: CivitaiFile) -> tuple[int, bool]:
    order = _FORMATS.index(file.format) if file.format in _FORMATS else len(_FORMATS)
    return order, not file.is_primary


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> dict[str, str]:
    """Return the pairs of texts of a mapping; the site leaves out what it does not know."""
    pairs = value.items() if isinstance(value, dict) else ()
    return {str(name): text for name, text in pairs if isinstance(text, str)}
