"""Full-size module lists of the denoisers that adapters are made for, and every trainer's names.

Written from block counts and widths alone, in another form than the product's own tables, so that a
slip in either shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tests.unit.identify.layouts import Shapes

Module = tuple[int, ...]
"""Width given, width taken, and the sides of a kernel."""
Modules = dict[str, Module]


@dataclass(frozen=True)
class Denoiser:
    """One denoiser in one way of naming its modules."""

    base: str
    modules: Modules
    among: frozenset[str] = frozenset()
    """What else it may honestly be, by an adapter of all these modules; empty where it is certain."""
    variant: str | None = None
    behind: str = ""
    """A base with the same modules and more users, that an adapter of some modules is taken for."""


def _blocks(prefix: str, count: int, inner: Mapping[str, Module]) -> Modules:
    return {
        f"{prefix}.{number}.{name}": shape
        for number in range(count)
        for name, shape in inner.items()
    }


def _square(names: str, width: int) -> Modules:
    return dict.fromkeys(names.split(), (width, width))


def _mlp(first: str, second: str, width: int, inner: int) -> Modules:
    return {first: (inner, width), second: (width, inner)}


def _unet(
    context: int, widths: tuple[int, ...], depths: tuple[int, ...], *, kernel: Module = ()
) -> Modules:
    """Attentions, their projections, and what stands between them, in diffusers' names."""
    found: Modules = {"conv_in": (widths[0], 4, 3, 3)}
    top = len(widths) - 1

    def attend(path: str, width: int, depth: int) -> None:
        found.update(
            dict.fromkeys((f"{path}.proj_in", f"{path}.proj_out"), (width, width, *kernel))
        )
        inner = {
            **_square("attn1.to_q attn1.to_k attn1.to_v attn1.to_out.0", width),
            **_square("attn2.to_q attn2.to_out.0", width),
            "attn2.to_k": (width, context),
            "attn2.to_v": (width, context),
            **_mlp("ff.net.0.proj", "ff.net.2", width, 4 * width),
        }
        inner["ff.net.0.proj"] = (8 * width, width)
        found.update(_blocks(f"{path}.transformer_blocks", depth, inner))

    for level, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        for place in range(2 if depth else 0):
            attend(f"down_blocks.{level}.attentions.{place}", width, depth)
        for place in range(3 if depth else 0):
            attend(f"up_blocks.{top - level}.attentions.{place}", width, depth)
        found[f"down_blocks.{level}.resnets.1.conv1"] = (width, width, 3, 3)
        found[f"down_blocks.{level}.resnets.0.time_emb_proj"] = (width, 4 * widths[0])
        if level < top:
            found[f"down_blocks.{level}.downsamplers.0.conv"] = (width, width, 3, 3)
    attend("mid_block.attentions.0", widths[-1], max(depths))
    return found


def _original_unet(modules: Modules, levels: int) -> Modules:
    """The same modules under the names of the original code, as far as those are attentions."""
    found: Modules = {"input_blocks.0.0": modules["conv_in"]}
    for name, shape in modules.items():
        steps = name.split(".")
        if steps[:2] == ["mid_block", "attentions"]:
            found[".".join(["middle_block.1", *steps[3:]])] = shape
        elif steps[2:3] == ["attentions"]:
            level, place = int(steps[1]), int(steps[3])
            stack = "input_blocks" if steps[0] == "down_blocks" else "output_blocks"
            number = 3 * level + place + (stack == "input_blocks")
            found[".".join([f"{stack}.{number}.1", *steps[4:]])] = shape
    assert levels
    return found


_SD_1 = _unet(768, (320, 640, 1280, 1280), (1, 1, 1, 0), kernel=(1, 1))
_SD_2 = _unet(1024, (320, 640, 1280, 1280), (1, 1, 1, 0))
_SDXL = _unet(2048, (320, 640, 1280), (0, 2, 10))
_REFINER = _unet(1280, (384, 768, 1536, 1536), (0, 4, 4, 0))


