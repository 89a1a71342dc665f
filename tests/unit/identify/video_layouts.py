"""Full-size names and shapes of denoisers of video, made from a few widths and counts.

Each function writes one architecture in one way of naming, every tensor of it. They were compared
with what the published classes make of the published configurations.
"""

from __future__ import annotations

from tests.unit.identify.layouts import Shapes

HEAD = 128


def layer(name: str, outputs: int, *inputs: int, bias: bool = True) -> Shapes:
    """A linear layer or convolution: its weight, and its bias unless it has none."""
    found: Shapes = {f"{name}.weight": (outputs, *inputs)}
    return found | {f"{name}.bias": (outputs,)} if bias else found


def norm(name: str, width: int, *, bias: bool = False) -> Shapes:
    """The scale of a norm, and its shift if it has one."""
    found: Shapes = {f"{name}.weight": (width,)}
    return found | {f"{name}.bias": (width,)} if bias else found


def repeat(name: str, count: int, block: Shapes) -> Shapes:
    """The same block *count* times, numbered."""
    return {f"{name}.{n}.{inner}": shape for n in range(count) for inner, shape in block.items()}


def stack(*parts: Shapes) -> Shapes:
    return {name: shape for part in parts for name, shape in part.items()}


def perceptron(name: str, outputs: int, *inputs: int) -> Shapes:
    """Two layers with an activation between, which has the number 1."""
    return stack(layer(f"{name}.0", outputs, *inputs), layer(f"{name}.2", outputs, outputs))


def pair(name: str, outputs: int, inputs: int) -> Shapes:
    """The same in diffusers' names."""
    return stack(
        layer(f"{name}.linear_1", outputs, inputs), layer(f"{name}.linear_2", outputs, outputs)
    )


def feed_forward(name: str, width: int, inner: int, *, gate: int = 1, bias: bool = True) -> Shapes:
    return stack(
        layer(f"{name}.net.0.proj", inner * gate, width, bias=bias),
        layer(f"{name}.net.2", width, inner, bias=bias),
    )


def _wan_block(width: int, ffn: int, *, image: bool) -> Shapes:
    attention = [layer(f"self_attn.{one}", width, width) for one in "qkvo"]
    attention += [layer(f"cross_attn.{one}", width, width) for one in "qkvo"]
    norms = [norm(f"{a}_attn.norm_{b}", width) for a in ("self", "cross") for b in "qk"]
    if image:
        attention += [layer(f"cross_attn.{one}_img", width, width) for one in "kv"]
        norms += [norm("cross_attn.norm_k_img", width)]
    return stack(
        {"modulation": (1, 6, width)},
        *attention,
        *norms,
        norm("norm3", width, bias=True),
        layer("ffn.0", ffn, width),
        layer("ffn.2", width, ffn),
    )


def wan(
    width: int,
    ffn: int,
    blocks: int,
    *,
    inputs: int = 16,
    latents: int = 16,
    image: bool = False,
    last_frame: bool = False,
    vace: int = 0,
) -> Shapes:
    """Wan in its own names."""
    block = _wan_block(width, ffn, image=image)
    found = stack(
        layer("patch_embedding", width, inputs, 1, 2, 2),
        perceptron("text_embedding", width, 4096),
        perceptron("time_embedding", width, 256),
        layer("time_projection.1", 6 * width, width),
        repeat("blocks", blocks, block),
        {"head.modulation": (1, 2, width)},
        layer("head.head", 4 * latents, width),
    )
    if image:
        found |= stack(
            norm("img_emb.proj.0", 1280, bias=True),
            layer("img_emb.proj.1", 1280, 1280),
            layer("img_emb.proj.3", width, 1280),
            norm("img_emb.proj.4", width, bias=True),
        )
    if last_frame:
        found["img_emb.emb_pos"] = (1, 514, 1280)
    if vace:
        after = layer("after_proj", width, width)
        found |= layer("vace_patch_embedding", width, 96, 1, 2, 2)
        found |= layer("vace_blocks.0.before_proj", width, width)
        found |= repeat("vace_blocks", vace, block | after)
    return found


