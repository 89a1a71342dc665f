"""Published denoisers of video: layouts, and what is right to say of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.unit.identify.layouts import Shapes
from tests.unit.identify.more_video_layouts import (
    COSMOS_1_7B,
    COSMOS_1_14B,
    COSMOS_2_06B,
    COSMOS_2_2B,
    COSMOS_2_14B,
    cosmos_1,
    cosmos_2,
    cosmos_diffusers,
    cosmos_transfer,
    kandinsky_5,
    longcat_video,
    minimax_h3,
    minimax_h3_diffusers,
    motion_modules,
    motion_modules_original,
    sparse_control,
    svd,
    svd_diffusers,
)
from tests.unit.identify.other_video_layouts import (
    COGVIDEOX_2B,
    COGVIDEOX_5B,
    LTX_2B,
    LTX_13B,
    cogvideox,
    cogvideox_original,
    ltx_2,
    ltx_2_3,
    ltx_2_5,
    ltx_original,
    ltx_video,
    mochi,
    mochi_diffusers,
)
from tests.unit.identify.video_layouts import (
    WAN_1_3B,
    WAN_5B,
    WAN_14B,
    framepack,
    hunyuan_video,
    hunyuan_video_1_5,
    hunyuan_video_1_5_diffusers,
    hunyuan_video_diffusers,
    layer,
    wan,
    wan_diffusers,
)


@dataclass(frozen=True)
class Published:
    """A published model, and what is right to say of it."""

    rule: str
    shapes: Callable[[], Shapes]
    base: str
    variant: str | None = None
    prediction: str | None = "flow"
    architecture: str = ""
    kind: str = "main"


def _wan(
    architecture: str, variant: str | None, own: Callable[[], Shapes]
) -> tuple[Published, ...]:
    """Both ways of naming one Wan."""
    return tuple(
        Published(f"wan/main/{layout}", shapes, "wan", variant, "flow", architecture)
        for layout, shapes in (("original", own), ("diffusers", lambda: wan_diffusers(own())))
    )


def _added(shapes: Shapes, **modules: tuple[int, ...]) -> Callable[[], Shapes]:
    """A Wan with modules of its own; `_` at the end of a name stands for what follows."""
    named = {f"{name.replace('__', '.')}.weight": shape for name, shape in modules.items()}
    return lambda: shapes | named


WAN = (
    *_wan("wan-2.1-t2v-1.3b", "t2v", lambda: wan(*WAN_1_3B)),
    *_wan("wan-t2v-14b", "t2v", lambda: wan(*WAN_14B)),
    *_wan("wan-2.1-i2v-14b", "i2v", lambda: wan(*WAN_14B, inputs=36, image=True)),
    *_wan("wan-2.1-i2v-1.3b", "i2v", lambda: wan(*WAN_1_3B, inputs=36, image=True)),
    *_wan(
        "wan-2.1-flf2v-14b", "flf2v", lambda: wan(*WAN_14B, inputs=36, image=True, last_frame=True)
    ),
    *_wan("wan-2.1-vace-1.3b", "vace", lambda: wan(*WAN_1_3B, vace=15)),
    *_wan("wan-vace-14b", "vace", lambda: wan(*WAN_14B, vace=8)),
    *_wan("wan-2.1-fun-control-1.3b", "control", lambda: wan(*WAN_1_3B, inputs=48, image=True)),
    *_wan("wan-2.1-fun-control-14b", "control", lambda: wan(*WAN_14B, inputs=48, image=True)),
    *_wan("wan-2.2-fun-control-a14b", "control", lambda: wan(*WAN_14B, inputs=52)),
    *_wan("wan-2.2-i2v-a14b", "i2v", lambda: wan(*WAN_14B, inputs=36)),
    *_wan("wan-2.2-ti2v-5b", None, lambda: wan(*WAN_5B, inputs=48, latents=48)),
    Published(
        "wan/main/original",
        _added(
            wan(*WAN_14B, inputs=36, image=True),
            face_adapter__fuser_blocks__0__linear2=(5120, 5120),
            pose_patch_embedding=(5120, 16, 1, 2, 2),
        ),
        "wan",
        "animate",
        architecture="wan-2.2-animate-14b",
    ),
    Published(
        "wan/main/original",
        _added(wan(*WAN_14B), casual_audio_encoder__encoder__final_linear=(5120, 1024)),
        "wan",
        "s2v",
        architecture="wan-2.2-s2v-14b",
    ),
    Published(
        "wan/main/original",
        _added(wan(*WAN_1_3B, inputs=32, image=True), control_adapter__conv=(1536, 24, 2, 2)),
        "wan",
        "camera",
        architecture="wan-2.1-fun-camera-1.3b",
    ),
    Published(
        "wan/main/original",
        _added(wan(*WAN_14B, inputs=36), control_adapter__conv=(5120, 24, 2, 2)),
        "wan",
        "camera",
        architecture="wan-2.2-fun-camera-a14b",
    ),
    # HuMo's audio: Wan's blocks, and none of the variants that there are words for.
    Published(
        "wan/main/original",
        _added(wan(*WAN_14B, inputs=36), audio_proj__norm=(1536,)),
        "wan",
    ),
)
HUNYUAN = (
    Published("hunyuan-video/main/original", hunyuan_video, "hunyuan-video", "t2v"),
    Published("hunyuan-video/main/original", lambda: hunyuan_video(33), "hunyuan-video", "i2v"),
    Published("hunyuan-video/main/diffusers", hunyuan_video_diffusers, "hunyuan-video", "t2v"),
    Published(
        "hunyuan-video/main/diffusers",
        lambda: hunyuan_video_diffusers(32),
        "hunyuan-video",
        "i2v",
    ),
    Published("framepack/main/diffusers", framepack, "framepack", "i2v"),
    Published("hunyuan-video-1.5/main/original", hunyuan_video_1_5, "hunyuan-video-1.5"),
    Published("hunyuan-video-1.5/main/diffusers", hunyuan_video_1_5_diffusers, "hunyuan-video-1.5"),
)
LTX = tuple(
    Published(f"{rule}/main/{layout}", named, "ltx-video", architecture=architecture)
    for rule, architecture, shapes in (
        ("ltx-video", "ltx-video-2b", lambda: ltx_video(*LTX_2B)),
        ("ltx-video", "ltx-video-13b", lambda: ltx_video(*LTX_13B)),
        ("ltx-2", "ltx-2-19b", ltx_2),
        ("ltx-2", "ltx-2.3-22b", ltx_2_3),
        ("ltx-2", "ltx-2.5-22b", ltx_2_5),
    )
    for layout, named in (
        ("diffusers", shapes),
        ("original", lambda shapes=shapes: ltx_original(shapes())),
    )
)
COGVIDEOX = tuple(
    Published(f"cogvideox/main/{layout}", shapes, "cogvideox", variant, "v_prediction", name)
    for layout, name, variant, shapes in (
        ("diffusers", "cogvideox-2b", "t2v", lambda: cogvideox(*COGVIDEOX_2B)),
        ("diffusers", "cogvideox-5b", "t2v", lambda: cogvideox(*COGVIDEOX_5B)),
        (
            "diffusers",
            "cogvideox-5b",
            "i2v",
            lambda: cogvideox(*COGVIDEOX_5B, frames=2, learned=True),
        ),
        # Fun's control model: two latents, and nothing that says what the second is.
        ("diffusers", "cogvideox-5b", None, lambda: cogvideox(*COGVIDEOX_5B, frames=2)),
        (
            "diffusers",
            "cogvideox-1.5-5b",
            "t2v",
            lambda: cogvideox(*COGVIDEOX_5B, has_time_patches=True),
        ),
        (
            "diffusers",
            "cogvideox-1.5-5b",
            "i2v",
            lambda: cogvideox(*COGVIDEOX_5B, frames=2, has_time_patches=True),
        ),
        ("original", "cogvideox-2b", None, lambda: cogvideox_original(*COGVIDEOX_2B)),
        ("original", "cogvideox-5b", None, lambda: cogvideox_original(*COGVIDEOX_5B)),
    )
)
COSMOS = tuple(
    Published(rule, shapes, "cosmos", variant, prediction, architecture)
    for rule, architecture, variant, prediction, shapes in (
        (
            "cosmos-1/main/original",
            "cosmos-1-7b",
            "t2v",
            None,
            lambda: cosmos_1(cosmos_diffusers(*COSMOS_1_7B, has_positions=True)),
        ),
        (
            "cosmos-1/main/original",
            "cosmos-1-14b",
            "i2v",
            None,
            lambda: cosmos_1(cosmos_diffusers(*COSMOS_1_14B, inputs=72, has_positions=True)),
        ),
        (
            "cosmos/main/diffusers",
            "cosmos-1-14b",
            "i2v",
            None,
            lambda: cosmos_diffusers(*COSMOS_1_14B, inputs=72, has_positions=True),
        ),
        (
            "cosmos-2/main/original",
            "cosmos-predict2-0.6b",
            None,
            "flow",
            lambda: cosmos_2(cosmos_diffusers(*COSMOS_2_06B, head=64)),
        ),
        (
            "cosmos-2/main/original",
            "cosmos-predict2-2b",
            None,
            "flow",
            lambda: cosmos_2(cosmos_diffusers(*COSMOS_2_2B)),
        ),
        (
            "cosmos-2/main/original",
            "cosmos-predict2-14b",
            "i2v",
            "flow",
            lambda: cosmos_2(cosmos_diffusers(*COSMOS_2_14B, inputs=72)),
        ),
        (
            "cosmos/main/diffusers",
            "cosmos-predict2-2b",
            "i2v",
            "flow",
            lambda: cosmos_diffusers(*COSMOS_2_2B, inputs=72),
        ),
        (
            "cosmos/main/diffusers",
            "cosmos-predict2.5",
            None,
            "flow",
            lambda: (
                cosmos_diffusers(*COSMOS_2_2B, inputs=72) | layer("crossattn_proj.0", 1024, 100352)
            ),
        ),
        (
            "cosmos-2.5/main/transfer",
            "cosmos-transfer2.5",
            "control",
            "flow",
            cosmos_transfer,
        ),
    )
)
SVD = tuple(
    Published(f"svd/main/{layout}", shapes, "svd", "i2v", "v_prediction", architecture)
    for architecture, label in (("svd", 768), ("sv3d-u", 256), ("sv3d-p", 1280))
    for layout, shapes in (
        ("ldm", lambda label=label: svd(label)),
        ("diffusers", lambda label=label: svd_diffusers(label)),
    )
)
MOTION = tuple(
    Published(
        f"{base}/motion-adapter/{layout}", shapes, base, None, None, name, kind="motion_adapter"
    )
    for base, name, own in (
        ("sd-1", "animatediff-v1", lambda: motion_modules(24)),
        ("sd-1", "animatediff-v2", lambda: motion_modules(has_middle=True)),
        ("sd-1", "animatediff-v3", motion_modules),
        ("sdxl", "animatediff-sdxl-beta", lambda: motion_modules(is_sdxl=True)),
    )
    for layout, shapes in (
        ("diffusers", own),
        ("original", lambda own=own: motion_modules_original(own())),
    )
)
REST = (
    Published("mochi/main/original", mochi, "mochi", "t2v"),
    Published("mochi/main/diffusers", mochi_diffusers, "mochi", "t2v"),
    Published(
        "kandinsky-5/main/video",
        lambda: kandinsky_5(1792, 32),
        "kandinsky-5",
        architecture="kandinsky-5-video-lite",
    ),
    Published(
        "kandinsky-5/main/video",
        lambda: kandinsky_5(4096, 60, texts=4, time=1024, head=128),
        "kandinsky-5",
        architecture="kandinsky-5-video-pro",
    ),
    Published("minimax-h3/main/original", minimax_h3, "minimax-h3"),
    Published("minimax-h3/main/diffusers", minimax_h3_diffusers, "minimax-h3"),
    # No base has its name; what it is, is known.
    Published(
        "longcat-video/main/original", longcat_video, "unknown", architecture="longcat-video"
    ),
    Published(
        "sd-1/controlnet/sparse",
        sparse_control,
        "sd-1",
        None,
        None,
        "animatediff-sparsectrl",
        kind="controlnet",
    ),
)
PUBLISHED = (*WAN, *HUNYUAN, *LTX, *COGVIDEOX, *COSMOS, *SVD, *MOTION, *REST)