def _flux(width: int, double: int, single: int, gate: int = 1) -> Modules:
    """Double and single blocks in the original names; *gate* 2 is FLUX.2's perceptron."""
    inner = (4 if gate == 1 else 3) * width
    streams: Modules = {}
    for stream in ("img", "txt"):
        streams[f"{stream}_attn.qkv"] = (3 * width, width)
        streams[f"{stream}_attn.proj"] = (width, width)
        streams[f"{stream}_mlp.0"] = (inner * gate, width)
        streams[f"{stream}_mlp.2"] = (width, inner)
    ends = {"linear1": (3 * width + gate * inner, width), "linear2": (width, width + inner)}
    return {
        **_blocks("double_blocks", double, streams),
        **_blocks("single_blocks", single, ends),
    }


def _modulated(modules: Modules, double: int, single: int, word: str = "lin") -> Modules:
    width = next(iter(modules.values()))[1]
    sides = {f"img_mod.{word}": (6 * width, width), f"txt_mod.{word}": (6 * width, width)}
    return {
        **modules,
        **_blocks("double_blocks", double, sides),
        **_blocks("single_blocks", single, {f"modulation.{word}": (3 * width, width)}),
    }


def _hunyuan(width: int, double: int, single: int) -> Modules:
    """HunyuanVideo's own names, which underscores make FLUX.1's."""
    words = (("img_attn.", "img_attn_"), ("txt_attn.", "txt_attn_"), ("mlp.0", "mlp.fc1"))
    found: Modules = {}
    for name, shape in _flux(width, double, single).items():
        for old, new in (*words, ("mlp.2", "mlp.fc2")):
            name = name.replace(old, new)  # noqa: PLW2901 -- one word after the other
        found[name] = shape
    return _modulated(found, double, single, "linear")


_JOINT = "attn.to_q attn.to_k attn.to_v attn.to_out.0"
_ADDED = "attn.add_q_proj attn.add_k_proj attn.add_v_proj attn.to_add_out"


def _joint(width: int, double: int, single: int) -> Modules:
    """FLUX.1's blocks as diffusers names them; Chroma's, HunyuanVideo's and FramePack's too."""
    inner = {
        **_square(f"{_JOINT} {_ADDED}", width),
        **_mlp("ff.net.0.proj", "ff.net.2", width, 4 * width),
        **_mlp("ff_context.net.0.proj", "ff_context.net.2", width, 4 * width),
    }
    alone = {
        **_square("attn.to_q attn.to_k attn.to_v", width),
        "proj_mlp": (4 * width, width),
        "proj_out": (width, 5 * width),
    }
    return {
        **_blocks("transformer_blocks", double, inner),
        **_blocks("single_transformer_blocks", single, alone),
    }


def _flux_2(width: int, double: int, single: int) -> Modules:
    inner = {
        **_square(f"{_JOINT} {_ADDED}", width),
        "ff.linear_in": (6 * width, width),
        "ff.linear_out": (width, 3 * width),
    }
    alone = {"attn.to_qkv_mlp_proj": (9 * width, width), "attn.to_out": (width, 4 * width)}
    return {
        **_blocks("transformer_blocks", double, inner),
        **_blocks("single_transformer_blocks", single, alone),
    }


def _sd_3(width: int, count: int) -> Modules:
    inner = {
        **_square(f"{_JOINT} {_ADDED}", width),
        **_mlp("ff.net.0.proj", "ff.net.2", width, 4 * width),
        **_mlp("ff_context.net.0.proj", "ff_context.net.2", width, 4 * width),
    }
    return _blocks("transformer_blocks", count, inner)


def _sd_3_original(width: int, count: int) -> Modules:
    inner: Modules = {}
    for block in ("x_block", "context_block"):
        inner[f"{block}.attn.qkv"] = (3 * width, width)
        inner[f"{block}.attn.proj"] = (width, width)
        inner |= _mlp(f"{block}.mlp.fc1", f"{block}.mlp.fc2", width, 4 * width)
    return _blocks("joint_blocks", count, inner)


