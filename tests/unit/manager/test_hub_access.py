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
        {"HF_HUB_CACHE": "{home}/models", "HF_HUB_OFFLINE": "1"},
        {"HF_ENDPOINT": "https://mirror.example/", "HF_HUB_OFFLINE": "no"},
        {"HF_ENDPOINT": "https://mirror.example", "HF_TOKEN": ""},
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
    monkeypatch.setenv("HOME", str(tmp_path))
    root = {"MODELSHELF_ROOT": str(tmp_path / "shelf")}
    ours = hub_access(Settings.load(environ={**given, **root}))
    assert {
        "endpoint": ours.endpoint,
        "token": ours.token,
        "offline": ours.offline,
        "cache": str(ours.cache),
    } == official


def test_settings_show_no_token() -> None:
    """Neither in a log nor in a traceback."""
    assert "hf_one" not in repr(HubSettings(token="hf_one"))  # noqa: S106 - it opens nothing
