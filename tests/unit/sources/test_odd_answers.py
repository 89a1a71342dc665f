"""Answers that no sound hub gives, and that must not harm: from a client that holds them in memory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from modelshelf.errors import (
    CivitaiNotFoundError,
    HubAnswerError,
    HubError,
    RepositoryFileNotFoundError,
    RepositoryNotFoundError,
)
from modelshelf.schema.hub_answer import HubAnswer
from modelshelf.schema.hub_refusal import civitai_refusal, hugging_face_refusal
from modelshelf.schema.hub_settings import CivitaiSettings, HubSettings
from modelshelf.schema.listing import Listing
from modelshelf.schema.model_source import CivitaiModelSource, HFModelSource
from modelshelf.schema.repo_metadata import CivitaiMetadata, HuggingFaceMetadata
from modelshelf.sources import CivitaiSource, HuggingFaceSource

_COMMIT = "ab" * 20
_FILE = {"type": "file", "path": "x.safetensors", "size": 3, "oid": "cd" * 20}
_NOW = datetime(2026, 3, 1, tzinfo=UTC)


class _Canned:
    """A `HubClient` that answers by the end of the path; everything else is 404."""

    def __init__(self, answers: Mapping[str, object], link: str = "") -> None:
        self._answers = answers
        self._link = link
        self.asked: list[str] = []

    def get_json(self, url: str, headers: Mapping[str, str] | None = None) -> HubAnswer:
        del headers
        self.asked.append(url)
        path = url.partition("?")[0]
        for ending, body in self._answers.items():
            if path.endswith(ending):
                return HubAnswer(path, 200, {"link": self._link} if self._link else {}, body)
        return HubAnswer(path, 404, {})


def _list(answers: Mapping[str, object], link: str = "") -> Listing:
    source = HuggingFaceSource(_Canned(answers, link), HubSettings())
    return source.list(HFModelSource(repo_id="acme/lens"))


def _list_version(answers: Mapping[str, object]) -> Listing:
    source = CivitaiSource(_Canned(answers), CivitaiSettings())
    return source.list(CivitaiModelSource(version_id=2))


def test_entries_of_wrong_form_are_passed_over() -> None:
    """Words, folders, files without a name, names longer than any file system takes."""
    tree = [
        "x",
        {"type": "directory", "path": "unet"},
        {"type": "file"},
        {**_FILE, "path": "y" * 5_000},
        _FILE,
    ]
    listing = _list({"/revision/main": {"sha": _COMMIT, "id": 7}, f"/tree/{_COMMIT}": tree})
    assert [file.name for file in listing.files] == ["x.safetensors"]
    assert listing.files[0].url.startswith("https://huggingface.co/acme/lens/resolve/")
    assert listing.left_out == ()


@pytest.mark.parametrize(
    ("change", "size", "sha256", "git_sha1"),
    [
        ({}, 3, None, "cd" * 20),
        ({"oid": "x", "size": -1}, None, None, None),
        ({"oid": None, "size": True}, None, None, None),
        ({"lfs": {"oid": "sha256:" + "ef" * 32, "size": 9}}, 9, "ef" * 32, None),
        ({"lfs": {"sha256": "ef" * 32}}, 3, "ef" * 32, None),
        ({"lfs": {"oid": "x", "size": "9"}}, None, None, None),
    ],
)
def test_a_digest_or_size_of_wrong_form_is_none(
    change: dict[str, object], size: int | None, sha256: str | None, git_sha1: str | None
) -> None:
    """The file can still be fetched; what it can be checked by is honest."""
    tree = [{**_FILE, **change}]
    answers = {"/revision/main": {"sha": _COMMIT}, f"/tree/{_COMMIT}": tree}
    (file,) = _list(answers).files
    assert (file.size, file.sha256, file.git_sha1) == (size, sha256, git_sha1)


@pytest.mark.parametrize("entries", [10_000, 0])
def test_a_tree_without_end_is_given_up(entries: int) -> None:
    """A next page that is always the same one, with entries or without."""
    tree = [{"type": "directory", "path": "x"}] * entries
    answers = {"/revision/main": {"sha": _COMMIT}, f"/tree/{_COMMIT}": tree}
    with pytest.raises(HubAnswerError, match="more than 100000 entries"):
        _list(answers, f'<https://huggingface.co/api/models/acme/lens/tree/{_COMMIT}>; rel="next"')


@pytest.mark.parametrize(
    ("tree", "said"), [({}, "a JSON object"), (7, "a bare JSON value"), (None, "no content type")]
)
def test_a_tree_that_is_none_is_told(tree: object, said: str) -> None:
    """By what came instead."""
    answers = {"/revision/main": {"sha": _COMMIT}, f"/tree/{_COMMIT}": tree}
    with pytest.raises(HubAnswerError, match=f"{said}.*expected a JSON array"):
        _list(answers)


def test_an_index_that_cannot_be_read_names_no_components() -> None:
    """Then every folder may be one."""
    tree = [
        {**_FILE, "path": path}
        for path in ("model_index.json", "odd/config.json", "odd/model.safetensors")
    ]
    answers = {
        "/revision/main": {"sha": _COMMIT},
        f"/tree/{_COMMIT}": tree,
        "/model_index.json": [1],
    }
    assert len(_list(answers).files) == 3


@pytest.mark.parametrize("link", ["", "<https://huggingface.co/x>; rel=prev"])
def test_the_present_moment_is_taken_where_no_clock_is_given(link: str) -> None:
    """By either hub's source alone, as by both together."""
    tree = {"/revision/main": {"sha": _COMMIT}, f"/tree/{_COMMIT}": [_FILE]}
    with pytest.raises(RepositoryNotFoundError):
        HuggingFaceSource(_Canned({}), HubSettings()).list(HFModelSource(repo_id="acme/lens"))
    found = HuggingFaceSource(_Canned(tree, link), HubSettings())
    assert len(found.list(HFModelSource(repo_id="acme/lens")).files) == 1
    with pytest.raises(CivitaiNotFoundError):
        CivitaiSource(_Canned({}), CivitaiSettings()).list(CivitaiModelSource(version_id=2))


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"/model-versions/2": {"name": "v1", "files": [{}]}}, "version without a number"),
        ({"/model-versions/2": []}, "expected a JSON object"),
    ],
)
def test_a_version_that_is_none_is_told(answers: dict[str, object], expected: str) -> None:
    """Nothing can be fetched by it."""
    with pytest.raises(HubAnswerError, match=expected):
        _list_version(answers)


