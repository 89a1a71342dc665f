"""One form for all names: wrappers stripped, block numbers folded, parts of a bundle apart."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cached_property

from modelshelf.schema.tensor import TensorIndex

__all__ = ["Group", "Layout", "Part", "fold"]


class Part(StrEnum):
    """Which model of a bundle a tensor belongs to, as far as a wrapper's name tells."""

    CONTROL = "control"
    DENOISER = "denoiser"
    VAE = "vae"
    TEXT = "text"
    EMA = "ema"
    OTHER = "other"
    BARE = "bare"
    """No wrapper names the part: the file is one model."""


# A step `#` stands for any number.
_PARTS = {
    "model.diffusion_model.": Part.DENOISER,
    "diffusion_model.": Part.DENOISER,
    "unet.": Part.DENOISER,
    "control_model.": Part.CONTROL,
    "first_stage_model.": Part.VAE,
    "vae.": Part.VAE,
    "cond_stage_model.": Part.TEXT,
    "conditioner.embedders.#.": Part.TEXT,
    "text_encoders.clip_g.": Part.TEXT,
    "text_encoders.clip_l.": Part.TEXT,
    "text_encoders.t5xxl.": Part.TEXT,
    "text_encoder_2.": Part.TEXT,
    "text_encoder_3.": Part.TEXT,
    "text_encoder.": Part.TEXT,
    "model_ema.": Part.EMA,
    "depth_model.": Part.OTHER,
    "embedder.model.": Part.OTHER,
}
_WRAPPERS = ("base_model.model.", "_orig_mod.", "module.", "model.", "net.", "transformer.")
# Longest first, as one begins another.
_WRAPPER = re.compile(
    "|".join(re.escape(one) for one in sorted({*_PARTS, *_WRAPPERS}, key=len, reverse=True))
)
_LEADING = (Part.CONTROL, Part.DENOISER, Part.VAE, Part.TEXT)

_KOHYA = ("\nlora_", "\nlycoris_")
_AFTER_DOT = re.compile(r"\.[0-9]+(?=[.\n])")
_AFTER_UNDERSCORE = re.compile(r"_[0-9]+(?=[._\n])")
_AFTER_COLON = re.compile(r":[0-9]+(?=[:\n])")


def fold(names: Iterable[str]) -> list[str]:
    """Replace every step that is a number by `#`; digits inside a word stay.

    Steps end at dots; in kohya's names, which have no others, at underscores too. All names go
    through a pattern as one text, which costs a third of going one by one.

    Example:
        >>> fold(["input_blocks.4.1.attn2.to_k.weight", "lora_unet_mid_block_0_ff"])
        ['input_blocks.#.#.attn2.to_k.weight', 'lora_unet_mid_block_#_ff']
    """
    listed = list(names)
    text = "\n" + "\n".join(listed) + "\n"
    if text.count("\n") != len(listed) + 1:
        return [one for name in listed for one in fold([name.replace("\n", " ")])]
    text = _AFTER_DOT.sub(".#", text)
    if any(start in text for start in _KOHYA):
        text = _AFTER_UNDERSCORE.sub("_#", text)
    if ":" in text:
        text = _AFTER_COLON.sub(":#", text)
    return text.split("\n")[1:-1]


class Group:
    """All tensors of one part whose names differ in numbers only."""

    __slots__ = ("_index", "_shapes", "names")

    def __init__(self, index: TensorIndex) -> None:
        self.names: list[str] = []
        """As they stand in the file."""
        self._index = index
        self._shapes: frozenset[tuple[int, ...]] | None = None

    @property
    def shapes(self) -> frozenset[tuple[int, ...]]:
        """Every shape that occurs."""
        if self._shapes is None:
            self._shapes = frozenset(self._index.tensors[name].shape for name in self.names)
        return self._shapes

    @property
    def example(self) -> str:
        """The first name in order of text, whatever the order in the file."""
        return min(self.names)

    def exactly(self, name: str) -> Group:
        """Return only those that are called *name* behind their wrapper; `#` is any number."""
        found = Group(self._index)
        if "#" in name:
            wanted = re.compile(r"(?:.*\.)?" + re.escape(name).replace(r"\#", "[0-9]+"))
            found.names = [own for own in self.names if wanted.fullmatch(own)]
        else:
            found.names = [own for own in self.names if own == name or own.endswith("." + name)]
        return found

    def highest(self) -> int:
        """Return the largest first number in the names, counted from 0; -1 where there is none."""
        numbers = (re.search(r"(?<=[._:])[0-9]{1,9}(?=[._:]|$)", name) for name in self.names)
        return max((int(found[0]) for found in numbers if found), default=-1)


class Layout:
    """The tensors of an index by part and folded name; what every rule looks at."""

    def __init__(self, index: TensorIndex) -> None:
        self.index = index
        self.folded: defaultdict[str, list[str]] = defaultdict(list)
        """Folded name, wrappers included → names."""
        for name, folded in zip(index.tensors, fold(index.tensors), strict=True):
            self.folded[folded].append(name)
        self._parts: dict[Part, dict[str, Group]] = {}
        for folded, names in self.folded.items():
            part, stripped = _strip(folded)
            group = self._parts.setdefault(part, {}).setdefault(stripped, Group(index))
            group.names += names

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts that wrappers name, sorted."""
        return tuple(sorted(part for part in self._parts if part is not Part.BARE))

    @cached_property
    def leading(self) -> Part:
        """The part that speaks for the whole file: a denoiser before its VAE and text encoders."""
        return next((part for part in _LEADING if part in self._parts), Part.BARE)

    def groups(self, part: Part) -> Mapping[str, Group]:
        """Return the groups of *part* by folded name without wrappers."""
        return self._parts.get(part, {})

    @cached_property
    def text(self) -> str:
        """Every folded name without its wrappers, whatever its part, each between line ends."""
        names = (name for groups in self._parts.values() for name in groups)
        return "\n" + "\n".join(names) + "\n"


def _strip(name: str) -> tuple[Part, str]:
    """Take the wrappers off; the innermost that names a part decides the part.

    Except inside the copy that training keeps of a whole model (EMA) and inside a ControlNet: what
    they hold is theirs.
    """
    part, at = Part.BARE, 0
    while found := _WRAPPER.match(name, at):
        named = _PARTS.get(found[0])
        if named is not None and part not in {Part.BARE, Part.DENOISER}:
            break
        part, at = named or part, found.end()
    return part, name[at:]
