from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from modelshelf import sources
from modelshelf.errors import InvalidModelSourceError
from modelshelf.schema.hub_settings import CivitaiSettings, HubSettings
from modelshelf.schema.model_source import (
    CivitaiModelSource,
    HFModelSource,
    LocalModelSource,
    ModelSource,
    URLModelSource,
)
from modelshelf.sources import parse_source

_SHA256 = "ab" * 32
_SECRET = "s3cret"  # noqa: S105 - it opens nothing


def _nothing_exists(_: Path) -> bool:
    return False


def _hf(repo_id: str = "acme/lens", **more: object) -> HFModelSource:
    return HFModelSource.model_validate({"repo_id": repo_id, "variant": None, **more})


def _civitai(**fields: object) -> CivitaiModelSource:
    return CivitaiModelSource.model_validate(fields)


def _local(path: str) -> LocalModelSource:
    return LocalModelSource(path=Path(path))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # The forms of the document, in its order.
        ("C:\\users\\fred\\model.safetensors", _local("C:\\users\\fred\\model.safetensors")),
        ("https://civitai.com/models/58390/detail-tweaker-lora-lora", _civitai(model_id=58390)),
        ("acme/lens", _hf()),
        ("acme/lens:fp32", _hf(variant="fp32")),
        ("acme/lens:fp16:vae", _hf(variant="fp16", subfolder="vae")),
        ("acme/lens::vae", _hf(subfolder="vae")),
        (
            "acme/lens:fp16:path/to/model.safetensors",
            _hf(variant="fp16", subfolder="path/to/model.safetensors"),
        ),
        ("acme/lens::path/to/model.safetensors", _hf(subfolder="path/to/model.safetensors")),
        # Paths.
        ("/opt/models/sushi", _local("/opt/models/sushi")),
        ("./acme/lens", _local("acme/lens")),
        ("../lens", _local("../lens")),
        ("~/lens.ckpt", _local("~/lens.ckpt")),
        ("d:/models/lens", _local("d:/models/lens")),
        ("\\\\nas\\models\\lens", _local("\\\\nas\\models\\lens")),
        ("models\\lens", _local("models\\lens")),
        ("loras/ink.safetensors", _local("loras/ink.safetensors")),
        ("a/b/c", _local("a/b/c")),
        ("file:///opt/my%20models/x.ckpt", _local("/opt/my models/x.ckpt")),
        ("file://LOCALHOST/opt/x.ckpt", _local("/opt/x.ckpt")),
        ("file:///opt/a?b#1.ckpt", _local("/opt/a?b#1.ckpt")),
        # Repositories.
        ("acme/lens@v2", _hf(revision="v2")),
        ("acme/lens@refs/pr/3:fp16", _hf(revision="refs/pr/3", variant="fp16")),
        ("acme/lens@main", _hf()),
        ("acme/sd-1.5_v2", _hf("acme/sd-1.5_v2")),
        ("acme/lens::a:b", _hf(subfolder="a:b")),
        ("hf://acme/lens", _hf()),
        ("hf://acme/lens/vae/config.json", _hf(subfolder="vae/config.json")),
        ("hf://acme/lens@v2/vae", _hf(revision="v2", subfolder="vae")),
        ("hf://acme/lens@refs%2Fpr%2F3/vae", _hf(revision="refs/pr/3", subfolder="vae")),
        ("hf://acme/lens:fp16:vae", _hf(variant="fp16", subfolder="vae")),
        ("hf://acme/odd.safetensors", _hf("acme/odd.safetensors")),
        ("https://huggingface.co/acme/lens", _hf()),
        ("https://hf.co/acme/lens/", _hf()),
        ("https://huggingface.co/acme/lens/tree/main", _hf()),
        ("https://huggingface.co/acme/lens/tree/v2/vae", _hf(revision="v2", subfolder="vae")),
        (
            "https://huggingface.co/acme/lens/blob/main/a%20b.ckpt",
            _hf(subfolder="a b.ckpt"),
        ),
        (
            "https://huggingface.co/acme/lens/resolve/main/vae/x.safetensors?download=true",
            _hf(subfolder="vae/x.safetensors"),
        ),
        (
            "https://mirror.example/acme/lens/resolve/v2/x.ckpt",
            _hf(revision="v2", subfolder="x.ckpt"),
        ),
        ("huggingface.co/acme/lens", _hf()),
        ("HF.co/acme/lens/tree/v2/vae", _hf(revision="v2", subfolder="vae")),
        ("mirror.example/acme/lens", _hf()),
        ("huggingface.co/lens", _hf("huggingface.co/lens")),
        ("example.com/acme/lens", _local("example.com/acme/lens")),
        # Civitai.
        ("civitai.com/models/1?modelVersionId=2", _civitai(model_id=1, version_id=2)),
        ("https://civitai.com/models/1?modelVersionId=2", _civitai(model_id=1, version_id=2)),
        ("https://civitai.red/models/1", _civitai(model_id=1)),
        ("https://civitai.com/api/download/models/2", _civitai(version_id=2)),
        (
            "https://civitai.com/api/download/models/2?type=Model&format=SafeTensor&size=pruned&fp=fp16",
            _civitai(version_id=2, format="SafeTensor", size="pruned", precision="fp16"),
        ),
        ("https://civitai.com/api/download/models/2?fileId=3", _civitai(version_id=2, file_id=3)),
        ("https://civitai.com/model-versions/2", _civitai(version_id=2)),
        ("https://civitai.com/api/v1/models/1", _civitai(model_id=1)),
        ("https://civitai.com/api/v1/model-versions/2", _civitai(version_id=2)),
        (f"https://civitai.com/api/v1/model-versions/by-hash/{_SHA256}", _civitai(hash=_SHA256)),
        ("http://shop.example/models/1", _civitai(model_id=1)),
        ("urn:air:sdxl:lora:civitai:1@2", _civitai(model_id=1, version_id=2)),
        ("urn:air:sd1:model:civitai:1@2.safetensors", _civitai(model_id=1, version_id=2)),
        ("air:sd1:lora:civitai:1", _civitai(model_id=1)),
        ("urn:air:sdxl:model:huggingface:acme/lens@v1.0", _hf(revision="v1.0")),
        ("civitai:1@2", _civitai(model_id=1, version_id=2)),
        ("civitai:12345678", _civitai(model_id=12_345_678)),
        # Hashes.
        (_SHA256, _civitai(hash=_SHA256)),
        (f"sha256:{_SHA256}", _civitai(hash=_SHA256)),
        ("0123456789", _civitai(hash="0123456789")),
        ("AutoV2:0123456789", _civitai(hash="0123456789")),
        ("deadbeef", _civitai(hash="DEADBEEF")),
        # Anything else on the web.
        (
            "https://civitai.com/user/acme",
            URLModelSource.model_validate({"url": "https://civitai.com/user/acme"}),
        ),
        (
            "https://huggingface.co/acme",
            URLModelSource.model_validate({"url": "https://huggingface.co/acme"}),
        ),
        (
            "https://example.com/ink.safetensors",
            URLModelSource.model_validate({"url": "https://example.com/ink.safetensors"}),
        ),
        (
            "https://huggingface.co/datasets/acme/words/resolve/main/x.bin",
            URLModelSource.model_validate(
                {"url": "https://huggingface.co/datasets/acme/words/resolve/main/x.bin"}
            ),
        ),
        (
            "https://evil.example/?x=civitai.com/models/1",
            URLModelSource.model_validate({"url": "https://evil.example/?x=civitai.com/models/1"}),
        ),
    ],
)
def test_each_form_of_a_source_is_understood(text: str, expected: ModelSource) -> None:
    """Documented forms, and what people copy from a browser."""
    hub, civitai = HubSettings("https://mirror.example"), CivitaiSettings("http://shop.example")
    assert parse_source(text, hub=hub, civitai=civitai, exists=_nothing_exists) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "expected a text"),
        ("x\0y", "expected a text"),
        ("x" * 300, "nothing exists"),
        ("lens", "nothing exists"),
        ("acme/lens:fp8", "`fp8` is no variant"),
        ("acme/lens::../x", "leave its folder"),
        ("acme/lens:fp16:a//b", "leave its folder"),
        ("ftp://example.com/x.ckpt", "expected http or https, got `ftp`"),
        ("https://example.com:99999/x", "[Pp]ort"),
        ("file://nas/models/x.ckpt", "a path of this machine, got host `nas`"),
        ("file://C:/models/x.ckpt", "a path of this machine, got host `C:`"),
        ("file:///a%00b", "got none that can be"),
        ("file://", "got none that can be"),
        ("huggingface.co/ac--me/lens", "`owner/name`"),
        ("hf://lens", "`owner/name`"),
        ("hf://:x", "expected `hf://owner/name`"),
        ("hf://ac--me/lens", "`owner/name`"),
        ("urn:air:sdxl:lora:civitai:one@2", "expected numbers"),
        ("https://civitai.com/models/99999999999999999999", "less than"),
    ],
)
def test_a_text_that_names_no_source_is_refused(text: str, problem: str) -> None:
    """The error says what is wrong with it, also of one that no file system could look up."""
    with pytest.raises(InvalidModelSourceError, match=problem):
        parse_source(text)


