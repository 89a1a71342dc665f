"""How the files are called that a large model is cut into: `model-00001-of-00003.safetensors`."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["SHARD_NUMBERS", "ShardName", "parse_shard_name", "without_shard_numbers"]

SHARD_NUMBERS = "[0-9]{5,6}-of-[0-9]{5,6}"
"""Pattern of which shard it is, and of how many: DeepSeek writes how many there are with six digits."""
_NAME = re.compile(
    r"(?P<stem>.+)-(?P<number>[0-9]{5,6})-of-(?P<all>[0-9]{5,6})(?P<ending>(?:\.\w+)*)"
)
_AT_END = re.compile(rf"-{SHARD_NUMBERS}$")


class ShardName(NamedTuple):
    """The name of one shard, in parts as they are written."""

    stem: str
    number: str
    all: str
    """How many shards the model has."""
    ending: str
    """Of the file: its suffix with the dot, and before that a variant that some writers put there."""

    @property
    def model(self) -> tuple[str, str, str]:
        """What all shards of one model share."""
        return self.stem, self.all, self.ending

    def sibling(self, number: int) -> str:
        """Return the name of another shard of the same model.

        Example:
            >>> parse_shard_name("model-00001-of-000163.safetensors").sibling(2)
            'model-00002-of-000163.safetensors'
        """
        return f"{self.stem}-{number:0{len(self.number)}}-of-{self.all}{self.ending}"


def parse_shard_name(name: str) -> ShardName | None:
    """Return the parts of *name*, a file's; None where it is no shard's.

    Example:
        >>> parse_shard_name("model-00001-of-00003.fp16.safetensors")
        ShardName(stem='model', number='00001', all='00003', ending='.fp16.safetensors')
        >>> parse_shard_name("model.safetensors") is None
        True

    Source: `split_torch_state_dict_into_shards` of huggingface_hub's documentation.
    """
    found = _NAME.fullmatch(name)
    return None if found is None else ShardName(*found.group("stem", "number", "all", "ending"))


def without_shard_numbers(text: str) -> str:
    """Return *text* without the numbers of a shard at its end.

    Example:
        >>> without_shard_numbers("fp16-00001-of-00003")
        'fp16'
    """
    return _AT_END.sub("", text)
