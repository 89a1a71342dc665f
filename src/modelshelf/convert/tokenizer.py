"""CLIP's tokenizer, which no checkpoint carries and every pipeline needs.

All of CLIP's text encoders were trained with one vocabulary: 256 bytes, the same bytes at the end of a
word, one token for each of 48,894 merges, and two marks. So the merges are all there is to keep, and
`merges.txt` and `vocab.json` come out as the published folders have them, byte for byte
(Git blobs 76e821f1b6f0 and 469be27c5c01), and are shared with them.

Source: `bpe_simple_vocab_16e6.txt.gz` of openai/CLIP (MIT License, Copyright (c) 2021 OpenAI), the first
48,894 merges of it; `bytes_to_unicode` as described in its `simple_tokenizer.py`.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

__all__ = ["tokenizer_files"]

_START, _END = "<|startoftext|>", "<|endoftext|>"


def tokenizer_files(*, pad: str = _END) -> dict[str, bytes]:
    """Return the files of a tokenizer folder by name.

    Args:
        pad: The token that fills up short texts: the end mark for CLIP-L, `!` for OpenCLIP's.

    Example:
        >>> {name: len(content) for name, content in tokenizer_files().items()}["vocab.json"]
        1059962
    """
    return {
        "merges.txt": _merges(),
        "special_tokens_map.json": _json(_special(pad)),
        "tokenizer_config.json": _json(_config(pad)),
        "vocab.json": _vocabulary(),
    }


@cache
def _merges() -> bytes:
    packed = files("modelshelf.convert").joinpath("clip_merges.txt.xz").read_bytes()
    return lzma.decompress(packed)


@cache
def _vocabulary() -> bytes:
    letters = list(_letters())
    merged = [line.replace(" ", "") for line in _merges().decode().splitlines()[1:]]
    tokens = [*letters, *(letter + "</w>" for letter in letters), *merged, _START, _END]
    numbers = {token: number for number, token in enumerate(tokens)}
    return _json(numbers, ensure_ascii=False)


def _letters() -> Iterator[str]:
    """Yield a visible character for each byte: its own where it has one, else one from U+0100 on."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    yield from map(chr, visible)
    yield from map(chr, range(0x100, 0x100 + 256 - len(visible)))


def _json(value: object, *, ensure_ascii: bool = True) -> bytes:
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=ensure_ascii)
    return f"{text}\n".encode()


_MARK = MappingProxyType(
    {"lstrip": False, "normalized": True, "rstrip": False, "single_word": False}
)


def _special(pad: str) -> dict[str, Any]:
    return {
        "bos_token": {"content": _START, **_MARK},
        "eos_token": {"content": _END, **_MARK},
        "pad_token": pad,
        "unk_token": {"content": _END, **_MARK},
    }


def _config(pad: str) -> dict[str, Any]:
    special = {
        name: value if isinstance(value, str) else {"__type": "AddedToken", **value}
        for name, value in _special(pad).items()
    }
    return {
        **special,
        "add_prefix_space": False,
        "do_lower_case": True,
        "errors": "replace",
        "model_max_length": 77,
        "tokenizer_class": "CLIPTokenizer",
    }
