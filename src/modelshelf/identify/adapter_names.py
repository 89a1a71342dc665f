"""Whose names an adapter follows, and which module of which model each of its tensors adapts.

Trainers agree on little: kohya joins a module's path with underscores behind a prefix, diffusers and
PEFT keep its dots behind the component's name, others write the denoiser's own path.

Sources: `networks/lora*.py` of kohya-ss/sd-scripts, `loaders/lora_conversion_utils.py` of
huggingface/diffusers, `lycoris/wrapper.py` of KohakuBlueleaf/LyCORIS.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from operator import itemgetter
from typing import NamedTuple

__all__ = [
    "AdapterNaming",
    "Cut",
    "Ending",
    "Numbered",
    "Place",
    "cut_of",
    "ending_of",
    "fold_path",
    "numbers_by_cut",
    "numbers_of",
    "numbers_of_all",
    "place_of",
]


class AdapterNaming(StrEnum):
    """Whose way of writing names an adapter follows."""

    KOHYA = "kohya"
    """`lora_unet_…`, `lora_te1_…`, `oft_unet_…`: kohya's scripts, musubi-tuner, LyCORIS inside them."""
    LYCORIS = "lycoris"
    """`lycoris_…`: LyCORIS alone, as SimpleTuner uses it."""
    ONETRAINER = "onetrainer"
    """`lora_transformer_…` and diffusers' paths."""
    PEFT = "peft"
    """`unet.…`, `transformer.…`, `base_model.model.…` with `lora_A` and `lora_B`."""
    DIFFUSERS = "diffusers"
    """The same paths with diffusers' older endings: `lora.down`, `processor.to_q_lora.up`."""
    COMFY = "comfy"
    """`diffusion_model.…` and the denoiser's own path: ai-toolkit, ComfyUI."""
    XLABS = "xlabs"
    """`double_blocks.N.processor.qkv_lora1.…`."""
    ORIGINAL = "original"
    """The denoiser's own paths, and nothing before them."""


class Ending(NamedTuple):
    """What the last steps of a tensor's name say about it."""

    start: int
    """Where they begin: before them stands the module."""
    kind: str
    """Which piece of the adapter it is, such as `lora_down`; a bias is `lora_up.bias`."""
    module: str = ""
    """Steps that the ending hides: XLabs' `_lora2` is the text's attention."""


class Place(NamedTuple):
    """Which module a tensor adapts."""

    model: str
    """`denoiser`, `prior`, `text`, `text_1`, `text_2`, `text_3` or `text_4`."""
    start: int
    """Where the module's path begins in the tensor's name."""
    is_flat: bool
    """True where underscores join the steps, so that nobody can tell a step from a word."""
    naming: AdapterNaming
    """Whose prefix it was."""


# The first group is the kind. A bias of the second matrix is as long as the module is wide. kohya
# counts the rotations of a module whose parts are rotated apart.
_ENDING = re.compile(
    r"\.(lora_(?:down|up|mid|A|B|E|magnitude_vector)|ranknum|lora\.(?:down|up)|lora_linear_layer\.(?:down|up)"
    r"|hada_(?:w[12]_[ab]|t[12])|lokr_(?:w[12](?:_[ab])?|t[12])"
    r"|oft_(?:blocks|diag|R)|boft_[Rs]|rescale|ia3_l|on_input"
    r"|[ab][12](?=\.weight$)|diff_b|diff|set_weight|set_bias|w_norm|b_norm"
    r"|dora_scale|alpha|scalar|reshape_weight)"
    r"(?:\.(?!weight$|bias$)[\w-]+|(?<=oft_blocks)\.#)?(\.weight|\.bias)?$"
    r"|_lora([12]?)\.(down|up)(?:\.weight)?$"
)
# XLabs counts the streams of a double block; diffusers kept the output in a list of two.
_STREAMS = {"1": "img_attn", "2": "txt_attn"}


def ending_of(name: str) -> Ending | None:
    """Return the end that makes a tensor a piece of an adapter, or None.

    Example:
        >>> ending_of("unet.conv_in.lora_A.default.weight")
        Ending(start=12, kind='lora_A', module='')
    """
    found = _ENDING.search(name)
    if found is None:
        return None
    kind, weight, stream, old = found.groups()
    if kind is None:
        # `processor.to_q_lora.down`: the module's name ends where `_lora` begins.
        return Ending(found.start(), f"lora_{old}", _STREAMS.get(stream, ""))
    kind = kind.replace("lora.", "lora_").replace("lora_linear_layer.", "lora_")
    return Ending(found.start(), f"{kind}.bias" if weight == ".bias" else kind)


