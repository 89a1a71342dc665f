"""What a hub's refusal means: an answer in, the error that a person can act upon out.

Pure, so that whoever meets such an answer reads it alike: the listing of a repository, the metadata of
a page, the download of a file. Statuses and headers are described at
https://huggingface.co/docs/hub/rate-limits and in `huggingface/huggingface_hub`
src/huggingface_hub/errors.py; those of Civitai in `civitai/civitai` src/pages/api/download/models.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from modelshelf.errors import (
    CivitaiNotFoundError,
    DownloadForbiddenError,
    EarlyAccessError,
    GatedRepositoryError,
    HubError,
    HubUnreachableError,
    LoginRequiredError,
    ModelArchivedError,
    RateLimitedError,
    RepositoryDisabledError,
    RepositoryFileNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
    TokenRefusedError,
)
from modelshelf.errors.base import counted
from modelshelf.schema.hub_answer import HubAnswer

__all__ = ["civitai_refusal", "hugging_face_refusal", "seconds_to_wait"]

_INVALID_TOKEN = "Invalid credentials in Authorization header"  # noqa: S105 - the hub's sentence
_DISABLED = "Access to this resource is disabled."
_LIMIT = re.compile(r'"\w+"\s*;\s*r\s*=\s*\d+\s*;\s*t\s*=\s*(\d{1,9})')
_LONGEST_WAIT = 86_400
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _GONE, _TOO_MANY = 401, 403, 404, 410, 429


def hugging_face_refusal(  # noqa: PLR0911 - one for each reaction
    answer: HubAnswer,
    *,
    repo_id: str,
    hub: str,
    has_token: bool,
    now: datetime,
    revision: str = "main",
    name: str = "",
) -> HubError:
    """Say why the Hub did not give what was asked for. Its error code decides, then its words.

    Args:
        answer: One that is not good.
        repo_id: The repository that was asked for.
        hub: The endpoint.
        has_token: Whether a token was sent.
        now: For limits that name a date.
        revision: What was asked for.
        name: The file or folder that was asked for; empty for the repository.

    Example:
        >>> from datetime import UTC, datetime
        >>> answer = HubAnswer("https://hub.example", 401, {"x-error-code": "GatedRepo"})
        >>> error = hugging_face_refusal(answer, repo_id="acme/lens", hub="https://hub.example",
        ...     has_token=False, now=datetime.now(UTC))
        >>> error.advice[:60]
        'log in at https://hub.example/acme/lens, accept the conditio'
    """
    code = answer.headers.get("x-error-code", "")
    if answer.status == _TOO_MANY:
        return _limited(answer, hub, now)
    if code == "GatedRepo":
        reason = (
            "this token's account was not granted access" if has_token else "no token was given"
        )
        return GatedRepositoryError(repo_id=repo_id, hub=hub, reason=reason)
    if code == "RevisionNotFound":
        return RevisionNotFoundError(repo_id=repo_id, hub=hub, revision=revision)
    if code == "EntryNotFound":
        return RepositoryFileNotFoundError(repo_id=repo_id, hub=hub, name=name, near="no such file")
    if answer.message == _DISABLED:
        return RepositoryDisabledError(repo_id=repo_id, hub=hub)
    if answer.message.startswith(_INVALID_TOKEN):
        return TokenRefusedError(hub=hub)
    if code == "RepoNotFound" or answer.status in {_UNAUTHORIZED, _NOT_FOUND}:
        return RepositoryNotFoundError(repo_id=repo_id, hub=hub)
    if answer.status == _FORBIDDEN:
        reason = answer.message or "it says no more"
        return DownloadForbiddenError(source=repo_id, hub=hub, reason=reason)
    return _unreachable(answer, hub)


def civitai_refusal(
    answer: HubAnswer, *, source: str, hub: str, has_token: bool, now: datetime, what: str
) -> HubError:
    """Say why Civitai did not give what was asked for.

    Args:
        answer: One that is not good.
        source: What was asked for, without a token.
        hub: The site's base URL.
        has_token: Whether a token was sent.
        now: For limits that name a date.
        what: What was looked for, such as `version 62833`.

    Example:
        >>> from datetime import UTC, datetime
        >>> answer = HubAnswer("https://site.example", 403, {}, {"error": "Early Access",
        ...     "deadline": "2099-01-01T00:00:00Z"})
        >>> print(civitai_refusal(answer, source="civitai:1@2", hub="https://site.example",
        ...     has_token=False, now=datetime.now(UTC), what="version 2"))
        `civitai:1@2` is in early access until 2099-01-01 00:00 UTC
    """
    message = answer.message or "it says no more"
    body = answer.body if isinstance(answer.body, dict) else {}
    match answer.status:
        case 401 if "disabled" in message.lower():
            error: HubError = DownloadForbiddenError(source=source, hub=hub, reason=message)
        case 401 if has_token:
            error = TokenRefusedError(hub=hub)
        case 401:
            error = LoginRequiredError(source=source, hub=hub, reason=message)
        case 403 if "deadline" in body or body.get("error") == "Early Access":
            error = _early(source, body.get("deadline"))
        case 403:
            error = DownloadForbiddenError(source=source, hub=hub, reason=message)
        case 400 | 404:
            error = CivitaiNotFoundError(what=what, hub=hub)
        case 410:
            error = ModelArchivedError(source=source)
        case 429:
            error = _limited(answer, hub, now)
        case _:
            error = _unreachable(answer, hub)
    return error


def seconds_to_wait(headers: Mapping[str, str], now: datetime) -> int | None:
    """Return how long a hub wants to be left alone; None where it does not say.

    Args:
        headers: `RateLimit` with its `t`, or `Retry-After` in seconds or as a date; names in lower case.
        now: The present moment, with its time zone.

    Returns:
        Seconds, at most a day.

    Example:
        >>> seconds_to_wait({"ratelimit": '"api";r=0;t=55'}, datetime.now(UTC))
        55
    """
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdecimal() and len(said) < 12:  # noqa: PLR2004 - 30,000 years
        return min(int(said), _LONGEST_WAIT)
    if (found := _LIMIT.search(headers.get("ratelimit", ""))) is not None:
        return min(int(found[1]), _LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(said)
    except ValueError:
        return None
    wait = until - (now if until.tzinfo else now.replace(tzinfo=None))
    return min(max(0, int(wait.total_seconds())), _LONGEST_WAIT)


def _limited(answer: HubAnswer, hub: str, now: datetime) -> RateLimitedError:
    seconds = seconds_to_wait(answer.headers, now)
    when = "for now" if seconds is None else f"for {counted(seconds, 'second')}"
    return RateLimitedError(hub=hub, when=when, retry_after=seconds)


def _early(source: str, deadline: object) -> EarlyAccessError:
    until = deadline if isinstance(deadline, str) else ""
    try:
        moment = datetime.fromisoformat(until).astimezone(UTC)
    except ValueError:
        return EarlyAccessError(source=source, until="for now", deadline="")
    return EarlyAccessError(
        source=source, until=f"until {moment:%Y-%m-%d %H:%M} UTC", deadline=moment.isoformat()
    )


def _unreachable(answer: HubAnswer, hub: str) -> HubUnreachableError:
    said = f": {answer.message}" if answer.message else ""
    return HubUnreachableError(hub=hub, reason=f"it answers with status {answer.status}{said}")
