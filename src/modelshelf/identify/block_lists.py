"""In which blocks of its list each module stands: whole models have the same in all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from modelshelf.identify.layout import Group

__all__ = ["Block", "BlockLists", "block_lists"]

Block = str
"""All numbers in a name, with dots between: a tuple of them takes five times the memory."""
BlockLists = Mapping[str, Mapping[str, frozenset[Block]]]
"""Each list, folded up to its last number → its modules → the blocks that they stand in."""

_NUMBER = re.compile(r"\.([0-9]+)(?=\.)")
"""A step that is a number and not the last, in a name that has a dot before it."""


def block_lists(groups: Mapping[str, Group]) -> BlockLists:
    """Return the lists of one part of a file.

    Args:
        groups: Its tensors by folded name.

    Example:
        >>> from modelshelf.identify.layout import Layout
        >>> from modelshelf.schema.tensor import TensorEntry, TensorIndex
        >>> names = ("blocks.0.norm.weight", "blocks.1.norm.weight", "blocks.0.proj.weight", "out.weight")
        >>> layout = Layout(TensorIndex({name: TensorEntry("F16", (8,), 0, 16) for name in names}))
        >>> lists = block_lists(layout.groups(layout.leading))
        >>> {module: sorted(blocks) for module, blocks in lists["blocks."].items()}
        {'norm': ['0', '1'], 'proj': ['0']}
    """
    lists: dict[str, dict[str, frozenset[Block]]] = {}
    seen: dict[str, frozenset[Block]] = {}
    for folded, group in groups.items():
        head, number, last = folded.rpartition("#.")
        if number:
            modules = lists.setdefault(head, {})
            module = last.rpartition(".")[0]
            blocks = _blocks_of(group.names, seen)
            known = modules.setdefault(module, blocks)
            if known is not blocks:
                modules[module] = known | blocks
    return lists


def _blocks_of(names: Sequence[str], seen: dict[str, frozenset[Block]]) -> frozenset[Block]:
    """Return the blocks that tensors of these *names* stand in.

    Names are cut where the first of them has numbers, as one text: nearly all tensors of a list then
    leave a text that others have left before.

    Args:
        names: One or more, which may differ in anything.
        seen: Such texts → the blocks; grows.
    """
    first = f".{names[0]}"
    found = list(_NUMBER.finditer(first))
    if not found:
        return _one_by_one(names)
    head, tail = first[1 : found[0].start(1)], first[found[-1].end() :]
    # With the first once more, a boundary stands before and behind each of the others.
    lines, between = "\n".join((*names, names[0])), f"{tail}\n{head}"
    if not lines.count(between) == lines.count("\n") == len(names):
        # Not all of them begin and end as the first does.
        return _one_by_one(names)
    text = lines[len(head) : len(lines) - len(tail)].replace(between, "\n")
    blocks = seen.get(text)
    if blocks is None:
        blocks = seen[text] = _one_by_one(f"{line}." for line in text.split("\n"))
    return blocks


def _one_by_one(names: Iterable[str]) -> frozenset[Block]:
    return frozenset([".".join(_NUMBER.findall(f".{name}")) for name in names])
