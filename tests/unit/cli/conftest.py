from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from modelshelf.cli import shelf

Run = Callable[..., "Done"]


@dataclass(frozen=True, slots=True)
class Done:
    """How one run of the command ended."""

    exit: int
    """Its exit status."""
    out: str
    """What it printed as data."""
    err: str
    """What it said beside that."""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `shelf` on a library of its own, as a pipe would see it."""

    def invoke(*words: str | Path, given: str | None = None) -> Done:
        arguments = ["--root", str(tmp_path / "library"), *map(str, words)]
        result = CliRunner().invoke(shelf, arguments, prog_name="shelf", input=given)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Done(result.exit_code, result.stdout, result.stderr)

    return invoke