def test_a_version_whose_model_is_hidden_is_listed() -> None:
    """A file without name, number, size or hash: what remains is a download link and notes."""
    file = {"type": "Model", "metadata": {"format": "SafeTensor"}, "pickleScanResult": "Danger"}
    version = {
        "id": 2,
        "modelId": 1,
        "model": {"name": "Ink"},
        "files": ["x", {**file, "hashes": {"SHA256": "zz", "AutoV2": 7}}],
        "images": [
            {"url": "file:///x"},
            "x",
            {"url": "https://img.example/a.mp4", "type": "video"},
        ],
        "earlyAccessEndsAt": "soon",
    }
    listing = _list_version({"/model-versions/2": version})
    assert listing.files[0].name == "Ink.safetensors"
    assert listing.files[0].url == "https://civitai.com/api/download/models/2"
    assert (listing.size, listing.files[0].sha256) == (None, None)
    assert [preview.type for preview in listing.previews] == ["video"]
    assert listing.notes == (
        "the site's pickle scan says `Danger`",
        "the site has not hashed it yet: only its length can be checked",
    )


def test_metadata_of_wrong_types_is_empty() -> None:
    """Dates, tags, URLs, numbers: what a stranger sends is never trusted to be one."""
    hub = HuggingFaceMetadata.from_answer(
        {"id": "acme/lens", "lastModified": "soon", "tags": "x", "cardData": 3, "author": None}, []
    )
    assert (hub.last_modified.year, hub.tags, hub.tag_dict, hub.author) == (1970, set(), {}, "acme")
    site = CivitaiMetadata.from_answer(
        {"creator": "x", "tags": [1, " a ", "a"], "allowCommercialUse": "Sell", "nsfw": "no"},
        {"id": True, "images": [{"url": "https://[x"}, {"url": "https://ok.example/a.png"}]},
    )
    assert (site.id, site.author, site.tags, site.nsfw) == (0, "", {"a"}, None)
    assert site.allow_commercial_use == ["Sell"]
    assert [str(url) for url in site.previews] == ["https://ok.example/a.png"]


@pytest.mark.parametrize(
    ("headers", "status", "expected"),
    [
        ({"x-error-code": "EntryNotFound"}, 404, RepositoryFileNotFoundError),
        ({}, 404, RepositoryNotFoundError),
        ({}, 401, RepositoryNotFoundError),
    ],
)
def test_a_refusal_of_a_file_is_read_by_its_code(
    headers: dict[str, str], status: int, expected: type[HubError]
) -> None:
    """And by its status where a mirror sends no code."""
    error = hugging_face_refusal(
        HubAnswer("https://hub.example", status, headers),
        repo_id="acme/lens",
        hub="https://hub.example",
        has_token=False,
        now=_NOW,
        name="x.ckpt",
    )
    assert type(error) is expected


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, {"error": "Unauthorized", "message": "Downloads are disabled"}, "does not give"),
        (403, {"error": "Early Access", "deadline": "soon"}, "in early access for now"),
        (403, {"error": "Early Access", "deadline": 7}, "in early access for now"),
        (403, None, "it says no more"),
    ],
)
def test_a_refusal_of_civitai_without_all_its_words_is_read(
    status: int, body: object, said: str
) -> None:
    """A creator may forbid downloads; a deadline may be missing."""
    error = civitai_refusal(
        HubAnswer("https://site.example", status, {}, body),
        source="civitai:1@2",
        hub="https://site.example",
        has_token=False,
        now=_NOW,
        what="version 2",
    )
    assert said in str(error)
