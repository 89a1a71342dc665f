"""Adapters of Wan: three sizes of one denoiser, and what its editions for sounds, faces and cameras add.

Its sizes are all different widths, and its editions share their blocks: a module that one of them has beside
these belongs to no other model, so one host holds all of them.

Sources: `wan/modules` of Wan-Video/Wan2.1 and Wan2.2, `transformer_wan*.py` of huggingface/diffusers,
aigc-apps/VideoX-Fun, Phantom-video/HuMo, MeiGen-AI/MultiTalk, KwaiVGI/ReCamMaster, SkyworkAI/SkyReels-V2.
"""

from __future__ import annotations

from modelshelf.identify.adapter_condition import Adapts
from modelshelf.identify.condition import Either
from modelshelf.identify.families.adapters import lora
from modelshelf.identify.family import Trait
from modelshelf.identify.host import Host
from modelshelf.schema.taxonomy import BaseModelType, ModelVariantType

__all__ = ["FAMILIES"]

_WAN = """
    patch_embedding  ? w 1x2x2
    text_embedding.0  4096 w
    text_embedding.2  w w
    time_embedding.0  256 w
    time_embedding.2  w w
    time_projection.1  w 6w
    blocks.{n}.(self_attn|cross_attn).(q|k|v|o)  w w
    blocks.{n}.(self_attn|cross_attn).(norm_q|norm_k)  w
    blocks.{n}.cross_attn.(k_img|v_img)  w w
    blocks.{n}.cross_attn.norm_k_img  w
    blocks.{n}.norm3  w
    blocks.{n}.ffn.0  w ffn
    blocks.{n}.ffn.2  ffn w
    blocks.{n}.modulation
    head.head  w ?
    head.modulation
    (img_emb|img_emb_refimage).proj.0  1280
    (img_emb|img_emb_refimage).proj.1  1280 1280
    (img_emb|img_emb_refimage).proj.3  1280 w
    (img_emb|img_emb_refimage).proj.4  w
    vace_patch_embedding  ? w 1x2x2
    vace_blocks.{vace}.(self_attn|cross_attn).(q|k|v|o)  w w
    vace_blocks.{vace}.(self_attn|cross_attn).(norm_q|norm_k)  w
    vace_blocks.{vace}.norm3  w
    vace_blocks.{vace}.modulation
    vace_blocks.{vace}.ffn.0  w ffn
    vace_blocks.{vace}.ffn.2  ffn w
    vace_blocks.{vace}.(before_proj|after_proj)  w w
    fps_embedding  w 2
    fps_projection.(0|net.0.proj)  w w
    fps_projection.(2|net.2)  w 6w
    ref_conv  ? w 2x2
    control_adapter.conv  ? w 2x2
    control_adapter.residual_blocks.{4}.(conv1|conv2)  w w 3x3
    blocks.{n}.cam_encoder  ? w
    blocks.{n}.projector  w w
    blocks.{n}.audio_cross_attn.(q_linear|proj)  w w
    blocks.{n}.audio_cross_attn.kv_linear  768 2w
    blocks.{n}.norm_x  w
    blocks.{n}.audio_cross_attn_wrapper.audio_cross_attn.(q|o)  w w
    blocks.{n}.audio_cross_attn_wrapper.audio_cross_attn.(k|v)  1536 w
    blocks.{n}.audio_cross_attn_wrapper.audio_cross_attn.(norm_q|norm_k)  w
    blocks.{n}.audio_cross_attn_wrapper.norm1_audio  w
    audio_proj.(audio_proj_glob_1|audio_proj_glob_2|audio_proj_glob_3).layer  ? ?
    (audio_injector|music_injector).injector.{12}.(q|k|v|o)  w w
    (audio_injector|music_injector).injector.{12}.(norm_q|norm_k)  w
    music_projection  ? 256
    music_encoder.{2}.self_attn.out_proj  256 256
    music_encoder.{2}.(linear1|linear2|norm1|norm2)
    head_global.head  w ?
    audio_injector.injector_adain_layers.{12}.linear  w ?
    casual_audio_encoder.encoder.(final_linear|conv1_global.conv)  ? w
    trainable_cond_mask  w 3
    (frame_packer.proj|frame_packer.proj_2x|frame_packer.proj_4x)  ? w
    (cond_encoder|pose_patch_embedding|patch_embedding_global)  ? w 1x2x2
    face_adapter.fuser_blocks.{8}.(linear1_q|linear2)  w w
    face_adapter.fuser_blocks.{8}.linear1_kv  w 2w
    face_adapter.fuser_blocks.{8}.(q_norm|k_norm)  128
    face_encoder.(conv1_local|conv2|conv3).conv  ? ?
    face_encoder.out_proj  1024 w
    motion_encoder.enc.fc.{5}  512 ?
    motion_encoder.enc.net_app.convs.0.0  3 32 1x1
    motion_encoder.enc.net_app.convs.{1-7}.(conv1|conv2|skip).{2}  ? ?
    motion_encoder.enc.net_app.convs.8  512 512 4x4
    motion_encoder.dec.direction  20 512
"""
_WAN_DIFFUSERS = """
    patch_embedding  ? w 1x2x2
    condition_embedder.time_embedder.linear_1  256 w
    condition_embedder.(time_embedder|text_embedder).linear_2  w w
    condition_embedder.time_proj  w 6w
    condition_embedder.text_embedder.linear_1  4096 w
    condition_embedder.image_embedder.norm1  1280
    condition_embedder.image_embedder.ff.net.0.proj  1280 1280
    condition_embedder.image_embedder.ff.net.2  1280 w
    condition_embedder.image_embedder.norm2  w
    blocks.{n}.(attn1|attn2).(to_q|to_k|to_v|to_out.0)  w w
    blocks.{n}.(attn1|attn2).(norm_q|norm_k)  w
    blocks.{n}.attn2.(add_k_proj|add_v_proj)  w w
    blocks.{n}.attn2.norm_added_k  w
    blocks.{n}.norm2  w
    blocks.{n}.ffn.net.0.proj  w ffn
    blocks.{n}.ffn.net.2  ffn w
    blocks.{n}.scale_shift_table
    scale_shift_table
    proj_out  w ?
    vace_patch_embedding  ? w 1x2x2
    vace_blocks.{vace}.(attn1|attn2).(to_q|to_k|to_v|to_out.0)  w w
    vace_blocks.{vace}.(attn1|attn2).(norm_q|norm_k)  w
    vace_blocks.{vace}.norm2  w
    vace_blocks.{vace}.scale_shift_table
    vace_blocks.{vace}.ffn.net.0.proj  w ffn
    vace_blocks.{vace}.ffn.net.2  ffn w
    vace_blocks.{vace}.(proj_in|proj_out)  w w
    fps_embedding  w 2
    fps_projection.net.0.proj  w w
    fps_projection.net.2  w 6w
    pose_patch_embedding  ? w 1x2x2
    face_adapter.{8}.(to_q|to_k|to_v|to_out)  w w
    face_adapter.{8}.(norm_q|norm_k)  128
    face_encoder.(conv1_local|conv2|conv3)  ? ?
    face_encoder.out_proj  1024 w
    motion_encoder.conv_in  3 32 1x1
    motion_encoder.res_blocks.{7}.(conv1|conv2|conv_skip)  ? ?
    motion_encoder.conv_out  512 512 4x4
    motion_encoder.motion_network.{5}  512 ?
"""
# Wan-Animate 2 wraps its blocks once more; in diffusers it names what they attend with anew.
_ANIMATE_2 = _WAN.replace("blocks.{n}.", "blocks.{n}.block.")
_ANIMATE_2_DIFFUSERS = f"""
    {_WAN}
    blocks.{{n}}.(self_attn|cross_attn).(to_q|to_k|to_v|to_out.0)  w w
    blocks.{{n}}.cross_attn.(add_k_proj|add_v_proj)  w w
    blocks.{{n}}.cross_attn.norm_added_k  w
"""
# It looks at a video in a second model of its own, beside every fourth block.
_VIDEO_AS_PROMPT = f"""
    {_WAN_DIFFUSERS}
    patch_embedding_mot_ref  ? w 1x2x2
    condition_embedder_mot_ref.(time_embedder|text_embedder).(linear_1|linear_2)  ? w
    condition_embedder_mot_ref.time_proj  w 6w
    condition_embedder_mot_ref.image_embedder.(norm1|norm2)
    condition_embedder_mot_ref.image_embedder.(ff.net.0.proj|ff.net.2)  1280 ?
    blocks.{{n}}.(attn1_mot_ref|attn2_mot_ref).(to_q|to_k|to_v|to_out.0)  w w
    blocks.{{n}}.(attn1_mot_ref|attn2_mot_ref).(norm_q|norm_k)  w
    blocks.{{n}}.attn2_mot_ref.(add_k_proj|add_v_proj)  w w
    blocks.{{n}}.(attn2_mot_ref.norm_added_k|norm2_mot_ref)  w
    blocks.{{n}}.ffn_mot_ref.net.0.proj  w ffn
    blocks.{{n}}.ffn_mot_ref.net.2  ffn w
"""
_WAN_SIZES = {
    "1.3b": {"w": 1536, "n": 30, "ffn": 8960, "vace": 15},
    "14b": {"w": 5120, "n": 40, "ffn": 13824, "vace": 8},
    "5b": {"w": 3072, "n": 30, "ffn": 14336, "vace": 0},
}
_WAN_VARIANTS = (
    # Wan 2.1 made for a first image attends to it by projections of its own.
    Trait(ModelVariantType.I2V, Adapts("denoiser:blocks_#_cross_attn_k_img")),
    Trait(ModelVariantType.I2V, Adapts("denoiser:blocks_#_attn2_add_k_proj")),
    Trait(ModelVariantType.VACE, Adapts("denoiser:vace_blocks_#_*")),
)
_LAYOUTS = (("original", _WAN), ("diffusers", _WAN_DIFFUSERS))
_EDITIONS = (
    ("animate-2-original", _ANIMATE_2, ("blocks_#_block_*",)),
    (
        "animate-2-diffusers",
        _ANIMATE_2_DIFFUSERS,
        ("blocks_#_self_attn_to_*", "blocks_#_cross_attn_to_*", "blocks_#_cross_attn_*add*"),
    ),
    ("video-as-prompt", _VIDEO_AS_PROMPT, ("*_mot_ref*",)),
)

FAMILIES = (
    *(
        lora(BaseModelType.WAN, Host(f"wan/{size}-{layout}", modules, sizes), traits=_WAN_VARIANTS)
        for size, sizes in _WAN_SIZES.items()
        for layout, modules in _LAYOUTS
    ),
    *(
        lora(
            BaseModelType.WAN,
            Host(f"wan/{edition}", modules, _WAN_SIZES["14b"]),
            # Without these it fits a size above, and nobody reads as many lines again.
            Either(tuple(Adapts(f"denoiser:{path}") for path in paths)),
            traits=_WAN_VARIANTS,
        )
        for edition, modules, paths in _EDITIONS
    ),
)
"""One per size and layout, and those of editions with names of their own."""