_WAN_NAMES = (
    ("img_emb.proj.0", "condition_embedder.image_embedder.norm1"),
    ("img_emb.proj.1", "condition_embedder.image_embedder.ff.net.0.proj"),
    ("img_emb.proj.3", "condition_embedder.image_embedder.ff.net.2"),
    ("img_emb.proj.4", "condition_embedder.image_embedder.norm2"),
    ("img_emb.emb_pos", "condition_embedder.image_embedder.pos_embed"),
    ("text_embedding.0", "condition_embedder.text_embedder.linear_1"),
    ("text_embedding.2", "condition_embedder.text_embedder.linear_2"),
    ("time_embedding.0", "condition_embedder.time_embedder.linear_1"),
    ("time_embedding.2", "condition_embedder.time_embedder.linear_2"),
    ("time_projection.1", "condition_embedder.time_proj"),
    ("head.modulation", "scale_shift_table"),
    ("modulation", "scale_shift_table"),
    ("head.head", "proj_out"),
    ("before_proj", "proj_in"),
    ("after_proj", "proj_out"),
    (".norm_k_img", ".norm_added_k"),
    (".k_img", ".add_k_proj"),
    (".v_img", ".add_v_proj"),
    ("self_attn.", "attn1."),
    ("cross_attn.", "attn2."),
    (".q.", ".to_q."),
    (".k.", ".to_k."),
    (".v.", ".to_v."),
    (".o.", ".to_out.0."),
    ("norm3", "norm2"),
    ("ffn.0", "ffn.net.0.proj"),
    ("ffn.2", "ffn.net.2"),
)


def renamed(shapes: Shapes, names: tuple[tuple[str, str], ...]) -> Shapes:
    """The same tensors, called otherwise."""
    found: Shapes = {}
    for name, shape in shapes.items():
        for old, new in names:
            name = name.replace(old, new)  # noqa: PLW2901 -- one name, step by step
        found[name] = shape
    return found


def wan_diffusers(shapes: Shapes) -> Shapes:
    """Wan in diffusers' names."""
    return renamed(shapes, _WAN_NAMES)


WAN_1_3B, WAN_5B, WAN_14B = (1536, 8960, 30), (3072, 14336, 30), (5120, 13824, 40)


def _refiner(width: int, text: int) -> Shapes:
    block = stack(
        norm("norm1", width, bias=True),
        norm("norm2", width, bias=True),
        layer("self_attn_qkv", 3 * width, width),
        layer("self_attn_proj", width, width),
        layer("mlp.fc1", 4 * width, width),
        layer("mlp.fc2", width, 4 * width),
        layer("adaLN_modulation.1", 2 * width, width),
    )
    return stack(
        layer("txt_in.input_embedder", width, text),
        perceptron("txt_in.t_embedder.mlp", width, 256),
        pair("txt_in.c_embedder", width, text),
        repeat("txt_in.individual_token_refiner.blocks", 2, block),
    )


def _hunyuan_double(width: int, *, is_fused: bool) -> Shapes:
    parts: list[Shapes] = []
    for stream in ("img", "txt"):
        joined = [layer(f"{stream}_attn_qkv", 3 * width, width)]
        apart = [layer(f"{stream}_attn_{one}", width, width) for one in "qkv"]
        parts += [
            layer(f"{stream}_mod.linear", 6 * width, width),
            *(joined if is_fused else apart),
            norm(f"{stream}_attn_q_norm", HEAD),
            norm(f"{stream}_attn_k_norm", HEAD),
            layer(f"{stream}_attn_proj", width, width),
            layer(f"{stream}_mlp.fc1", 4 * width, width),
            layer(f"{stream}_mlp.fc2", width, 4 * width),
        ]
    return stack(*parts)


def _hunyuan_ends(width: int, latents: int) -> Shapes:
    return stack(
        perceptron("time_in.mlp", width, 256),
        layer("final_layer.linear", latents, width),
        layer("final_layer.adaLN_modulation.1", 2 * width, width),
    )


def hunyuan_video(inputs: int = 16) -> Shapes:
    """HunyuanVideo in its own names."""
    width = 3072
    single = stack(
        layer("linear1", 7 * width, width),
        layer("linear2", width, 5 * width),
        norm("q_norm", HEAD),
        norm("k_norm", HEAD),
        layer("modulation.linear", 3 * width, width),
    )
    return stack(
        layer("img_in.proj", width, inputs, 1, 2, 2),
        _refiner(width, 4096),
        _hunyuan_ends(width, 64),
        layer("vector_in.in_layer", width, 768),
        layer("vector_in.out_layer", width, width),
        perceptron("guidance_in.mlp", width, 256),
        repeat("double_blocks", 20, _hunyuan_double(width, is_fused=True)),
        repeat("single_blocks", 40, single),
    )


