from __future__ import annotations

from pathlib import Path

import pytest

from modelshelf.errors import InvalidSettingError
from modelshelf.schema.transfer import PrivateAddresses
from modelshelf.settings import Settings


def load(root: Path, text: str = "", **environ: str) -> Settings:
    (root / "modelshelf.yaml").write_text(text)
    return Settings.load(environ={"MODELSHELF_ROOT": str(root), **environ})


def test_what_nobody_says_is_safe_and_useful(tmp_path: Path) -> None:
    """The hubs themselves, no token, and no stranger's address inside the network."""
    settings = load(tmp_path)
    assert settings.hugging_face.endpoint == "https://huggingface.co"
    assert settings.civitai.endpoint == "https://civitai.com"
    assert (settings.hugging_face.token, settings.civitai.token) == (None, None)
    assert settings.download.parallel == 5
    assert settings.download.rate is None
    assert settings.download.private_addresses is PrivateAddresses.REFUSE


def test_the_hubs_own_variables_count(tmp_path: Path) -> None:
    """Whoever has set up the hub's programs need not do it again."""
    settings = load(
        tmp_path,
        "hugging_face:\n  endpoint: https://mirror.example\n",
        HF_ENDPOINT="https://hub.example/",
        HF_TOKEN=" hf_abc\n",  # noqa: S106 - it opens nothing
        HF_HOME="/srv/hf",
        HF_HUB_OFFLINE="1",
        CIVITAI_TOKEN="abc",  # noqa: S106
    )
    hub = settings.hugging_face
    assert (hub.endpoint, hub.offline) == ("https://hub.example", True)
    assert hub.token is not None
    assert hub.token.get_secret_value() == "hf_abc"
    assert (hub.token_path, hub.cache) == (Path("/srv/hf/token"), Path("/srv/hf/hub"))
    assert settings.origins()["hugging_face.cache"] == "environment `HF_HOME`"
    assert settings.civitai.token is not None


def test_modelshelfs_variable_counts_more_than_the_hubs(tmp_path: Path) -> None:
    """It says the same for modelshelf alone."""
    settings = load(
        tmp_path,
        HF_ENDPOINT="https://one.example",
        MODELSHELF_HUGGING_FACE__ENDPOINT="https://two.example",
        HF_HOME="/srv/hf",
        HF_HUB_CACHE="/srv/cache",
    )
    assert settings.hugging_face.endpoint == "https://two.example"
    assert settings.hugging_face.cache == Path("/srv/cache")


def test_rates_and_sizes_are_written_as_people_write_them(tmp_path: Path) -> None:
    """`20M` are twenty million bytes, `2GiB` two times 2^30."""
    settings = load(tmp_path, "download:\n  rate: 20M\n  cache_size: 2GiB\n")
    assert settings.download.rate == 20_000_000
    assert settings.download.cache_size == 2 << 30


def test_a_token_is_not_shown(tmp_path: Path) -> None:
    """Neither by printing the settings nor by an error about it."""
    settings = load(tmp_path, "civitai:\n  token: very-secret\n")
    assert "very-secret" not in repr(settings) + str(settings.value("civitai.token"))
    with pytest.raises(InvalidSettingError) as raised:
        load(tmp_path, "civitai:\n  token: [very-secret]\n")
    assert "very-secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MODELSHELF_CIVITAI", '"very-secret"'),
        ("MODELSHELF_CIVITAI", '["very-secret"]'),
        ("MODELSHELF_CIVITAI", "very-secret"),
        ("MODELSHELF_CIVITAI__TOKEN__KEY", "very-secret"),
        ("MODELSHELF_CIVITAI__ENDPOINT", "https://me:very-secret@site.example"),
        ("MODELSHELF_CIVITAI__ENDPOINT", "https://site.example?token=very-secret"),
        ("HF_ENDPOINT", "https://me:very-secret@site.example"),
    ],
)
def test_what_is_misplaced_is_not_quoted_where_it_may_be_a_secret(
    tmp_path: Path, variable: str, value: str
) -> None:
    """A token in place of the group that it belongs to, or in an address."""
    with pytest.raises(InvalidSettingError) as raised:
        load(tmp_path, "", **{variable: value})
    assert "very-secret" not in f"{raised.value} {raised.value.__cause__}"


def test_a_setting_about_tokens_is_no_secret(tmp_path: Path) -> None:
    """What was written is quoted, so that it can be found."""
    with pytest.raises(InvalidSettingError) as raised:
        load(tmp_path, "hugging_face: {implicit_token: perhaps}")
    assert "got `perhaps`" in str(raised.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hugging_face: {endpoint: 'ftp://hub.example'}", "expected an address such as"),
        ("civitai: {endpoint: 'https://me:word@site.example'}", "without a password"),
        ("download: {parallel: 0}", "greater than or equal to 1"),
        ("download: {rate: fast}", "got `fast`"),
        ("download: {private_addresses: some}", "'refuse', 'as-named' or 'allow'"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    """With the setting, the line and what was expected."""
    with pytest.raises(InvalidSettingError) as raised:
        load(tmp_path, text)
    assert expected in str(raised.value)
