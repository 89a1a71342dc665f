from __future__ import annotations

import json
from pathlib import Path

from modelshelf.schema.taxonomy import BaseModelType
from modelshelf.testing import tiny
from tests.shelves import open_shelf


def test_what_stands_beside_a_model_decides_what_its_tensors_leave_open(tmp_path: Path) -> None:
    """A VAE of three bases, and a sidecar that names one of them."""
    source = tiny.vae(tmp_path / "vae.safetensors", full=True, hollow=True)
    with open_shelf(tmp_path / "shelf") as shelf:
        assert shelf.plan(source).bases == (BaseModelType.UNKNOWN,)
        sidecar = {"baseModel": "SDXL 1.0", "model": {"type": "VAE"}}
        (tmp_path / "vae.civitai.info").write_text(json.dumps(sidecar))
        assert shelf.probe(source).bases == (BaseModelType.SDXL,)
        assert shelf.plan(source).bases == (BaseModelType.SDXL,)