def _qwen(count: int = 60, width: int = 3072) -> Modules:
    inner = {
        **_square(f"{_JOINT} {_ADDED}", width),
        "img_mod.1": (6 * width, width),
        **_mlp("img_mlp.net.0.proj", "img_mlp.net.2", width, 4 * width),
        **_mlp("txt_mlp.net.0.proj", "txt_mlp.net.2", width, 4 * width),
    }
    return _blocks("transformer_blocks", count, inner)


def _layers(count: int, width: int, inner: int, attention: Modules, refiners: int = 2) -> Modules:
    """Lumina's and Z-Image's blocks: the layers, and two that refine the image."""
    block = {
        **attention,
        "feed_forward.w1": (inner, width),
        "feed_forward.w2": (width, inner),
        "feed_forward.w3": (inner, width),
    }
    return {**_blocks("layers", count, block), **_blocks("noise_refiner", refiners, block)}


def _wan(width: int, count: int, inner: int) -> Modules:
    block = {
        **_square("self_attn.q self_attn.k self_attn.v self_attn.o", width),
        **_square("cross_attn.q cross_attn.k cross_attn.v cross_attn.o", width),
        **_mlp("ffn.0", "ffn.2", width, inner),
    }
    return _blocks("blocks", count, block)


_ATTENTIONS = "attn1.to_q attn1.to_k attn1.to_v attn1.to_out.0"
_CROSS = _ATTENTIONS.replace("attn1", "attn2")


def _plain(stack: str, count: int, width: int, inner: int, names: str, ffn: str = "ff") -> Modules:
    """One stack of attentions of one width."""
    block = {**_square(names, width), **_mlp(f"{ffn}.net.0.proj", f"{ffn}.net.2", width, inner)}
    return _blocks(stack, count, block)


def _wan_first_image() -> Modules:
    added = _square("cross_attn.k_img cross_attn.v_img", 5120)
    return {**_wan(5120, 40, 13824), **_blocks("blocks", 40, added)}


def _wan_animate() -> Modules:
    """Wan's blocks, and the attentions that look at a face."""
    fuser = {**_square("linear1_q linear2", 5120), "linear1_kv": (10240, 5120)}
    return {**_wan(5120, 40, 13824), **_blocks("face_adapter.fuser_blocks", 8, fuser)}


def _ltx_2_3() -> Modules:
    """Two streams, each attention with a gate for each head, and the modulation of the text."""
    names = ("to_q", "to_k", "to_v", "to_out.0", "to_gate_logits")
    block: Modules = {}
    for stem, width in (("attn1", 4096), ("attn2", 4096), ("audio_attn1", 2048)):
        block |= {f"{stem}.{name}": (width, width) for name in names}
        block[f"{stem}.to_gate_logits"] = (32, width)
    return {
        **_blocks("transformer_blocks", 48, block),
        "adaln_single.linear": (9 * 4096, 4096),
        "prompt_adaln_single.linear": (2 * 4096, 4096),
        "audio_prompt_adaln_single.linear": (2 * 2048, 2048),
    }


def _mochi() -> Modules:
    block = {
        **_square(_ATTENTIONS, 3072),
        **dict.fromkeys(("attn1.add_q_proj", "attn1.add_k_proj", "attn1.add_v_proj"), (3072, 1536)),
        "ff.net.0.proj": (16384, 3072),
        "ff.net.2": (3072, 8192),
    }
    return _blocks("transformer_blocks", 48, block)


def _cosmos() -> Modules:
    block = {
        **_square("self_attn.q_proj self_attn.k_proj self_attn.v_proj self_attn.output_proj", 2048),
        **_square("cross_attn.q_proj cross_attn.output_proj", 2048),
        "cross_attn.k_proj": (2048, 1024),
        "cross_attn.v_proj": (2048, 1024),
        **_mlp("mlp.layer1", "mlp.layer2", 2048, 8192),
    }
    return _blocks("blocks", 28, block)


def _anima() -> Modules:
    names = "self_attn.q_proj self_attn.o_proj cross_attn.k_proj"
    return {**_cosmos(), **_blocks("llm_adapter.blocks", 6, _square(names, 1024))}


