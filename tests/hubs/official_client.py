"""Hugging Face's own client, run against a stand-in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.hubs.hugging_face import HuggingFaceHub

__all__ = ["download_snapshot"]

_PROGRAM = """
import sys
from huggingface_hub import snapshot_download
print(snapshot_download(sys.argv[1], revision=sys.argv[2] or None))
"""


def download_snapshot(
    hub: HuggingFaceHub, home: Path, repo_id: str, revision: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Download a repository with `huggingface_hub`, in a process of its own.

    It reads the environment when it is imported, so it cannot be pointed at a stand-in later.

    Args:
        hub: Where from.
        home: `HF_HOME`; the cache is `home / "hub"`.
        repo_id: What.
        revision: Branch, tag or commit; empty for `main`.
        environment: More variables, such as `HF_TOKEN`.

    Returns:
        What it said: on stdout the snapshot's folder, on stderr the error.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    variables = {
        **own,
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "DO_NOT_TRACK": "1",
        **environment,
    }
    return subprocess.run(
        [sys.executable, "-c", _PROGRAM, repo_id, revision],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
