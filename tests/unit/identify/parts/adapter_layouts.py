"""Names and full-size shapes of what steers a denoiser, from the published definitions."""

from __future__ import annotations

from tests.unit.identify.layouts import Shapes
from tests.unit.identify.parts.convolution import conv


def control_lora(context: int, rank: int = 128) -> Shapes:
    """Stability's control-LoRA: a ControlNet as a difference of low rank."""
    found: Shapes = {"lora_controlnet": (0,), "zero_convs.0.0.weight": (320, 320, 1, 1)}
    found["input_hint_block.0.weight"] = (16, 3, 3, 3)
    for number in (4, 5, 7, 8):
        attention = f"input_blocks.{number}.1.transformer_blocks.0.attn2.to_k"
        found |= {f"{attention}.down": (rank, context), f"{attention}.up": (640, rank)}
    return found


def control_xs(context: int) -> Shapes:
    """A small network beside a UNet, with a way to it and back at every step."""
    found = conv("controlnet_cond_embedding.conv_in", (16, 3, 3, 3))
    for number, width in enumerate((320, 640)):
        block = f"down_blocks.{number}"
        found |= conv(f"{block}.base_to_ctrl.0", (width, width, 1, 1))
        found |= conv(f"{block}.ctrl_to_base.0", (width, width // 10, 1, 1))
        attention = f"{block}.attentions.0.transformer_blocks.0.attn2"
        found[f"{attention}.to_k.weight"] = (width // 10, context)
    return found


def lllite(blocks: int) -> Shapes:
    """ControlNet-LLLite: small networks beside attentions."""
    found: Shapes = {}
    for block in range(blocks):
        name = f"lllite_unet_input_blocks_4_1_transformer_blocks_{block}_attn1_to_q"
        found |= conv(f"{name}.down.0", (64, 640)) | conv(f"{name}.up.0", (640, 64))
        found |= conv(f"{name}.conditioning1.0", (16, 3, 4, 4))
    return found


def t2i_adapter(square: int, *, is_light: bool = False, naming: str = "original") -> Shapes:
    """A T2I-Adapter that cuts its image into squares of so many pixels."""
    start = "" if naming == "original" else "adapter."
    block = (
        "{}body.{}.resnets.0"
        if naming == "diffusers"
        else "{}body.{}.body.0"
        if is_light
        else "{}body.{}"
    )
    if is_light:
        found = conv(f"{start}body.0.in_conv", (80, 3 * square, 1, 1))
        for number in range(4):
            found |= conv(f"{start}body.{number}.out_conv", (320, 80, 1, 1))
            found |= conv(f"{block.format(start, number)}.block1", (80, 80, 3, 3))
        return found
    found = conv(f"{start}conv_in", (320, 3 * square, 3, 3))
    for number in range(8):
        found |= conv(f"{block.format(start, number)}.block1", (640, 640, 3, 3))
        found |= conv(f"{block.format(start, number)}.block2", (640, 640, 1, 1))
    return found


def ip_adapter(
    attentions: int, text: int, projection: Shapes, out: int = 1280, step: int = 2
) -> Shapes:
    """An IP-Adapter: keys and values for every attention, and what projects the image."""
    found = dict(projection)
    for number in range(attentions):
        start = f"ip_adapter.{step * number + step - 1}"
        found[f"{start}.to_k_ip.weight"] = (out, text)
        found[f"{start}.to_v_ip.weight"] = (out, text)
    return found


def joint_control(**layers: tuple[int, ...]) -> Shapes:
    """The layers of a transformer's ControlNet by name; `__` stands for a dot."""
    return {name.replace("__", "."): shape for name, shape in layers.items()}
