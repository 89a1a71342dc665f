from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from modelshelf.schema.hub_settings import HubSettings
from modelshelf.sources import read_hub_settings

_OFFICIAL = """
import json
from huggingface_hub import constants, get_token
print(json.dumps({"endpoint": constants.ENDPOINT, "token": get_token(),
                  "offline": constants.HF_HUB_OFFLINE, "cache": constants.HF_HUB_CACHE}))
"""


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"HF_TOKEN": " hf_one\n"},
        {"HF_HOME": "{home}/hf"},
        {"HF_HOME": "{home}/hf", "HF_TOKEN_PATH": "{home}/mine"},
        {"HF_TOKEN_PATH": "{home}/missing"},
        {"XDG_CACHE_HOME": "{home}/xdg"},
        {"HF_HUB_CACHE": "~/models", "HF_HUB_OFFLINE": "1"},
        {"HF_ENDPOINT": "https://mirror.example/", "HF_HUB_OFFLINE": "no"},
        {"HF_ENDPOINT": "https://mirror.example", "HF_TOKEN": ""},
    ],
)
def test_the_environment_means_what_it_means_to_the_official_client(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    """Endpoint, token, offline mode and cache are the same."""
    for path, token in (
        ("hf", "hf_two"),
        ("xdg/huggingface", "hf_three"),
        (".cache/huggingface", "hf_four"),
    ):
        (tmp_path / path).mkdir(parents=True)
        (tmp_path / path / "token").write_text(f"{token}\n")
    (tmp_path / "mine").write_text("hf_five")
    given = {name: text.format(home=tmp_path) for name, text in environ.items()}
    own = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("HF_", "HUGGING", "XDG_"))
    }
    done = subprocess.run(
        [sys.executable, "-c", _OFFICIAL],
        env={**own, "HOME": str(tmp_path), **given},
        capture_output=True,
        text=True,
        check=True,
    )
    official = json.loads(done.stdout)
    ours = read_hub_settings(given, tmp_path)
    assert {
        "endpoint": ours.endpoint,
        "token": ours.token,
        "offline": ours.offline,
        "cache": str(ours.cache),
    } == official


def test_an_implicit_token_can_be_forbidden(tmp_path: Path) -> None:
    """Then only a source's own is sent."""
    environ = {"HF_TOKEN": "hf_one", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}
    assert read_hub_settings(environ, tmp_path).token is None


def test_a_token_file_that_is_none_is_no_token(tmp_path: Path) -> None:
    """A folder, or bytes that are no text."""
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for path in (tmp_path, tmp_path / "binary"):
        assert read_hub_settings({"HF_TOKEN_PATH": str(path)}, tmp_path).token is None


def test_settings_show_no_token() -> None:
    """Neither in a log nor in a traceback."""
    assert "hf_one" not in repr(HubSettings(token="hf_one"))  # noqa: S106 - it opens nothing
