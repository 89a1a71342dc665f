from __future__ import annotations

from functools import partial
from pathlib import Path

from modelshelf.disk import LocalDisk
from modelshelf.install.installation import Installation
from modelshelf.install.job_document import describe
from modelshelf.install.job_folder import JobFolders
from modelshelf.install.wish import ModelWish
from modelshelf.schema.install_job import ModelInstallJob
from modelshelf.schema.model_source import URLModelSource


def test_the_words_of_a_failure_hold_no_secret(tmp_path: Path) -> None:
    """Neither what was presented nor what a strange library repeats of an address, in memory or on disk."""
    source = URLModelSource(url="https://h.example/a.safetensors")
    with JobFolders(tmp_path / "installs", LocalDisk()) as folders:
        folder, document = folders.create(partial(describe, source, {}))
        job = ModelInstallJob(id=document.id, source=source)
        cause = OSError("letmein is no key of https://cdn.example/a?X-Amz-Signature=f0f0&Expires=1")
        error = RuntimeError(
            "cannot GET https://me:pw@h.example/a?sig=f0f0#page asked with letmein"
        )
        error.__cause__ = cause
        Installation(job, folder, document, ModelWish()).failed(error, "letmein")
        kept = (folder.path / "job.json").read_text()
    assert job.error_type == "RuntimeError"
    assert "https://h.example/a asked" in str(job.error)
    assert "https://cdn.example/a" in kept
    for text in (str(job.error), kept):
        assert "letmein" not in text
        assert "f0f0" not in text
        assert "pw@" not in text
