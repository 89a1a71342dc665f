from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from modelshelf import Settings
from modelshelf.manager.hub_access import hub_access
from modelshelf.schema.hub_settings import HubSettings

_OFFICIAL = """
import json
from huggingface_hub import constants
from huggingface_hub.utils import build_hf_headers
sent = build_hf_headers().get("authorization", "").removeprefix("Bearer ") or None
print(json.dumps({"endpoint": constants.ENDPOINT, "token": sent,
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
        {"HF_HUB_CACHE": "{home}/models", "HF_HUB_OFFLINE": "1"},
        {"HF_ENDPOINT": "https://mirror.example/", "HF_HUB_OFFLINE": "no"},
        {"HF_ENDPOINT": "https://mirror.example", "HF_TOKEN": ""},
        {"HF_HOME": "~/hf", "HF_HUB_CACHE": "~/models"},
        {"HF_TOKEN_PATH": "~/mine"},
        {"HF_HUB_CACHE": "~nobody-of-that-name/models"},
        {"XDG_CACHE_HOME": "~/xdg"},
        {"HF_HOME": "$HOME/hf", "HF_HUB_CACHE": "${HOME}/$NOBODY/models"},
        {"HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"},
        {"HF_HUB_DISABLE_IMPLICIT_TOKEN": "yes", "HF_TOKEN": "hf_one"},
        {"HF_HUB_DISABLE_IMPLICIT_TOKEN": "no", "HF_TOKEN": "hf_one"},
        {"HUGGING_FACE_HUB_TOKEN": "hf_old", "HUGGINGFACE_HUB_CACHE": "{home}/old"},
        {"HF_TOKEN": "hf_one", "HUGGING_FACE_HUB_TOKEN": "hf_old", "TRANSFORMERS_OFFLINE": "1"},
    ],
)
def test_the_environment_means_what_it_means_to_the_official_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
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
    given = {name: text.replace("{home}", str(tmp_path)) for name, text in environ.items()}
    own = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("HF_", "HUGGING", "TRANSFORMERS_", "XDG_"))
    }
    done = subprocess.run(
        [sys.executable, "-c", _OFFICIAL],
        env={**own, "HOME": str(tmp_path), **given},
        capture_output=True,
        text=True,
        check=True,
    )
    official = json.loads(done.stdout)
    monkeypatch.setenv("HOME", str(tmp_path))
    root = {"MODELSHELF_ROOT": str(tmp_path / "shelf")}
    ours = hub_access(Settings.load(environ={"HOME": str(tmp_path), **given, **root}))
    assert {
        "endpoint": ours.endpoint,
        "token": ours.token,
        "offline": ours.offline,
        "cache": str(ours.cache),
    } == official


def test_settings_show_no_token() -> None:
    """Neither in a log nor in a traceback."""
    assert "hf_one" not in repr(HubSettings(token="hf_one"))  # noqa: S106 - it opens nothing


def test_a_token_that_was_given_for_modelshelf_is_sent_all_the_same(tmp_path: Path) -> None:
    """Whoever forbids tokens that nobody gave has given this one, in the settings or by their variable."""
    silent = {"MODELSHELF_ROOT": str(tmp_path), "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}
    ours = {"MODELSHELF_HUGGING_FACE__TOKEN": "hf_mine", "HF_TOKEN": "hf_one"}
    assert hub_access(Settings.load(environ=silent | ours)).token == "hf_mine"  # noqa: S105
    (tmp_path / "modelshelf.yaml").write_text("hugging_face:\n  token: hf_file\n")
    assert hub_access(Settings.load(environ=silent)).token == "hf_file"  # noqa: S105


def test_paths_of_the_settings_file_may_begin_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As those of the variables may."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "modelshelf.yaml").write_text("hugging_face:\n  cache: ~/hub\n")
    settings = Settings.load(environ={"MODELSHELF_ROOT": str(tmp_path)})
    assert hub_access(settings).cache == tmp_path / "hub"
