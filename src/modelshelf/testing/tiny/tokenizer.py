"""Small tokenizers with every file that transformers asks for and a vocabulary of our own.

Source: the files of the published `tokenizer/` folders of sd-1 and sd-2, and of T5 in sd-3 and
flux.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from types import MappingProxyType

from modelshelf.testing.tiny.config import json_bytes

__all__ = ["VOCABULARY", "clip_tokenizer_files", "t5_tokenizer_files"]

LETTERS = tuple(string.ascii_lowercase + string.digits + ".,:;!?'\"()[]{}<>+-*/=_#@&%$~^|")
MERGES = (
    "a n",
    "o n</w>",
    "i n",
    "t h",
    "th e</w>",
    "c a",
    "ca t</w>",
    "d o",
    "do g</w>",
    "o f</w>",
    "p h",
    "o t",
)
START, END = "<|startoftext|>", "<|endoftext|>"

VOCABULARY = 2 * len(LETTERS) + len(MERGES) + 2
"""Entries of `vocab.json`: letters, letters that end a word, merges, start and end."""


def clip_tokenizer_files(*, pad: str = END) -> Mapping[str, bytes]:
    """The files of a CLIP tokenizer folder.

    Args:
        pad: The padding token: the end token in CLIP-L, `!` in OpenCLIP.

    Example:
        >>> sorted(clip_tokenizer_files())
        ['merges.txt', 'special_tokens_map.json', 'tokenizer_config.json', 'vocab.json']
    """
    words = [*LETTERS, *(f"{letter}</w>" for letter in LETTERS)]
    words += [merge.replace(" ", "") for merge in MERGES] + [START, END]
    start, end = (_special(token, normalized=True) for token in (START, END))
    config = {
        "add_prefix_space": False,
        "bos_token": {"__type": "AddedToken", **start},
        "do_lower_case": True,
        "eos_token": {"__type": "AddedToken", **end},
        "errors": "replace",
        "model_max_length": 77,
        "name_or_path": "openai/clip-vit-large-patch14",
        "pad_token": pad,
        "special_tokens_map_file": "./special_tokens_map.json",
        "tokenizer_class": "CLIPTokenizer",
        "unk_token": {"__type": "AddedToken", **end},
    }
    return MappingProxyType(
        {
            "merges.txt": "\n".join(("#version: 0.2", *MERGES, "")).encode(),
            "special_tokens_map.json": json_bytes(
                {"bos_token": start, "eos_token": end, "pad_token": pad, "unk_token": end}
            ),
            "tokenizer_config.json": json_bytes(config),
            "vocab.json": json_bytes(
                {word: number for number, word in enumerate(words)}, indent=None
            ),
        }
    )


def t5_tokenizer_files() -> Mapping[str, bytes]:
    """The files of a T5 tokenizer folder, in the form that needs no sentencepiece model.

    Example:
        >>> sorted(t5_tokenizer_files())
        ['special_tokens_map.json', 'tokenizer.json', 'tokenizer_config.json']
    """
    pieces: list[list[object]] = [["<pad>", 0.0], ["</s>", 0.0], ["<unk>", 0.0], ["\u2581", -2.0]]
    pieces += [[letter, -3.0 - number / 64] for number, letter in enumerate(LETTERS)]
    special = {token: _special(text) for token, text in _T5_SPECIAL.items()}
    added = [
        {"id": number, "special": True, **_special(text)}
        for number, text in enumerate(_T5_SPECIAL.values())
    ]
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Metaspace",
            "replacement": "\u2581",
            "prepend_scheme": "always",
            "split": True,
        },
        "post_processor": None,
        "decoder": {
            "type": "Metaspace",
            "replacement": "\u2581",
            "prepend_scheme": "always",
            "split": True,
        },
        "model": {"type": "Unigram", "unk_id": 2, "vocab": pieces, "byte_fallback": False},
    }
    config = {
        **_T5_SPECIAL,
        "clean_up_tokenization_spaces": True,
        "extra_ids": 0,
        "model_max_length": 512,
        "tokenizer_class": "T5Tokenizer",
    }
    return MappingProxyType(
        {
            "special_tokens_map.json": json_bytes(special),
            "tokenizer.json": json_bytes(tokenizer),
            "tokenizer_config.json": json_bytes(config),
        }
    )


_T5_SPECIAL = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}


def _special(text: str, *, normalized: bool = False) -> dict[str, object]:
    return {
        "content": text,
        "lstrip": False,
        "normalized": normalized,
        "rstrip": False,
        "single_word": False,
    }
