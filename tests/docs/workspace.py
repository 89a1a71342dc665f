"""The folder in which every example of the documentation runs, and how its console blocks do."""

from __future__ import annotations

import doctest
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from sybil import Example

from modelshelf.testing import tiny

__all__ = ["Workspace", "evaluate_console", "make_models"]

_MATCH = doctest.ELLIPSIS | doctest.REPORT_NDIFF


def make_models(folder: Path) -> None:
    """Make the models that the documentation speaks of: small, and of the published layout."""
    tiny.pipeline(folder / "stable-diffusion-1-5", base="sd-1", seed=1)
    tiny.pipeline(folder / "stable-diffusion-inpainting", base="sd-1", seed=2, inpaint=True)
    tiny.lora(folder / "LoWRA.safetensors", base="sd-1")
    tiny.vae(folder / "sd-vae", base="sd-1", seed=3, folder=True, scaling_factor=0.18215)


class Workspace:
    """A temporary working directory with `models/` if wanted, and a library of its own in `library/`."""

    def __init__(self, *, models: bool) -> None:
        self._models = models
        self._folder = tempfile.TemporaryDirectory(prefix="modelshelf-docs-")
        self._before = Path.cwd()
        self._environment = dict(os.environ)
        self._at_the_end = ExitStack()

    def enter(self, namespace: dict[str, object]) -> None:
        """Go there, before the first example of a document."""
        root = Path(self._folder.name)
        if self._models:
            make_models(root / "models")
        os.chdir(root)
        for name in [name for name in os.environ if name.startswith("MODELSHELF_")]:
            del os.environ[name]
        os.environ.update(
            MODELSHELF_ROOT=str(root / "library"),
            COLUMNS="100",
            NO_COLOR="1",
            PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        )
        # The one fixture that docstrings ask for, by pytest's own word for it.
        namespace["getfixture"] = {"tmp_path": root}.__getitem__
        # What a document starts ends with it, also when an example fails.
        namespace["at_the_end"] = self._at_the_end

    def leave(self) -> None:
        """Go back, after the last."""
        self._at_the_end.close()
        os.chdir(self._before)
        os.environ.clear()
        os.environ.update(self._environment)
        self._folder.cleanup()


def evaluate_console(example: Example) -> str | None:
    """Run a block's `$ ` lines and compare what they print; `...` stands for anything.

    Returns:
        What is wrong, or None.
    """
    checker = doctest.OutputChecker()
    for step in ("\n" + str(example.parsed)).split("\n$ ")[1:]:
        command, _, rest = step.partition("\n")
        expected = rest.rstrip("\n") + "\n"
        done = subprocess.run(
            ["bash", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        got = done.stdout.decode("utf-8", "replace").rstrip("\n") + "\n"
        if not checker.check_output(expected, got, _MATCH):
            shown = doctest.Example(command, expected)
            return f"$ {command}\n{checker.output_difference(shown, got, _MATCH)}"
    return None