def hunyuan_video_1_5() -> Shapes:
    """HunyuanVideo 1.5 in its own names."""
    width = 2048
    return stack(
        layer("img_in.proj", width, 65, 1, 1, 1),
        _refiner(width, 3584),
        _hunyuan_ends(width, 32),
        repeat("double_blocks", 54, _hunyuan_double(width, is_fused=False)),
        {"cond_type_embedding.weight": (3, width)},
        norm("byt5_in.layernorm", 1472, bias=True),
        layer("byt5_in.fc1", width, 1472),
        layer("byt5_in.fc2", width, width),
        layer("byt5_in.fc3", width, width),
        norm("vision_in.proj.0", 1152, bias=True),
        layer("vision_in.proj.1", 1152, 1152),
        layer("vision_in.proj.3", width, 1152),
        norm("vision_in.proj.4", width, bias=True),
    )


def _d_refiner(width: int, text: int) -> Shapes:
    block = stack(
        norm("norm1", width, bias=True),
        norm("norm2", width, bias=True),
        *(layer(f"attn.to_{one}", width, width) for one in ("q", "k", "v", "out.0")),
        feed_forward("ff", width, 4 * width),
        layer("norm_out.linear", 2 * width, width),
    )
    return stack(
        layer("context_embedder.proj_in", width, text),
        pair("context_embedder.time_text_embed.timestep_embedder", width, 256),
        pair("context_embedder.time_text_embed.text_embedder", width, text),
        repeat("context_embedder.token_refiner.refiner_blocks", 2, block),
    )


def d_double(width: int) -> Shapes:
    """One block over video and text, apart until they attend, in diffusers' names."""
    both = ("to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj")
    return stack(
        layer("norm1.linear", 6 * width, width),
        layer("norm1_context.linear", 6 * width, width),
        *(layer(f"attn.{one}", width, width) for one in (*both, "to_add_out")),
        *(norm(f"attn.norm_{one}", HEAD) for one in ("q", "k", "added_q", "added_k")),
        feed_forward("ff", width, 4 * width),
        feed_forward("ff_context", width, 4 * width),
    )


def d_single(width: int) -> Shapes:
    """One block over video and text together, in diffusers' names."""
    return stack(
        *(layer(f"attn.to_{one}", width, width) for one in "qkv"),
        norm("attn.norm_q", HEAD),
        norm("attn.norm_k", HEAD),
        layer("norm.linear", 3 * width, width),
        layer("proj_mlp", 4 * width, width),
        layer("proj_out", width, 5 * width),
    )


def hunyuan_video_diffusers(inputs: int = 16) -> Shapes:
    """HunyuanVideo in diffusers' names."""
    width = 3072
    return stack(
        layer("x_embedder.proj", width, inputs, 1, 2, 2),
        _d_refiner(width, 4096),
        pair("time_text_embed.timestep_embedder", width, 256),
        pair("time_text_embed.guidance_embedder", width, 256),
        pair("time_text_embed.text_embedder", width, 768),
        repeat("transformer_blocks", 20, d_double(width)),
        repeat("single_transformer_blocks", 40, d_single(width)),
        layer("norm_out.linear", 2 * width, width),
        layer("proj_out", 64, width),
    )


def framepack() -> Shapes:
    """FramePack, in the only names that it has."""
    width = 3072
    return stack(
        hunyuan_video_diffusers(),
        layer("clean_x_embedder.proj", width, 16, 1, 2, 2),
        layer("clean_x_embedder.proj_2x", width, 16, 2, 4, 4),
        layer("clean_x_embedder.proj_4x", width, 16, 4, 8, 8),
        layer("image_projection.up", 3 * width, 1152),
        layer("image_projection.down", width, 3 * width),
    )


def hunyuan_video_1_5_diffusers() -> Shapes:
    """HunyuanVideo 1.5 in diffusers' names."""
    width = 2048
    return stack(
        layer("x_embedder.proj", width, 65, 1, 1, 1),
        norm("image_embedder.norm_in", 1152, bias=True),
        layer("image_embedder.linear_1", 1152, 1152),
        layer("image_embedder.linear_2", width, 1152),
        norm("image_embedder.norm_out", width, bias=True),
        _d_refiner(width, 3584),
        norm("context_embedder_2.norm", 1472, bias=True),
        layer("context_embedder_2.linear_1", width, 1472),
        layer("context_embedder_2.linear_2", width, width),
        layer("context_embedder_2.linear_3", width, width),
        pair("time_embed.timestep_embedder", width, 256),
        {"cond_type_embed.weight": (3, width)},
        repeat("transformer_blocks", 54, d_double(width)),
        layer("norm_out.linear", 2 * width, width),
        layer("proj_out", 32, width),
    )