_FLAT = {
    "lora_unet_": ("denoiser", AdapterNaming.KOHYA),
    "lora_prior_unet_": ("prior", AdapterNaming.KOHYA),
    "lora_transformer_": ("denoiser", AdapterNaming.ONETRAINER),
    "Hunyuan_video_I2V_lora_": ("denoiser", AdapterNaming.KOHYA),
    "oft_unet_": ("denoiser", AdapterNaming.KOHYA),
    "lycoris_": ("denoiser", AdapterNaming.LYCORIS),
    "lora_te1_": ("text_1", AdapterNaming.KOHYA),
    "lora_te2_": ("text_2", AdapterNaming.KOHYA),
    "lora_te3_": ("text_3", AdapterNaming.KOHYA),
    "lora_te4_": ("text_4", AdapterNaming.KOHYA),
    "lora_te_": ("text", AdapterNaming.KOHYA),
    "lora_prior_te_": ("text", AdapterNaming.KOHYA),
}
_DOTTED = {
    "base_model.model.": ("", AdapterNaming.PEFT),
    "model.diffusion_model.": ("denoiser", AdapterNaming.COMFY),
    "diffusion_model.": ("denoiser", AdapterNaming.COMFY),
    "transformer_2.": ("denoiser", AdapterNaming.PEFT),
    "transformer.": ("denoiser", AdapterNaming.PEFT),
    "unet.": ("denoiser", AdapterNaming.PEFT),
    "prior.": ("prior", AdapterNaming.PEFT),
    "text_encoder.": ("text", AdapterNaming.PEFT),
    "text_encoder_2.": ("text_2", AdapterNaming.PEFT),
    "text_encoder_3.": ("text_3", AdapterNaming.PEFT),
    "text_encoder_4.": ("text_4", AdapterNaming.PEFT),
    "text_encoders.clip_l.transformer.": ("text_1", AdapterNaming.COMFY),
    "text_encoders.clip_g.transformer.": ("text_2", AdapterNaming.COMFY),
    "text_encoders.t5xxl.transformer.": ("text_3", AdapterNaming.COMFY),
    "clip_l.": ("text_1", AdapterNaming.ORIGINAL),
    "clip_g.": ("text_2", AdapterNaming.ORIGINAL),
    "t5xxl.": ("text_3", AdapterNaming.ORIGINAL),
    "t5.": ("text_3", AdapterNaming.ORIGINAL),
    "module.": ("", AdapterNaming.ORIGINAL),
    "_orig_mod.": ("", AdapterNaming.ORIGINAL),
    "net.": ("", AdapterNaming.ORIGINAL),
    "model.": ("", AdapterNaming.ORIGINAL),
}
# In this order: `model.` begins a longer one, which stands before it.
_PREFIX = re.compile("|".join(map(re.escape, (*_FLAT, *_DOTTED))))


def place_of(stem: str) -> Place:
    """Say which module *stem*, a tensor's name without its ending, means.

    Example:
        >>> place_of("lora_unet_mid_block_attentions_0_proj_in")
        Place(model='denoiser', start=10, is_flat=True, naming=<AdapterNaming.KOHYA: 'kohya'>)
    """
    at, naming = 0, AdapterNaming.ORIGINAL
    while found := _PREFIX.match(stem, at):
        prefix = found[0]
        if prefix in _FLAT:
            model, flat = _FLAT[prefix]
            # ComfyUI's own extraction writes two underscores.
            double = stem.startswith("_", found.end())
            return Place(model, found.end() + double, is_flat=True, naming=flat)
        model, dotted = _DOTTED[prefix]
        at, naming = found.end(), dotted if naming is AdapterNaming.ORIGINAL else naming
        if model:
            return Place(model, at, is_flat=False, naming=naming)
    return Place("denoiser", at, is_flat=False, naming=naming)


_NUMBER = re.compile(r"[._]([0-9]+)(?=[._])")
_BETWEEN = re.compile(r"(?<=[._])[0-9]+(?=[._])")
# Apart, because a pattern that begins with one known letter is looked for many times faster.
_NUMBER_AFTER_DOT = re.compile(r"\.[0-9]+(?=[._])")
_NUMBER_AFTER_UNDERSCORE = re.compile(r"_[0-9]+(?=[._])")
_LONGEST = 9
"""Digits that are read: no model has more blocks, and Python refuses to read thousands."""


def numbers_of(path: str) -> tuple[str, tuple[int, ...]]:
    """Return *path* with `#` for each step that is a number, and the numbers.

    Example:
        >>> numbers_of("blocks.3.ffn.0")
        ('blocks.#.ffn.#', (3, 0))
        >>> numbers_of("time_embedding.linear_1")
        ('time_embedding.linear_#', (1,))
    """
    numbers = _NUMBER.findall(f".{path}.")
    return fold_path(path), tuple(int(number[:_LONGEST]) for number in numbers)


