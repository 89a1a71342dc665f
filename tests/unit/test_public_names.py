from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import modelshelf

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(modelshelf.__path__, "modelshelf.")
    if "migrations" not in module.name and not module.name.endswith("__main__")
)


def test_every_public_name_can_be_imported() -> None:
    """What `__all__` promises is there, and nothing is promised twice."""
    assert len(set(modelshelf.__all__)) == len(modelshelf.__all__)
    assert [name for name in modelshelf.__all__ if not hasattr(modelshelf, name)] == []


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    """Fetching names late changes nothing about names that are not there."""
    with pytest.raises(AttributeError, match="no_such_name"):
        modelshelf.no_such_name  # noqa: B018


def test_importing_the_package_imports_nothing_else() -> None:
    """`import modelshelf` costs next to nothing until a name is used."""
    heavy = "import sys, modelshelf; print([m for m in sys.modules if m.startswith('modelshelf.')])"
    result = subprocess.run(
        [sys.executable, "-c", heavy], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_what_is_public(name: str) -> None:
    """`__all__` is sorted, complete and true; packages re-export on purpose."""
    module = importlib.import_module(name)
    public = getattr(module, "__all__", None)
    if public is None:
        assert Path(str(module.__file__)).name == "__init__.py", f"{name} has no __all__"
        return
    assert sorted(public) == sorted(set(public))
    assert [each for each in public if not hasattr(module, each)] == []


@pytest.mark.parametrize("name", MODULES)
def test_every_module_has_a_docstring(name: str) -> None:
    """A newcomer who opens the file knows what it is for."""
    assert importlib.import_module(name).__doc__