def _hidream() -> Modules:
    attention = _square(_ATTENTIONS.replace(".0", ""), 2560)
    double = {**attention, **_square("attn1.to_q_t attn1.to_k_t attn1.to_v_t", 2560)}
    double["ff_t.w1"] = (6912, 2560)
    return {
        **_blocks(
            "double_stream_blocks", 16, {f"block.{name}": one for name, one in double.items()}
        ),
        **_blocks(
            "single_stream_blocks", 32, {f"block.{name}": one for name, one in attention.items()}
        ),
    }


def _sana(width: int, count: int) -> Modules:
    block = {
        **_square(f"{_ATTENTIONS} {_CROSS}", width),
        "ff.conv_inverted": (5 * width, width, 1, 1),
    }
    return _blocks("transformer_blocks", count, block)


def _krea() -> Modules:
    block = {
        **_square("attn.wq attn.wo attn.gate", 6144),
        "attn.wk": (1536, 6144),
        "attn.wv": (1536, 6144),
        **_mlp("mlp.up", "mlp.down", 6144, 16384),
    }
    return _blocks("blocks", 28, block)


def _auraflow() -> Modules:
    inner = {
        **_square(f"{_JOINT} {_ADDED}", 3072),
        "ff.linear_1": (8192, 3072),
        "ff.out_projection": (3072, 8192),
    }
    alone = {**_square(_JOINT, 3072), "ff.linear_1": (8192, 3072)}
    return {
        **_blocks("joint_transformer_blocks", 4, inner),
        **_blocks("single_transformer_blocks", 32, alone),
    }


def _cascade() -> Modules:
    found: Modules = {}
    for level, count in ((0, 8), (1, 24)):
        for place in range(count):
            path = f"down_blocks.{level}.{3 * place + 2}"
            found |= {f"{path}.attention.{one}": (2048, 2048) for one in ("to_q", "to_k", "to_v")}
            found[f"{path}.kv_mapper.1"] = (2048, 2048)
    return found


def _added(widths: Mapping[int, int], text: int, layers: int) -> Modules:
    """A UNet whose attentions stand alone in a level and take text beside the picture."""
    top = max(widths)
    places = {"mid_block.attentions.0": widths[top]}
    for level, width in widths.items():
        for place in range(layers):
            places[f"down_blocks.{level}.attentions.{place}"] = width
        for place in range(layers + 1):
            places[f"up_blocks.{top - level}.attentions.{place}"] = width
    return {
        f"{path}.{name}": shape
        for path, width in places.items()
        for name, shape in {
            **_square("to_q to_k to_v to_out.0", width),
            **dict.fromkeys(("add_k_proj", "add_v_proj"), (width, text)),
        }.items()
    }


