"""A command line with a library and a hub, as a user has them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from modelshelf.cli import shelf
from tests.hubs import HuggingFaceHub

__all__ = ["SHELF", "Desk"]

SHELF = Path(sys.executable).parent / "shelf"


class Desk:
    """A library, and a hub that its settings name."""

    def __init__(self, folder: Path, hub: HuggingFaceHub) -> None:
        self.folder = folder
        self.environ = {
            "MODELSHELF_ROOT": str(folder / "shelf"),
            "HF_ENDPOINT": hub.url,
            "HF_HOME": str(folder / "hf"),
            "HF_TOKEN": "",
            # The hosts of tests are on this machine.
            "MODELSHELF_DOWNLOAD__PRIVATE_ADDRESSES": "as-named",
            "NO_COLOR": "1",
        }

    def run(self, *words: str | Path, given: str | None = None) -> Result:
        result = CliRunner().invoke(
            shelf, list(map(str, words)), prog_name="shelf", env=self.environ, input=given
        )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def data(self, *words: str | Path) -> Any:  # noqa: ANN401 - a JSON document
        result = self.run("--json", *words)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    def start(self, *words: str | Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [SHELF, *words],
            env=os.environ | self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
