"""Safetensors files as the reference writer would write them, made of pieces of another file.

Who saves the same tensors with current diffusers gets the same file, byte for byte; so a VAE that came
inside a checkpoint and one that came in a folder are stored once.

Source: `serialize` in `safetensors/src/tensor.rs` of huggingface/safetensors: eight bytes of header
length, compact JSON with `__metadata__` first, tensors by dtype and then by name, spaces up to a
multiple of 8. Metadata as diffusers and transformers write it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from modelshelf.convert.mapping import UnconvertibleError
from modelshelf.schema.member import MemberPath
from modelshelf.schema.recipe import DerivedFile, Literal, Piece
from modelshelf.schema.source import SourceFile
from modelshelf.schema.tensor import TensorEntry

__all__ = ["literal_file", "tensor_file"]

# The writer's own order, largest first.
_ORDER = (
    "U64", "I64", "F64", "C64", "F32", "U32", "I32", "BF16", "F16", "U16", "I16",
    "F8_E8M0", "F8_E4M3", "F8_E5M2", "I8", "U8", "BOOL",
)  # fmt: skip
_PLAIN = re.compile(r"[ !#-\[\]-~]*")
"""Text that JSON writes as it is."""
_RANK = {dtype: rank for rank, dtype in enumerate(_ORDER)}


def tensor_file(
    name: str, source: SourceFile, tensors: Mapping[str, tuple[TensorEntry, Piece]]
) -> DerivedFile:
    """Lay tensors out as the reference writer does.

    Args:
        name: Of the file, inside its part.
        source: Where the pieces are.
        tensors: Name → dtype, shape and length, and the bytes.

    Raises:
        UnconvertibleError: A dtype is none that safetensors has.
    """
    for tensor, (entry, _) in tensors.items():
        if entry.dtype not in _RANK:
            raise UnconvertibleError(reason=f"`{tensor}` is of type {entry.dtype}")
    ordered = sorted(tensors.items(), key=lambda item: (_RANK[item[1][0].dtype], item[0]))
    entries = ['"__metadata__":{"format":"pt"}']
    begin = 0
    # Put together by hand: the encoder takes several times as long for so many small objects.
    is_plain = _PLAIN.fullmatch("".join(tensors)) is not None
    for tensor, (entry, piece) in ordered:
        end = begin + piece.length
        quoted = f'"{tensor}"' if is_plain else json.dumps(tensor, ensure_ascii=False)
        sides = ",".join(map(str, entry.shape))
        entries.append(
            f'{quoted}:{{"dtype":"{entry.dtype}","shape":[{sides}],"data_offsets":[{begin},{end}]}}'
        )
        begin = end
    text = f"{{{','.join(entries)}}}".encode()
    text += b" " * (-len(text) % 8)
    start = Literal(len(text).to_bytes(8, "little") + text)
    pieces = (start, *(piece for _, (_, piece) in ordered if piece.length))
    return DerivedFile(MemberPath(name), source, pieces, start.length + begin)


def literal_file(name: str, source: SourceFile, content: bytes) -> DerivedFile:
    """Make a file of bytes that are in no other."""
    return DerivedFile(MemberPath(name), source, (Literal(content),), len(content))
