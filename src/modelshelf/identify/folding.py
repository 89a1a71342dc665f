"""Names that differ in block numbers only, brought together: thousands of tensors, a few hundred names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, zip_longest

__all__ = ["fold", "group_by_fold"]

_KOHYA = ("lora_unet_", "lora_te", "lora_transformer_", "lora_prior_unet_", "lycoris_")
_AFTER_DOT = re.compile(r"\.[0-9]+(?=[.\n])")
_AT_START = re.compile(r"\n[0-9]+(?=[.\n])")
_AFTER_UNDERSCORE = re.compile(r"_[0-9]+(?=[._\n])")
_AFTER_COLON = re.compile(r":[0-9]+(?=[:\n])")
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
    text = "\n" + "\n".join(listed) + "\n"
    if text.count("\n") != len(listed) + 1:
        return fold(name.replace("\n", " ") for name in listed)
    text = _AFTER_DOT.sub(".#", text)
    if _AT_START.search(text):
        text = _AT_START.sub("\n#", text)
    if any(start in text for start in _KOHYA):
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
        for name, folded in zip(names, fold(names), strict=True):
            found.setdefault(folded, []).append(name)
        return found
    # A name in a pickle may hold half a surrogate pair.
    encoded = text.encode("utf-8", "surrogatepass").translate(_AS_ZEROES)
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for zeroed, name in zip(
        encoded.decode("utf-8", "surrogatepass").split("\n"), names, strict=True
    ):
        alike[zeroed].append(name)
    for (zeroed, own), folded in zip(alike.items(), fold(alike), strict=True):
        # Digits that are left belong to words, and tell names apart.
        apart = _by_words(zeroed, folded, own) if "0" in folded else ((folded, own),)
        for written, same in apart:
            known = found.get(written)
            if known is None:
                found[written] = same
            else:
                known += same
    return found


def _by_words(zeroed: str, folded: str, names: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Part names that are equal but for their digits by those digits that folding leaves."""
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
            yield _filled(folded, first[0] + after), names
            return
    else:
        keys = zip(*columns, strict=True)
    parted: defaultdict[Sequence[str], list[str]] = defaultdict(list)
    for key, name in zip(keys, names, strict=True):
        parted[key].append(name)
    for key, own in parted.items():
        yield _filled(folded, (*key, *after)), own


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
