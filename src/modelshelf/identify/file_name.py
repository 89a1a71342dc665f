"""What the name of a file or folder says the model is: the last evidence of all, and the weakest.

Users rename, so a name never stands against anything else that was read: it is asked only where all of
that leaves several answers, and may choose among them. Words count, not letters: `sdxl-vae` names SDXL,
and one that names two different models says nothing. `docs/decisions/0016-a-name-is-heard-last.md` says why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from modelshelf.schema.declared import Declared, Trust
from modelshelf.schema.shard_name import SHARD_NUMBERS
from modelshelf.schema.source import SourceTree
from modelshelf.schema.taxonomy import BaseModelType, SchedulerPredictionType
from modelshelf.schema.vocabulary import base_meant

__all__ = ["claims_of_name", "name_of"]

_WORD = re.compile(r"[0-9a-z]+")
_POINT = re.compile(r"(?<=[0-9a-z])\.(?=[0-9])")
"""In `wan2.1` and `flux.2` a number goes on; in `flux_2` it may count files, too."""
_LONGEST = 160
"""Characters of a name that are looked at."""
_MOST_WORDS = 6
"""Words that together name one model: `wan2.1_vace_14b` has four."""
_ORDINARY = frozenset(
    {
        "anima",
        "chroma",
        "cosmos",
        "helios",
        "latte",
        "lumina",
        "mochi",
        "ovi",
        "pony",
        "sana",
        "wan",
    }
)
"""Words that mean other things, too, or people: alone, or before
a number that may count files, they name no model, `wan2.1` and `ponyxl` do."""
_LOADERS = re.compile(
    r"(?:diffusion_pytorch_model|pytorch_model|pytorch_lora_weights|adapter_model|model|learned_embeds"
    r"|ip_adapter|open_clip_pytorch_model)"
    rf"(?:[.-](?:fp32|fp16|bf16|fp8[0-9a-z_]*|int8|ema|non_ema|{SHARD_NUMBERS}))*"
    r"\.[a-z]+(?:\.index(?:\.[0-9a-z_]+)?\.json)?"
)
"""Names that loaders ask for, which tell no more than bits and shards: the folder has the model's own."""
_COPY = re.compile(r"\([0-9]{1,3}\)")
"""What browsers put behind the name of a file that is there already."""
_PREDICTIONS = (
    (
        re.compile(r"(?:^|_)(?:v_?pred(?:iction)?|768_v)(?=_|$)"),
        SchedulerPredictionType.V_PREDICTION,
    ),
    (re.compile(r"(?:^|_)eps(?:ilon)?_?pred(?:iction)?(?=_|$)"), SchedulerPredictionType.EPSILON),
)
"""Words of a name, joined by underscores → what a UNet of SD predicts."""


def name_of(tree: SourceTree) -> str:
    """Return the name that somebody gave the model at *tree*.

    That is the file's or the folder's own, or the folder's around a file that is called as loaders ask for;
    of a snapshot in the Hugging Face cache, whose folder is called by a digest, the repository's.

    Example:
        >>> from modelshelf.formats import read_tree
        >>> from modelshelf.testing import tiny
        >>> folder = getfixture("tmp_path") / "sdxl-vae"
        >>> file = tiny.vae(folder / "diffusion_pytorch_model.safetensors", base="sdxl")
        >>> name_of(read_tree(file))
        'sdxl-vae'
    """
    root = tree.root
    if tree.is_file and _LOADERS.fullmatch(root.name):
        root = root.parent
    cached = root.parent.parent.name
    if root.parent.name == "snapshots" and cached.startswith("models--"):
        return cached.rpartition("--")[2]
    return root.name


def claims_of_name(name: str) -> tuple[Declared, ...]:
    """Return what *name* says: at most one statement of bases, and one of the prediction type.

    Where its words name several models, what all of these have in common is said, if anything.

    Args:
        name: Of a file or folder, with or without its ending. Untrusted text.

    Example:
        >>> [claim.bases[0].value for claim in claims_of_name("my-sdxl_vae.safetensors")]
        ['sdxl']
        >>> claims_of_name("sd15-to-sdxl.safetensors")
        ()
    """
    words = _WORD.findall(_POINT.sub("", _COPY.sub(" ", name[:_LONGEST].lower())))
    return (*_bases_said(name, words), *_prediction_said(name, "_".join(words)))


def _bases_said(name: str, words: list[str]) -> Iterator[Declared]:
    named = list(_named(words))
    common = [base for base in named[0] if all(base in bases for bases in named)] if named else []
    if common:
        yield _claim(name, bases=tuple(common))


def _named(words: list[str]) -> Iterator[tuple[BaseModelType, ...]]:
    """Yield the bases of each model that *words* name, of several readings the one with most words."""
    start = 0
    while start < len(words):
        if words[start][0].isdigit():
            # No model is called by a number alone, and most numbers count something.
            start += 1
            continue
        for end in range(min(start + _MOST_WORDS, len(words)), start, -1):
            bases = _meant(words[start:end])
            if bases:
                yield bases
                start = end
                break
        else:
            start += 1


def _meant(words: list[str]) -> tuple[BaseModelType, ...]:
    is_counted = len(words) > 1 and len(words[-1]) == 1 and words[-1].isdigit()
    if words[0] in _ORDINARY and len(words) == 1 + is_counted:
        return ()
    meaning = base_meant("".join(words))
    if meaning is None:
        return ()
    if is_counted:
        # The second file about FLUX, or one about FLUX.2.
        return tuple(dict.fromkeys((*meaning.bases, *_meant(words[:-1]))))
    return meaning.bases


def _prediction_said(name: str, words: str) -> Iterator[Declared]:
    said = [prediction for pattern, prediction in _PREDICTIONS if pattern.search(words)]
    if len(said) == 1:
        yield _claim(name, prediction=said[0])


def _claim(
    name: str,
    bases: tuple[BaseModelType, ...] = (),
    prediction: SchedulerPredictionType | None = None,
) -> Declared:
    return Declared(Trust.HINT, "name", name[:_LONGEST], bases=bases, prediction_type=prediction)
