from __future__ import annotations

from modelshelf.records.register import pipeline_digest
from modelshelf.schema.digest import Digest


def test_a_pipeline_is_its_parts_and_where_they_are() -> None:
    """The order of folders does not matter, the folders and parts do."""
    one, two = Digest.blake3(b"1" * 32), Digest.blake3(b"2" * 32)
    digest = pipeline_digest({"vae": one, "unet": two})
    assert digest == pipeline_digest({"unet": two, "vae": one})
    assert digest != pipeline_digest({"vae": two, "unet": one})
    assert digest != pipeline_digest({"vae": one})
