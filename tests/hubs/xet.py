"""A content-addressed store in a folder, which `hf_xet` reads as it reads the real one.

The library takes `local://` for a server's address, so that Xet can be tried without a network.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from tests.hubs.hugging_face import HuggingFaceHub

__all__ = ["store_in_xet"]

# In a process of its own: the library keeps threads running and warns of its own interface.
_PROGRAM = """
import json, sys, warnings
warnings.simplefilter("ignore")
import hf_xet
endpoint, *paths = sys.argv[1:]
stored = hf_xet.upload_files(paths, endpoint, None, None, None, "model")
print(json.dumps([one.hash for one in stored]))
"""


def store_in_xet(hub: HuggingFaceHub, repo_id: str, folder: Path) -> None:
    """Put the large files of *repo_id* into a store in *folder*, and let the hub's tokens lead there."""
    repository = hub.repositories[repo_id]
    endpoint = f"local://{folder}"
    for sha, files in repository.commits.items():
        large = [file for file in files.values() if file.is_large]
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM, endpoint, *(str(file.path) for file in large)],
            # It keeps logs and caches at home.
            env={**os.environ, "HF_HOME": str(folder / "home")},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        hashes = dict(zip((file.name for file in large), json.loads(done.stdout), strict=True))
        repository.commits[sha] = {
            name: replace(file, xet_hash=hashes.get(name)) for name, file in files.items()
        }
    hub.xet_endpoint = endpoint