DENOISERS: dict[str, Denoiser] = {
    "sd-1": Denoiser("sd-1", _SD_1),
    "sd-1 original": Denoiser("sd-1", _original_unet(_SD_1, 4)),
    "sd-2": Denoiser("sd-2", _SD_2),
    "sdxl": Denoiser("sdxl", _SDXL),
    "sdxl original": Denoiser("sdxl", _original_unet(_SDXL, 3)),
    "refiner": Denoiser("sdxl-refiner", _REFINER),
    "kolors": Denoiser("kolors", {**_SDXL, "encoder_hid_proj": (2048, 4096)}, behind="sdxl"),
    "cascade": Denoiser("stable-cascade", _cascade()),
    "sd-3 medium": Denoiser("sd-3", _sd_3(1536, 24)),
    "sd-3.5 large": Denoiser("sd-3", _sd_3(2432, 38)),
    "sd-3 original": Denoiser("sd-3", _sd_3_original(1536, 24)),
    "flux": Denoiser("flux", _modulated(_flux(3072, 19, 38), 19, 38)),
    "flux diffusers": Denoiser("flux", _joint(3072, 19, 38)),
    "chroma": Denoiser(
        "chroma",
        {**_flux(3072, 19, 38), "distilled_guidance_layer.in_proj": (5120, 64)},
        behind="flux",
    ),
    "flux2 dev": Denoiser("flux2", _flux(6144, 8, 48, 2), variant="dev"),
    "flux2 klein 9b": Denoiser("flux2", _flux(4096, 8, 24, 2), variant="klein_9b"),
    "flux2 klein 4b": Denoiser("flux2", _flux(3072, 5, 20, 2), variant="klein_4b"),
    "flux2 diffusers": Denoiser("flux2", _flux_2(6144, 8, 48), variant="dev"),
    "klein diffusers": Denoiser("flux2", _flux_2(3072, 5, 20), variant="klein_4b"),
    "qwen-image": Denoiser("qwen-image", _qwen()),
    "z-image": Denoiser(
        "z-image",
        _layers(30, 3840, 10240, {"attention.qkv": (11520, 3840), "attention.out": (3840, 3840)}),
    ),
    "z-image diffusers": Denoiser(
        "z-image",
        _layers(30, 3840, 10240, _square(_JOINT.replace("attn", "attention"), 3840)),
    ),
    "lumina2": Denoiser(
        "lumina2",
        _layers(26, 2304, 9216, {"attention.qkv": (3840, 2304), "attention.out": (2304, 2304)}),
    ),
    "ideogram-4": Denoiser(
        "ideogram-4",
        _layers(34, 4608, 12288, {"attention.qkv": (13824, 4608), "attention.o": (4608, 4608)}, 0),
    ),
    "wan 1.3b": Denoiser("wan", _wan(1536, 30, 8960)),
    "wan animate": Denoiser("wan", _wan_animate()),
    "wan 14b": Denoiser("wan", _wan(5120, 40, 13824)),
    "wan 5b": Denoiser("wan", _wan(3072, 30, 14336)),
    "wan first image": Denoiser("wan", _wan_first_image(), variant="i2v"),
    "wan diffusers": Denoiser(
        "wan", _plain("blocks", 40, 5120, 13824, f"{_ATTENTIONS} {_CROSS}", "ffn")
    ),
    "hunyuan-video": Denoiser("hunyuan-video", _hunyuan(3072, 20, 40)),
    "hunyuan-video diffusers": Denoiser(
        "hunyuan-video",
        _joint(3072, 20, 40),
        among=frozenset({"hunyuan-video", "framepack"}),
    ),
    "framepack": Denoiser(
        "framepack",
        {**_joint(3072, 20, 40), "clean_x_embedder.proj": (3072, 16, 1, 2, 2)},
    ),
    "hunyuan-image": Denoiser("hunyuan-image-2.1", _hunyuan(3584, 20, 40)),
    "hunyuan-video-1.5": Denoiser(
        "hunyuan-video-1.5",
        _blocks(
            "double_blocks",
            54,
            {
                **_square("img_attn_q img_attn_k img_attn_v txt_attn_q txt_attn_proj", 2048),
                **_mlp("img_mlp.fc1", "img_mlp.fc2", 2048, 8192),
            },
        ),
    ),
    "ltx": Denoiser(
        "ltx-video",
        _plain("transformer_blocks", 28, 2048, 8192, f"{_ATTENTIONS} {_CROSS}"),
    ),
    "ltx-2.3": Denoiser("ltx-video", _ltx_2_3()),
    "ltx 13b": Denoiser(
        "ltx-video",
        _plain("transformer_blocks", 48, 4096, 16384, f"{_ATTENTIONS} {_CROSS}"),
    ),
    "cogvideox 2b": Denoiser(
        "cogvideox", _plain("transformer_blocks", 30, 1920, 7680, _ATTENTIONS)
    ),
    "cogvideox 5b": Denoiser(
        "cogvideox", _plain("transformer_blocks", 42, 3072, 12288, _ATTENTIONS)
    ),
    "mochi": Denoiser("mochi", _mochi()),
    "cosmos": Denoiser("cosmos", _cosmos(), among=frozenset({"cosmos", "anima"})),
    "anima": Denoiser("anima", _anima()),
    "hidream": Denoiser("hidream", _hidream()),
    "sana": Denoiser("sana", _sana(2240, 20)),
    "sana small": Denoiser("sana", _sana(1152, 28)),
    "pixart": Denoiser(
        "pixart",
        _plain("transformer_blocks", 28, 1152, 4608, f"{_ATTENTIONS} {_CROSS}"),
    ),
    "auraflow": Denoiser("auraflow", _auraflow()),
    "krea-2": Denoiser("krea-2", _krea()),
    "kandinsky-2": Denoiser("kandinsky-2", _added({1: 768, 2: 1152, 3: 1536}, 768, 3)),
    "deepfloyd-if": Denoiser("deepfloyd-if", _added({1: 1408, 2: 2112, 3: 2816}, 2816, 3)),
    "deepfloyd-if 2": Denoiser("deepfloyd-if", _added({2: 768, 3: 1152}, 1152, 2)),
    "cogview4": Denoiser("cogview4", _plain("transformer_blocks", 28, 4096, 16384, _ATTENTIONS)),
}
"""Every base that adapters are told apart for, by a name for tests."""


