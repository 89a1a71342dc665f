"""Restorers are known by the modules that are their own, a plain list of convolutions by its ends."""

from __future__ import annotations

import pytest

from modelshelf.identify import identify
from tests.unit.identify.layouts import Shapes, index_of
from tests.unit.identify.parts.convolution import conv


def _list_of(layers: int, colours: int = 3, step: int = 2, features: int = 64) -> Shapes:
    """DnCNN: every convolution at its number, an activation and maybe a norm behind it."""
    found = conv("model.0", (features, colours, 3, 3))
    first = min(step, 2)
    last = first + step * (layers - 2)
    for place in range(first, last, step):
        found |= conv(f"model.{place}", (features, features, 3, 3))
    return found | conv(f"model.{last}", (colours, features, 3, 3))


def _norms(layers: int) -> Shapes:
    return {
        f"model.{3 * one + 3}.{name}": shape
        for one in range(layers - 2)
        for name, shape in (
            ("weight", (64,)),
            ("bias", (64,)),
            ("running_mean", (64,)),
            ("running_var", (64,)),
            ("num_batches_tracked", ()),
        )
    }


_FEMASR = (
    conv("multiscale_encoder.in_conv", (64, 3, 4, 4))
    | conv("decoder_group.0.block.1", (256, 256, 3, 3))
    | {"quantize_group.0.embedding.weight": (1024, 512)}
)
_SWIN = "weight_predictor.blocks.0.swin_blks.0.residual_group.blocks.0.norm1.weight"

KNOWN: dict[str, Shapes] = {
    "DnCNN": _list_of(17, colours=1),
    "DnCNN of colours": _list_of(20),
    "DnCNN with a map of the noise": _list_of(20) | conv("model.0", (64, 4, 3, 3)),
    "DnCNN with norms": _list_of(17, colours=1, step=3) | _norms(17),
    "FeMaSR": _FEMASR,
    "AdaCode": _FEMASR | {_SWIN: (256,)},
    "DDColor": conv("encoder.arch.stages.0.0.dwconv", (192, 1, 7, 7))
    | {
        "decoder.color_decoder.query_feat.weight": (100, 256),
        "refine_net.0.0.weight_orig": (2, 103, 1, 1),
    },
    "M3SNet": conv("intro", (32, 3, 3, 3))
    | conv("encoders.0.0.sca.1", (32, 32, 1, 1))
    | {"middle_blks.0.temperature": (8, 1, 1), "middle.0.0.gamma": (1, 32, 1, 1)},
    "MAT": conv("model.synthesis.first_stage.conv_first.conv", (180, 4, 3, 3))
    | conv("model.synthesis.first_stage.tran.0.blocks.0.attn.k", (180, 180))
    | {"model.mapping.w_avg": (512,)},
    "MIRNet2": conv("conv_in", (80, 3, 3, 3))
    | conv("body.0.body.0.dau_top.gcnet.conv_mask", (1, 80, 1, 1))
    | conv("body.0.body.0.skff_mid.conv_du.0", (15, 120, 1, 1)),
    "MPRNet": conv("shallow_feat1.0", (40, 3, 3, 3))
    | conv("stage1_encoder.encoder_level1.0.CA.conv_du.0", (10, 40, 1, 1))
    | conv("sam12.conv1", (40, 40, 1, 1))
    | conv("tail", (3, 56, 3, 3)),
}


@pytest.mark.parametrize("name", KNOWN)
def test_restorer_serves_every_base(name: str) -> None:
    """It works on any image."""
    found = identify(index_of(KNOWN[name]))
    assert (found.type, found.base) == ("spandrel_image_to_image", "any")
    assert found.architecture == name.partition(" ")[0]


@pytest.mark.parametrize(
    "shapes",
    [
        _list_of(5),
        _list_of(5, step=3) | _norms(5),
        _list_of(17, features=48),
        _list_of(17, step=1),
        _list_of(17, step=3),
        _list_of(20) | conv("model.0", (64, 1, 3, 3)),
        _list_of(20) | conv("model.0", (64, 4, 3, 3)) | conv("model.38", (1, 64, 3, 3)),
        {name: shape for name, shape in _list_of(17).items() if "bias" not in name},
        _list_of(17) | conv("head", (10, 64, 1, 1)),
        _list_of(17) | conv("model.40", (5, 64, 3, 3)),
    ],
)
def test_another_list_of_convolutions_is_no_restorer(shapes: Shapes) -> None:
    """Its length, its width, its ends, what stands between them and beside it tell."""
    assert identify(index_of(shapes)).type == "unknown"
