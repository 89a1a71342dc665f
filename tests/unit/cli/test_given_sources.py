"""What a command line says of sources that it cannot use."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelshelf.cli.batch import Batch
from modelshelf.cli.given_sources import check_remote, sort_sources
from modelshelf.cli.session import Session
from modelshelf.errors import UsageError
from modelshelf.schema.model_source import URLModelSource


def test_secrets_of_an_address_that_cannot_be_read_are_not_shown(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Neither to a person nor in the document, which programs keep."""
    session = Session(json=True, root=str(tmp_path))
    batch = Batch(session)
    texts = ["ftp://me:pass1@h.example/x?token=pass2", "https://[me:pass1@h/x?token=pass2"]
    assert sort_sources(session, batch, texts, None) == ([], [])
    assert [each["item"] for each in batch.failed] == ["ftp://h.example/x", "https://h/x"]
    assert "pass" not in f"{batch.failed}" + "".join(capsys.readouterr())


def test_an_option_for_local_models_is_refused_without_quoting_a_secret() -> None:
    remote = [URLModelSource(url="https://me:pass1@h.example/x.safetensors?token=pass2")]
    with pytest.raises(UsageError) as raised:
        check_remote(remote, ["--move"])
    assert "h.example" in str(raised.value)
    assert "pass" not in str(raised.value)
