from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelshelf.errors import FormatError
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


def test_a_pipeline_with_damaged_weights_is_probed_and_not_added(tmp_path: Path) -> None:
    """Its configurations say what it is; storing it would keep a model that nobody can load."""
    source = tiny.pipeline(tmp_path / "model")
    weights = next(source.glob("unet/*.safetensors"))
    weights.write_text("version https://git-lfs.github.com/spec/v1")
    with open_shelf(tmp_path / "shelf") as shelf:
        found = shelf.probe(source)
        assert (found.base.value, found.status.value) == ("sd-1", "broken")
        with pytest.raises(FormatError, match=f"unet/{weights.name}.*Git LFS pointer"):
            shelf.plan(source)
