"""Installations on a disk that fails at any step: nothing half done is seen, and another try succeeds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from modelshelf.disk import LocalDisk
from modelshelf.testing.faults import CountingDisk, FailingDisk
from tests.installers import installing_place, open_place

pytestmark = pytest.mark.fault

STEPS = int(os.environ.get("MODELSHELF_TEST_STEPS", "8"))
"""At how many of its operations the disk fails."""


@pytest.mark.timeout(60 + 20 * STEPS)
def test_a_disk_that_fills_up_at_any_step_leaves_nothing_half_done(tmp_path: Path) -> None:
    """The job says that there is no room, or is not there at all; with room it is done."""
    counting = CountingDisk(LocalDisk())
    with installing_place(tmp_path / "count", disk=counting) as place:
        before = len(counting.operations)
        assert place.install("acme/dream").complete
        span = len(counting.operations) - before
        hub, site = place.hub, place.site
        for number in range(STEPS):
            at = before + 1 + span * number // STEPS
            folder = tmp_path / f"try-{number}"
            disk = FailingDisk(LocalDisk(), at, lasting=True)
            with open_place(folder, hub, site, disk=disk) as full:
                try:
                    job = full.install("acme/dream")
                except Exception as error:  # noqa: BLE001 - whatever it is, it must be foreseen
                    assert getattr(error, "code", None), error  # noqa: PT017
                else:
                    assert job.in_terminal_state
                    assert job.complete or job.error_code, job.error
            assert disk.has_failed
            with open_place(folder, hub, site) as roomy:
                models = roomy.services.configs.all_models()
                assert len(models) <= 1
                roomy.installer.start()
                for left in roomy.installer.list_jobs():
                    roomy.installer.retry_job(left)
                roomy.installer.wait_for_installs(timeout=60)
                assert roomy.install("acme/dream").complete
                assert roomy.services.verifier.verify().clean
                assert len(roomy.services.configs.all_models()) == 1