def test_a_path_that_exists_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder called like a repository or a hash is the folder; `hf://` says otherwise."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "acme" / "lens").mkdir(parents=True)
    (tmp_path / "huggingface.co" / "acme" / "lens").mkdir(parents=True)
    (tmp_path / "deadbeef").touch()
    assert parse_source("acme/lens") == _local("acme/lens")
    assert parse_source("huggingface.co/acme/lens") == _local("huggingface.co/acme/lens")
    assert parse_source("deadbeef") == _local("deadbeef")
    assert parse_source("hf://acme/lens") == _hf()
    (tmp_path / "odd ").touch()
    assert parse_source("odd ") == _local("odd ")
    assert parse_source(" deadbeef\n") == _local("deadbeef")


def test_a_token_goes_into_the_source_and_never_out() -> None:
    """One that is given, or one in a link of Civitai; no text made of the source has it."""
    given = parse_source("acme/lens", access_token=_SECRET)
    linked = parse_source(f"https://civitai.com/api/download/models/2?token={_SECRET}")
    web = parse_source("https://example.com/x.ckpt", access_token=_SECRET)
    for source in (given, linked, web):
        assert not isinstance(source, LocalModelSource)
        assert source.access_token == _SECRET
        told = f"{source} {source!r} {source.model_dump()} {source.model_dump_json()}"
        assert _SECRET not in told


@pytest.mark.parametrize(
    "text",
    [
        "https://user:s3cret@example.com:99999/x",
        "ftp://user:s3cret@example.com/x?token=s3cret",
        "https://civitai.com/models/99999999999999999999?token=s3cret",
    ],
)
def test_an_error_has_no_secret(text: str) -> None:
    """Neither the user's part of a URL nor its query is repeated."""
    with pytest.raises(InvalidModelSourceError) as caught:
        parse_source(text)
    assert _SECRET not in str(caught.value)


def test_reading_a_text_loads_no_http_library() -> None:
    """It takes a tenth of a second that adding a file of this machine does without."""
    program = (
        "import sys\nfrom modelshelf.sources import parse_source\n"
        "parse_source('acme/lens')\nprint('requests' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    """Fetching names late changes nothing about names that are not there."""
    with pytest.raises(AttributeError, match="no_such_name"):
        sources.no_such_name  # noqa: B018
