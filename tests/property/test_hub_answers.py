from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.errors import HubError
from modelshelf.schema.hub_answer import HubAnswer
from modelshelf.schema.hub_refusal import civitai_refusal, hugging_face_refusal
from modelshelf.schema.hub_settings import CivitaiSettings, HubSettings
from modelshelf.schema.listing import Listing, check_listed_names
from modelshelf.schema.model_source import CivitaiModelSource, HFModelSource
from modelshelf.sources import CivitaiSource, HuggingFaceSource

pytestmark = pytest.mark.property

_COMMIT = "ab" * 20
_FILE = {
    "type": "file",
    "path": "unet/model.safetensors",
    "size": 9,
    "oid": "cd" * 20,
    "lfs": {"oid": "ef" * 32, "size": 9, "pointerSize": 128},
}
_INFO = {
    "id": "acme/lens",
    "sha": _COMMIT,
    "tags": ["a"],
    "cardData": {"license": "mit"},
    "lastModified": "2026-01-02T03:04:05.000Z",
}
_VERSION = {
    "id": 2,
    "modelId": 1,
    "name": "v1",
    "trainedWords": ["ink"],
    "publishedAt": "2026-01-02T03:04:05.000Z",
    "earlyAccessEndsAt": None,
    "files": [
        {
            "id": 3,
            "name": "ink.safetensors",
            "type": "Model",
            "sizeKB": 1.5,
            "metadata": {"format": "SafeTensor", "fp": "fp16"},
            "hashes": {"SHA256": "EF" * 32, "CRC32": "ABCDEF01"},
            "primary": True,
        }
    ],
    "images": [{"url": "https://img.example/a.png", "width": 4, "nsfwLevel": 1}],
}
_MODEL = {"id": 1, "name": "Ink", "modelVersions": [_VERSION], "creator": {"username": "acme"}}

_odd = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["../x", "a/b.ckpt", "model_index.json", "https://[x", "9" * 400]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=5,
)


@st.composite
def _damaged(draw: st.DrawFn, sound: Any) -> Any:  # noqa: ANN401 - any JSON
    """Replace a few of the values in *sound* by anything."""
    if draw(st.integers(0, 5)) == 0:
        return draw(_odd)
    if isinstance(sound, dict):
        return {name: draw(_damaged(value)) for name, value in sound.items()}
    if isinstance(sound, list):
        return [draw(_damaged(value)) for value in sound]
    return sound


class _Canned:
    def __init__(self, answers: Mapping[str, object]) -> None:
        self._answers = answers

    def get_json(self, url: str, headers: Mapping[str, str] | None = None) -> HubAnswer:
        del headers
        path = url.partition("?")[0]
        for part, body in self._answers.items():
            if part in path:
                return HubAnswer(path, 200, {}, body)
        return HubAnswer(path, 404, {})


def _check(listing: Listing) -> None:
    check_listed_names("x", [file.name for file in listing.files])
    again = Listing.model_validate_json(listing.model_dump_json())
    assert again.files == listing.files
    assert listing.files


@given(
    _damaged(_INFO),
    st.lists(_damaged(_FILE), max_size=4).flatmap(_damaged),
    _damaged({"unet": ["diffusers", "UNet2DConditionModel"]}),
)
def test_whatever_hugging_face_answers_is_a_listing_or_a_typed_error(
    info: object, tree: object, index: object
) -> None:
    """And what is listed can be kept and read again."""
    answers = {"/revision/": info, "/tree/": tree, "/resolve/": index}
    try:
        source = HuggingFaceSource(_Canned(answers), HubSettings())
        listing = source.list(HFModelSource(repo_id="acme/lens"))
    except HubError:
        return
    _check(listing)


@given(
    _damaged(_MODEL),
    _damaged(_VERSION),
    st.sampled_from([{"version_id": 2}, {"model_id": 1}, {"hash": "EF" * 5}]),
)
def test_whatever_civitai_answers_is_a_listing_or_a_typed_error(
    model: object, version: object, wanted: dict[str, Any]
) -> None:
    """And what is listed can be kept and read again."""
    answers = {"/models/": model, "/model-versions/": version}
    try:
        source = CivitaiSource(_Canned(answers), CivitaiSettings())
        listing = source.list(CivitaiModelSource.model_validate(wanted))
    except HubError:
        return
    _check(listing)


@given(
    st.integers(100, 599),
    st.dictionaries(
        st.sampled_from(["retry-after", "ratelimit", "x-error-code", "x-error-message"]),
        st.text(max_size=30)
        | st.sampled_from(
            ["Sun, 01 Mar 2026 12:00:30 GMT", "Sun, 99 Mar 99999 99:99:99 GMT", "-5"]
        ),
    ),
    _odd | _damaged({"error": "Early Access", "deadline": "2026-01-01T00:00:00Z"}),
)
def test_any_refusal_is_a_typed_error_with_advice(
    status: int, headers: dict[str, str], body: object
) -> None:
    """It can be shown, and its facts can be kept."""
    answer = HubAnswer("https://hub.example", status, headers, body)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    hub = "https://hub.example"
    for error in (
        hugging_face_refusal(answer, repo_id="a/b", hub=hub, has_token=True, now=now),
        civitai_refusal(answer, source="x", hub=hub, has_token=False, now=now, what="version 2"),
    ):
        assert str(error)
        assert error.advice
        assert json.dumps(dict(error.facts))
