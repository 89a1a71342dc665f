from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.download.saved_job import SavedJob
from modelshelf.download.saved_part import address_without_secrets
from modelshelf.schema.download_job import DownloadJobBase, DownloadJobRemoteSource
from modelshelf.schema.transfer import ExpectedContent

pytestmark = pytest.mark.property

HEX = "0123456789abcdef" * 2
NAMES = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)
SECRETS = st.from_regex(r"\A[g-z]{20}\Z")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
)
JOB = DownloadJobRemoteSource(
    source="https://a.example/b?type=Model",
    destination=Path("/c"),
    expected=ExpectedContent(size=3),
)
DOCUMENT = json.loads(SavedJob.of(JOB, key=HEX, owner=HEX).to_bytes())


@given(secret=SECRETS, names=st.lists(NAMES, max_size=4), is_user=st.booleans())
def test_no_secret_is_ever_written(secret: str, names: list[str], *, is_user: bool) -> None:
    """Wherever in an address it stands, and under whatever name nobody has called harmless."""
    user = f"me:{secret}@" if is_user else ""
    query = "&".join(f"x-{name}={secret}" for name in names)
    url = f"https://{user}files.example/a?type=Model&{query}#{secret}"
    kept, is_whole = address_without_secrets(url)
    assert secret not in kept
    assert kept.rstrip("&") == "https://files.example/a?type=Model"
    assert is_whole is not (is_user or bool(names))
    job = JOB.model_copy(update={"source": url, "access_token": secret})
    assert secret.encode() not in SavedJob.of(job, key=HEX, owner=HEX).to_bytes()


@given(
    query=st.lists(
        st.tuples(st.sampled_from(["type", "format", "fileId", "revision", "sig"]), NAMES),
        max_size=5,
    )
)
def test_an_address_that_is_whole_chooses_the_same_file(query: list[tuple[str, str]]) -> None:
    """The same parameters in the same order."""
    text = "&".join(f"{name}={value}" for name, value in query)
    kept, is_whole = address_without_secrets(f"https://files.example/a?{text}")
    assert is_whole is all(name != "sig" for name, _ in query)
    assert parse_qsl(urlsplit(kept).query) == [one for one in query if one[0] != "sig"]


@given(content=st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_whatever_is_no_document_is_told_so(content: bytes) -> None:
    """With the one error that callers expect."""
    with pytest.raises(ValueError, match=r"."):
        SavedJob.parse(content)


@given(changes=st.dictionaries(st.sampled_from(sorted(DOCUMENT)), VALUES, min_size=1, max_size=2))
def test_a_document_with_odd_values_is_a_job_or_none(changes: dict[str, object]) -> None:
    """Nothing else is raised, and what is read can be written again."""
    with suppress(ValueError):
        job: DownloadJobBase = SavedJob.parse(json.dumps(DOCUMENT | changes).encode()).job(1)
        assert job.destination.is_absolute()
        assert SavedJob.of(job, key=HEX, owner=HEX).to_bytes()
