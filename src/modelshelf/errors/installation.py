"""Why an installation does not go on, whatever its source: what is kept of it, and who stopped it."""

from __future__ import annotations

from modelshelf.errors.hub import HubError

__all__ = [
    "DamagedJobError",
    "ForeignJobError",
    "InstallationFailedError",
    "InstallationStoppedError",
]


class InstallationFailedError(HubError):
    """An installation failed in a way that nobody foresaw, or in another program that left words alone."""

    code = "installation-failed"
    message = "installing `{source}` failed: {reason}"
    hint = "`shelf job retry` tries again; what was fetched is not fetched again"

    source: str
    """What was to be installed."""
    reason: str
    """What was said last."""


class DamagedJobError(HubError):
    """What is kept of an installation cannot be read or makes no sense, so nothing goes on with it.

    Files that it fetched take their room until the job is cancelled or pruned.
    """

    code = "job-damaged"
    exit_status, http_status = 7, 500
    kept = "What it fetched is still there, and the library is as it was."
    message = "job {job} is damaged: `{path}` {reason}"
    hint = "`shelf job cancel {job}` removes it with what it fetched; then add the model again"

    job: str
    """Number of the job."""
    path: str
    """The file that says what the job is."""
    reason: str
    """What is wrong with it, beginning with a verb."""


class ForeignJobError(DamagedJobError):
    """An installation is another user's, who shares the library but not the files of jobs."""

    code = "job-foreign"
    exit_status, http_status = 9, 403
    kept = "It was left alone."
    message = "job {job} is another user's: `{path}` {reason}"
    hint = "run the command as the user that `ls -l {path}` names"


class InstallationStoppedError(HubError):
    """Another program put the installation aside, or cancelled it, while this one waited for it."""

    code = "installation-stopped"
    message = "`{source}` was not installed: it was {how} by another program"
    hint = "`shelf job ls` shows what was put aside, and `shelf job resume` goes on with it"

    source: str
    """What was to be installed."""
    how: str
    """`paused` or `cancelled`."""