def fold_path(path: str) -> str:
    """Return *path* with `#` for each step that is a number.

    Example:
        >>> fold_path("time_embedding.linear_1")
        'time_embedding.linear_#'
    """
    text = _NUMBER_AFTER_DOT.sub(".#", f".{path}.")
    return _NUMBER_AFTER_UNDERSCORE.sub("_#", text)[1:-1]


_Numbers = list[tuple[int, ...]]
Numbered = dict[tuple[str, ...], _Numbers]
"""What `numbers_of_all` has found before."""


def numbers_of_all(paths: Sequence[str], known: Numbered | None = None) -> _Numbers:
    """Return the numbers of each of *paths*, which are equal but for their numbers.

    What stands between the numbers is known from the first path, and taken out of all of them as one
    text: that costs a third of looking for the numbers.

    Args:
        paths: One or more.
        known: What was found before, for callers that ask about the modules of one model, most of
            which stand in the same blocks; the answer is noted there.
    """
    if "#" in paths[0]:
        # Somebody wrote it so, and others may have a number there.
        return [numbers_of(path)[1] for path in paths]
    # With separators inside, each is a run of whole steps, so that it hides no number elsewhere.
    head, *between = _BETWEEN.split(f".{paths[0]}.")
    count = len(between)
    if not count:
        return [()] * len(paths)
    start, tail = len(head) - 1, len(between.pop()) - 1
    text = "\n".join([path[start : len(path) - tail] for path in paths])
    is_usual = "\n".join(("", *paths)).count(f"\n{head[1:]}") == len(paths)
    if not is_usual:
        # Somebody wrote the end of a line into a name, or put a frame around a few.
        return [numbers_of(path)[1] for path in paths]
    key = text, *between
    numbers = None if known is None else known.get(key)
    if numbers is None:
        numbers = _numbers_in(text, between, len(paths))
        if numbers is None:
            return [numbers_of(path)[1] for path in paths]
        if known is not None:
            known[key] = numbers
    return numbers


class Cut(NamedTuple):
    """Where the numbers stand in the path of a module."""

    head: str
    """The name up to the first number."""
    between: tuple[str, ...]
    """What stands between them."""
    tail: str
    """What follows the last; empty where there is no number, as all of the path is head then."""
    is_numbered: bool
    """False where there is no number."""


def cut_of(prefix: str, folded: str) -> Cut | None:
    """Return where the numbers stand in a path behind *prefix*; None where there may be others before it.

    Args:
        prefix: What stands before the path.
        folded: What `fold_path` makes of the path; nobody wrote a `#` into that.

    Example:
        >>> cut_of("unet.", "down.#.attn.#.to_q")
        Cut(head='unet.down.', between=('.attn.',), tail='.to_q', is_numbered=True)
    """
    if _BETWEEN.search(prefix):
        return None
    head, *between = folded.split("#")
    if not between:
        return Cut(prefix + head, (), "", is_numbered=False)
    *between, tail = between
    return Cut(prefix + head, tuple(between), tail, is_numbered=True)


def numbers_by_cut(names: Sequence[str], cut: Cut, ending: int, known: Numbered) -> _Numbers | None:
    """Return the numbers in each of *names*, which are equal but for these; None if there is doubt.

    Args:
        names: One or more, with the endings that make them pieces.
        cut: Where the numbers stand in the first of them.
        ending: Length of the endings.
        known: What was found before. The same numbers are the same list.
    """
    if not cut.is_numbered:
        return known.setdefault((), [()]) if len(names) == 1 else None
    piece = itemgetter(slice(len(cut.head), -ending - len(cut.tail)))
    text = "\n".join(map(piece, names))
    key = text, *cut.between
    numbers = known.get(key)
    if numbers is None:
        numbers = _numbers_in(text, cut.between, len(names))
        if numbers is not None:
            known[key] = numbers
    return numbers


def _numbers_in(text: str, between: Sequence[str], count: int) -> _Numbers | None:
    """Return the numbers in each of *count* lines, or None where there is anything else."""
    for one in sorted(set(between), key=len, reverse=True):
        text = text.replace(one, "\n")
    found = text.split("\n")
    values = {one: int(one[:_LONGEST]) for one in set(found) if one.isascii() and one.isdigit()}
    if len(found) != (len(between) + 1) * count or len(values) != len(set(found)):
        return None
    return list(zip(*[map(values.__getitem__, found)] * (len(between) + 1), strict=True))