def _behind(prefix: str, *, flat: bool) -> Callable[[str], str]:
    return lambda path: prefix + (path.replace(".", "_") if flat else path)


NAMINGS: dict[str, Callable[[str], str]] = {
    "kohya": _behind("lora_unet_", flat=True),
    "lycoris": _behind("lycoris_", flat=True),
    "onetrainer": _behind("lora_transformer_", flat=True),
    "peft": _behind("transformer.", flat=False),
    "peft model": _behind("base_model.model.", flat=False),
    "unet": _behind("unet.", flat=False),
    "comfy": _behind("diffusion_model.", flat=False),
    "comfy whole": _behind("model.diffusion_model.", flat=False),
    "bare": _behind("", flat=False),
}
"""What trainers make of a module's path."""


def _pair(first: str, second: str) -> Callable[[Module, int], Iterator[tuple[str, Module]]]:
    def write(shape: Module, rank: int) -> Iterator[tuple[str, Module]]:
        outputs, inputs, *kernel = shape
        yield first, (rank, inputs, *kernel)
        yield second, (outputs, rank, *(1 for _ in kernel))

    return write


def _kohya(shape: Module, rank: int) -> Iterator[tuple[str, Module]]:
    yield from _pair("lora_down.weight", "lora_up.weight")(shape, rank)
    yield "alpha", ()


def _dora(shape: Module, rank: int) -> Iterator[tuple[str, Module]]:
    yield from _kohya(shape, rank)
    yield "dora_scale", (shape[0], *(1 for _ in shape[1:]))


def _dora_peft(shape: Module, rank: int) -> Iterator[tuple[str, Module]]:
    yield from _pair("lora_A.weight", "lora_B.weight")(shape, rank)
    yield "lora_magnitude_vector", (shape[0],)


def _adalora(shape: Module, rank: int) -> Iterator[tuple[str, Module]]:
    yield from _pair("lora_A", "lora_B")(shape, rank)
    yield "lora_E", (rank, 1)
    yield "ranknum", ()


def _tucker(shape: Module, rank: int) -> Iterator[tuple[str, Module]]:
    outputs, inputs, *kernel = shape
    ones = tuple(1 for _ in kernel)
    yield "lora_down.weight", (rank, inputs, *ones)
    yield "lora_up.weight", (outputs, rank, *ones)
    if kernel:
        yield "lora_mid.weight", (rank, rank, *kernel)


def _area(shape: Module) -> int:
    area = shape[1]
    for side in shape[2:]:
        area *= side
    return area


def _loha(shape: Module, rank: int) -> Iterator[tuple[str, Module]]:
    for one in ("w1", "w2"):
        yield f"hada_{one}_a", (shape[0], rank)
        yield f"hada_{one}_b", (rank, _area(shape))


