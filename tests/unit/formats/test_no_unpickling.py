from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import modelshelf

SOURCE = Path(modelshelf.__file__).parent
UNPICKLERS = {"cloudpickle", "cPickle", "dill", "joblib", "marshal", "pickle", "shelve"}


def imports(tree: ast.AST) -> Iterator[str]:
    """Names of the top-level packages that a module imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name.partition(".")[0] for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize(
    "path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE))
)
def test_no_module_can_unpickle(path: Path) -> None:
    """What cannot be reached cannot be misused: no unpickler, and no `torch.load`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not UNPICKLERS & set(imports(tree))
    loads = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr == "load"
        and isinstance(node.value, ast.Name)
        and node.value.id == "torch"
    ]
    assert not loads
