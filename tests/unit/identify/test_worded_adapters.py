"""Adapters of denoisers without a base that look like one of a base: what words say, and what they cannot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from modelshelf.identify import identify
from modelshelf.schema.identity import Identity
from modelshelf.schema.tensor import TensorEntry, TensorIndex
from modelshelf.schema.vocabulary import base_meant
from modelshelf.testing import tiny
from tests.sweeps.adapters import ADAPTED
from tests.unit.identify.adapter_layouts import DENOISERS, KINDS, Modules, adapter
from tests.unit.identify.layouts import Shapes

_PEFT = KINDS["peft"][1]


def _identify(shapes: Shapes, **metadata: str) -> Identity:
    tensors = {name: TensorEntry("BF16", shape, 0, 2) for name, shape in shapes.items()}
    return identify(TensorIndex(tensors, metadata=metadata))


def _possible(identity: Identity) -> list[str]:
    return [base.value for base in identity.bases or identity.candidates]


def _attentions(name: str) -> Modules:
    words = ("attn1.to_", "attn2.to_", "cross_attn.", "self_attn.")
    return {
        path: shape
        for path, shape in ADAPTED[name].modules.items()
        if len(shape) > 1 and any(word in path for word in words)
    }


_WORDS = {
    "Efficient-Large-Model/SANA-WM": ("sana-1.6b", "sana"),
    "EasyAnimateV5.1-12b-zh-InP": ("mochi", "mochi"),
    "alibaba-pai/EasyAnimateV5.1-12b-zh-Control-Camera": ("cogvideox 5b", "cogvideox"),
    "maxin-cn/Latte-1": ("sana small", "pixart sana"),
    "BestWishYsh/ConsisID-preview": ("cogvideox 5b", "cogvideox"),
    "BestWishYSH/Helios-Base": ("wan diffusers", "wan"),
    "AnyFlow-Wan2.1-T2V-14B-Diffusers": ("wan 14b", "wan"),
    "damo-vilab/text-to-video-ms-1.7b": ("sd-2", "sd-2"),
    "cerspense/zeroscope_v2_576w": ("sd-2", "sd-2"),
    "ali-vilab/i2vgen-xl": ("sd-2", "sd-2"),
}


@pytest.mark.parametrize("word", _WORDS)
def test_words_leave_no_base_where_a_stranger_has_the_same_modules(word: str) -> None:
    """Nearly everybody adapts the base, so that it is named where nobody says otherwise."""
    name, base = _WORDS[word]
    is_unet = base == "sd-2"
    modules = ADAPTED[name].modules if is_unet else _attentions(name)
    shapes = adapter(modules, "peft", _PEFT)
    assert _possible(_identify(shapes)) == base.split()
    for key in ("ss_base_model_version", "modelspec.architecture"):
        named = _identify(shapes, **{key: word})
        assert _possible(named) == ["unknown"]
        assert not any("not believed" in one.found for one in named.evidence)


@pytest.mark.parametrize(
    "word", ["maxin-cn/Latte-1", "facebook/DiT-XL-2-256", "Ovi", "Motif-Video-2B", "JoyImage-Edit"]
)
def test_words_for_strangers_name_no_base(word: str) -> None:
    """They are known so that nobody's base is read into them."""
    meaning = base_meant(word)
    assert meaning is not None
    assert (meaning.bases[0].value, bool(meaning.architecture)) == ("unknown", True)


def test_what_a_base_has_alone_no_words_take_away() -> None:
    """The modulation of each block is FLUX.1's, whatever somebody wrote."""
    shapes = adapter(DENOISERS["flux"].modules, "kohya", _PEFT)
    assert _possible(_identify(shapes, ss_base_model_version="Helios-Base")) == ["flux"]


def test_what_lies_beside_an_adapter_may_name_a_stranger(tmp_path: Path) -> None:
    """PEFT writes the repository that it trained on."""
    written = adapter(_attentions("cogvideox-5b"), "peft model", _PEFT)
    path = tmp_path / "adapter_model.safetensors"
    tiny.write_safetensors(
        path, {name: ("BF16", shape) for name, shape in written.items()}, seed=1, hollow=True
    )
    config = {"base_model_name_or_path": "BestWishYsh/ConsisID-preview"}
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    assert _possible(identify(tmp_path)) == ["unknown"]


@pytest.mark.parametrize(
    ("prefixes", "expected"),
    [
        (["video_model."], ["unknown"]),
        (["audio_model."], ["unknown"]),
        (["video_model.", "audio_model."], ["unknown"]),
        (["first_half.", "second_half."], []),
        (["anything.", ""], []),
        (["anything."], ["wan"]),
        (["anything.more."], ["wan"]),
    ],
)
def test_half_of_a_stranger_behind_a_name_is_not_what_stands_inside(
    prefixes: list[str], expected: list[str]
) -> None:
    """Ovi is Wan's small denoiser twice; a wrapper that nobody knows comes off where all share it."""
    modules = DENOISERS["wan 5b"].modules
    shapes: Shapes = {}
    for prefix in prefixes:
        shapes |= adapter({f"{prefix}{path}": one for path, one in modules.items()}, "bare", _PEFT)
    assert _possible(_identify(shapes)) == expected


@pytest.mark.parametrize("places", [range(0, 8, 2), [0]])
@pytest.mark.parametrize("word", ["to_q", "to_out"])
def test_what_is_left_of_a_face_adapter_is_no_lora(word: str, places: Sequence[int]) -> None:
    """FaceID numbers the matrices that it brings; they mean nothing without its own."""
    shapes: Shapes = {}
    for number in places:
        module = f"ip_adapter.{number}.{word}_lora"
        shapes |= {f"{module}.down.weight": (128, 320), f"{module}.up.weight": (320, 128)}
    assert _identify(shapes).type.value == "unknown"
