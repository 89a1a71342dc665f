"""What a single file is written in: its first bytes decide, its suffix only where they are silent."""

from __future__ import annotations

from modelshelf.formats.opening import read_start
from modelshelf.formats.torch_tar import is_tar
from modelshelf.schema.source import SourceFile
from modelshelf.schema.tensor import Container
from modelshelf.schema.weight_suffix import CONTAINERS

__all__ = ["container_of"]


_MAGIC = (
    (b"GGUF", Container.GGUF),
    (b"PK\x03\x04", Container.PICKLE),
    *((bytes((0x80, protocol)), Container.PICKLE) for protocol in range(2, 6)),
)
_LENGTH = 8
_TAR_END = 512
"""Bytes of a tar archive's first header, its mark among them."""
_TORCH_NAMES = (
    "adapter_model", "diffusion_pytorch_model", "ip_adapter", "ip-adapter", "learned_embeds", "model",
    "pytorch_lora_weights", "pytorch_model",
)  # fmt: skip
"""What torch's `.bin` files are called; under other names anything may be called `.bin`."""


def container_of(file: SourceFile) -> Container:
    """Return what *file* is written in.

    A `.safetensors` file is taken at its word, so that a damaged one is called damaged. Others are
    looked into: people rename, and a checkpoint under `.ckpt` may well be safetensors.
    """
    suffix = "." + file.member.name.rpartition(".")[2].lower()
    claimed = CONTAINERS.get(suffix, Container.OTHER)
    if suffix == ".bin" and not file.member.name.startswith(_TORCH_NAMES):
        claimed = Container.OTHER
    if claimed is Container.SAFETENSORS:
        return claimed
    start = read_start(file.path, _TAR_END)
    length = int.from_bytes(start[:_LENGTH], "little")
    if start[_LENGTH : _LENGTH + 1] == b"{" and _LENGTH + length <= file.size:
        return Container.SAFETENSORS
    if is_tar(start):
        return Container.PICKLE
    return next((found for magic, found in _MAGIC if start.startswith(magic)), claimed)
