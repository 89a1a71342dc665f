"""Names that differ in block numbers only, brought together: thousands of tensors, a few hundred names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain, zip_longest

__all__ = ["fold", "group_by_fold"]

_KOHYA = ("lora_unet_", "lora_te", "lora_transformer_", "lora_prior_unet_", "oft_unet_", "lycoris_")
_AFTER_DOT = re.compile(r"\.[0-9]+(?=[.\n])")
_AT_START = re.compile(r"\n[0-9]+(?=[.\n])")
_AFTER_UNDERSCORE = re.compile(r"_[0-9]+(?=[._\n])")
_AFTER_COLON = re.compile(r":[0-9]+(?=[:\n])")
_FEW = 6
"""Names with the same words from which one look at all of them is quicker than folding each."""
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


def group_by_fold(names: Sequence[str]) -> dict[str, list[str]]:
    """Return folded name → the names that fold to it, which are all of *names*.

    Names that are equal but for their digits are folded once: where a run of digits is a step, and where
    it is a part of a word, is the same for all of them. That costs half of folding each.

    Example:
        >>> group_by_fold(["blocks.0.norm1", "blocks.0.norm2", "blocks.1.norm1"])
        {'blocks.#.norm1': ['blocks.0.norm1', 'blocks.1.norm1'], 'blocks.#.norm2': ['blocks.0.norm2']}
    """
    found: dict[str, list[str]] = {}
    text = "\n".join(names)
    if text.count("\n") + 1 != len(names):
        _add_each(found, names, fold(names))
        return found
    # A name in a pickle may hold half a surrogate pair.
    encoded = text.encode("utf-8", "surrogatepass").translate(_AS_ZEROES)
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for zeroed, name in zip(
        encoded.decode("utf-8", "surrogatepass").split("\n"), names, strict=True
    ):
        alike[zeroed].append(name)
    lines = _as_lines(alike)
    is_flat = _is_flat(lines)
    parts: list[tuple[str | None, list[str]]] = []
    vain = 0
    for (zeroed, own), folded in zip(
        alike.items(), _fold_lines(lines, is_flat=is_flat), strict=True
    ):
        if "0" not in folded:
            parts.append((folded, own))
            continue
        # Digits that are left belong to words, and tell names apart.
        parted = _by_words(zeroed, folded, own) if len(own) >= _FEW > vain else None
        vain += parted is None and len(own) >= _FEW
        parts += parted or ((None, own),)
    various = [name for folded, own in parts if folded is None for name in own]
    rest = iter(_fold_lines(_as_lines(various), is_flat=is_flat))
    for written, same in parts:
        if written is None:
            _add_each(found, same, rest)
        elif (known := found.get(written)) is None:
            found[written] = same
        else:
            known += same
    return found


def _add_each(found: dict[str, list[str]], names: Iterable[str], folds: Iterable[str]) -> None:
    # Names end first: of an iterator nothing is taken that belongs to the names behind these.
    for name, folded in zip(names, folds, strict=False):
        found.setdefault(folded, []).append(name)


def _by_words(zeroed: str, folded: str, names: list[str]) -> list[tuple[str, list[str]]] | None:
    """Part names that are equal but for their digits by those digits that folding leaves.

    Returns:
        Folded name → names; None where their words differ so much that folding each is quicker.
    """
    text, length = "\n".join(names), len(zeroed) + 1
    # All names are equally long, so that each place is a column of the text.
    columns = [text[place::length] for place in _places_of_words(zeroed, folded)]
    first, *rest = columns
    keys: Iterable[Sequence[str]] = first
    after = ""
    if all(column.count(column[0]) == len(names) for column in rest):
        # One digit tells them apart, or none.
        after = "".join(column[0] for column in rest)
        if first.count(first[0]) == len(names):
            return [(_filled(folded, first[0] + after), names)]
    else:
        keys = list(zip(*columns, strict=True))
    if len(set(keys)) * _FEW > len(names):
        return None
    parted: defaultdict[Sequence[str], list[str]] = defaultdict(list)
    for key, name in zip(keys, names, strict=True):
        parted[key].append(name)
    return [(_filled(folded, (*key, *after)), own) for key, own in parted.items()]


def _places_of_words(zeroed: str, folded: str) -> list[int]:
    """Return where in *zeroed* the digits stand that *folded* still has."""
    places: list[int] = []
    at = 0
    for piece in folded.split("#"):
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


def _filled(folded: str, digits: Sequence[str]) -> str:
    if len(digits) == 1:
        return folded.replace("0", digits[0])
    return "".join(chain.from_iterable(zip_longest(folded.split("0"), digits, fillvalue="")))
