"""Names that differ in block numbers only, brought together: thousands of tensors, a few hundred names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from operator import itemgetter

__all__ = ["fold", "group_by_fold"]

_KOHYA = ("lora_unet_", "lora_te", "lora_transformer_", "lora_prior_unet_", "oft_unet_", "lycoris_")
_AFTER_DOT = re.compile(r"\.[0-9]+(?=[.\n])")
_AT_START = re.compile(r"\n[0-9]+(?=[.\n])")
_AFTER_UNDERSCORE = re.compile(r"_[0-9]+(?=[._\n])")
_AFTER_COLON = re.compile(r":[0-9]+(?=[:\n])")
_FEW = 6
"""Groups of as many names, all of whose words differ, from which on nobody looks whether some are alike."""
_AT_ONCE = 512
"""Names that are looked at together: as one text they fit into the cache, and take no new memory from
the system, which would cost as long as looking."""
_AS_ZEROES = bytes(ord("0") if chr(one) in "0123456789" else one for one in range(256))


def fold(names: Iterable[str]) -> list[str]:
    """Replace every step that is a number by `#`; digits inside a word stay.

    Steps end at dots; in kohya's names, which have no others, at underscores too. All names go
    through a pattern as one text, which costs a third of going one by one.

    Example:
        >>> fold(["input_blocks.4.1.attn2.to_k.weight", "lora_unet_mid_block_0_ff"])
        ['input_blocks.#.#.attn2.to_k.weight', 'lora_unet_mid_block_#_ff']
    """
    listed = list(names)
    if not listed:
        return []
    text = _as_lines(listed)
    if text.count("\n") != len(listed) + 1:
        return fold(name.replace("\n", " ") for name in listed)
    return _fold_lines(text, is_flat=_is_flat(text))


def _as_lines(names: Iterable[str]) -> str:
    return "\n" + "\n".join(names) + "\n"


def _is_flat(text: str) -> bool:
    """Say whether steps end at underscores: where one name is kohya's, in all of them."""
    return any(start in text for start in _KOHYA)


def _fold_lines(text: str, *, is_flat: bool) -> list[str]:
    text = _AFTER_DOT.sub(".#", text)
    if _AT_START.search(text):
        text = _AT_START.sub("\n#", text)
    if is_flat:
        text = _AFTER_UNDERSCORE.sub("_#", text)
    if ":" in text:
        text = _AFTER_COLON.sub(":#", text)
    return text.split("\n")[1:-1]


def group_by_fold(names: Sequence[str], *, longest: int | None = None) -> dict[str, list[str]]:
    """Return folded name → the names that fold to it, which are all of *names*.

    Names that are equal but for their digits are folded once: where a run of digits is a step, and where
    it is a part of a word, is the same for all of them. That costs half of folding each.

    Args:
        names: Each once.
        longest: Characters; a name that has more is left out. None takes all.

    Example:
        >>> group_by_fold(["blocks.0.norm1", "blocks.0.norm2", "blocks.1.norm1"])
        {'blocks.#.norm1': ['blocks.0.norm1', 'blocks.1.norm1'], 'blocks.#.norm2': ['blocks.0.norm2']}
    """
    alike = _group_by_zeroes(names)
    if longest is not None and any(len(zeroed) > longest for zeroed in alike or names):
        return group_by_fold([name for name in names if len(name) <= longest])
    if not alike:
        return _joined(zip(fold(names), ([name] for name in names), strict=True))
    lines = _as_lines(alike)
    is_flat = _is_flat(lines)
    folds = _fold_lines(lines, is_flat=is_flat)
    known: list[tuple[str, list[str]]] = []
    parted: list[list[str]] = []
    vain = 0
    for (zeroed, own), folded in zip(alike.items(), folds, strict=True):
        if "0" not in folded:
            known.append((folded, own))
        elif vain < _FEW:
            # Digits that are left belong to words, and tell names apart.
            ways = _part_by_words(zeroed, folded, own)
            vain += len(ways) == len(own) >= _FEW
            parted += ways
        else:
            parted += ([name] for name in own)
    if parted:
        firsts = _as_lines([own[0] for own in parted])
        known += zip(_fold_lines(firsts, is_flat=is_flat), parted, strict=True)
    return _joined(known)


def _group_by_zeroes(names: Sequence[str]) -> dict[str, list[str]] | None:
    """Return the names by what they are with `0` for every digit; None where one has the end of a line."""
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for start in range(0, len(names), _AT_ONCE):
        batch = names[start : start + _AT_ONCE]
        # A name in a pickle may hold half a surrogate pair.
        encoded = "\n".join(batch).encode("utf-8", "surrogatepass").translate(_AS_ZEROES)
        zeroes = encoded.decode("utf-8", "surrogatepass").split("\n")
        if len(zeroes) != len(batch):
            return None
        for zeroed, name in zip(zeroes, batch, strict=True):
            alike[zeroed].append(name)
    return alike


def _joined(folds: Iterable[tuple[str, list[str]]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for folded, names in folds:
        known = found.get(folded)
        if known is None:
            found[folded] = names
        else:
            known += names
    return found


def _part_by_words(zeroed: str, folded: str, names: list[str]) -> Collection[list[str]]:
    """Part names that are equal but for their digits by those digits that folding leaves."""
    if len(names) == 1:
        return (names,)
    digits_of = itemgetter(*_places_of_words(zeroed, folded))
    parted: defaultdict[object, list[str]] = defaultdict(list)
    for name in names:
        parted[digits_of(name)].append(name)
    return parted.values()


def _places_of_words(zeroed: str, folded: str) -> list[int]:
    """Return where in *zeroed* the digits stand that *folded* still has."""
    places: list[int] = []
    at = 0
    # Numbers of one digit, as most are, move nothing.
    for piece in folded.split("#") if len(folded) != len(zeroed) else (folded,):
        place = piece.find("0")
        while place >= 0:
            places.append(at + place)
            place = piece.find("0", place + 1)
        at += len(piece)
        if zeroed.startswith("#", at):
            # Somebody wrote it so.
            at += 1
            continue
        while zeroed.startswith("0", at):
            at += 1
    return places