def _loha_tucker(shape: Module, rank: int) -> Iterator[tuple[str, Module]]:
    if len(shape) == 2:
        yield from _loha(shape, rank)
        return
    for one in "12":
        yield f"hada_t{one}", (rank, rank, *shape[2:])
        yield f"hada_w{one}_a", (rank, shape[0])
        yield f"hada_w{one}_b", (rank, shape[1])


def _lokr(shape: Module, rank: int) -> Iterator[tuple[str, Module]]:
    split = 4 if shape[1] % 4 == 0 and shape[0] % 4 == 0 else 1
    yield "lokr_w1", (split, split)
    yield "lokr_w2_a", (shape[0] // split, rank)
    yield "lokr_w2_b", (rank, _area(shape) // split)


def _lokr_whole(shape: Module, _: int) -> Iterator[tuple[str, Module]]:
    split = 2 if shape[1] % 2 == 0 and shape[0] % 2 == 0 else 1
    yield "lokr_w1", (split, split)
    yield "lokr_w2", (shape[0] // split, shape[1] // split, *shape[2:])


def _glora(shape: Module, rank: int) -> Iterator[tuple[str, Module]]:
    outputs, inputs, *_ = shape
    yield "a1.weight", (inputs, rank)
    yield "a2.weight", (rank, inputs)
    yield "b1.weight", (outputs, rank)
    yield "b2.weight", (rank, inputs)


def _full(shape: Module, _: int) -> Iterator[tuple[str, Module]]:
    yield "diff", shape
    yield "diff_b", shape[:1]


Writer = Callable[[Module, int], Iterator[tuple[str, Module]]]
KINDS: dict[str, tuple[str, Writer]] = {
    "kohya": ("lora", _kohya),
    "peft": ("lora", _pair("lora_A.weight", "lora_B.weight")),
    "peft default": ("lora", _pair("lora_A.default.weight", "lora_B.default.weight")),
    "peft bare": ("lora", _pair("lora_A", "lora_B")),
    "diffusers": ("lora", _pair("lora.down.weight", "lora.up.weight")),
    "diffusers layer": (
        "lora",
        _pair("lora_linear_layer.down.weight", "lora_linear_layer.up.weight"),
    ),
    "dora": ("dora", _dora),
    "dora peft": ("dora", _dora_peft),
    "adalora": ("adalora", _adalora),
    "tucker": ("lora", _tucker),
    "loha": ("loha", _loha),
    "loha tucker": ("loha", _loha_tucker),
    "lokr": ("lokr", _lokr),
    "lokr whole": ("lokr", _lokr_whole),
    "glora": ("glora", _glora),
    "full": ("full", _full),
}
"""Endings that show both widths: what the network is called, and what it writes for a module."""


def _oft(shape: Module, rank: int) -> Iterator[tuple[str, Module]]:
    size = 8 if shape[0] % 8 == 0 else 1
    assert rank
    yield "oft_blocks", (shape[0] // size, size, size)


def _oft_peft(shape: Module, rank: int) -> Iterator[tuple[str, Module]]:
    size = 8 if _area(shape) % 8 == 0 else 2
    assert rank
    yield "oft_R.weight", (_area(shape) // size, size * (size - 1) // 2)


def _boft(shape: Module, rank: int) -> Iterator[tuple[str, Module]]:
    size = 8 if shape[0] % 8 == 0 else 1
    yield "oft_blocks", (rank, shape[0] // size, size, size)


def _ia3(shape: Module, rank: int) -> Iterator[tuple[str, Module]]:
    assert rank
    yield "weight", shape[:1]
    yield "on_input", ()


HALVES: dict[str, tuple[str, Writer]] = {
    "oft": ("oft", _oft),
    "oft peft": ("oft", _oft_peft),
    "boft": ("oft", _boft),
    "ia3": ("ia3", _ia3),
}
"""Endings that show one width alone, so that more stays open."""


def adapter(modules: Modules, naming: str, writer: Writer, rank: int = 4) -> Shapes:
    """Return an adapter of these modules, in these names and of this kind."""
    name = NAMINGS[naming]
    return {
        f"{name(path)}.{ending}": shape
        for path, module in modules.items()
        for ending, shape in writer(module, rank)
    }
