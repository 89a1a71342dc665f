"""Splitting a checkpoint into the components of a pipeline, without changing a number.

Nothing is read but the header: what comes out says which range of the checkpoint goes where. Weights
keep their type, names become diffusers', and what has no place in a component is kept beside them.

Source: `spec/normalized-model-manager.md`, "Saving a model to the database": '"main" safetensors will be
converted to diffusers behind the scenes'.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from modelshelf.convert.autoencoder import autoencoder_config, autoencoder_tensors
from modelshelf.convert.mapping import Bundle, Moved, UnconvertibleError
from modelshelf.convert.original import original_files
from modelshelf.convert.pipeline_config import (
    model_index,
    pipeline_class,
    scheduler_class,
    scheduler_config,
)
from modelshelf.convert.text_encoder import (
    clip_config,
    clip_tensors,
    openclip_config,
    openclip_tensors,
)
from modelshelf.convert.tokenizer import tokenizer_files
from modelshelf.convert.unet import read_unet, unet_config, unet_tensors
from modelshelf.convert.written_file import literal_file, tensor_file
from modelshelf.schema.conversion import ORIGINAL_FOLDER, Conversion, KeptWhole
from modelshelf.schema.identity import Identity
from modelshelf.schema.manifest import PlannedPart
from modelshelf.schema.member import MemberPath
from modelshelf.schema.recipe import DerivedFile
from modelshelf.schema.source import SourceFile
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    SchedulerPredictionType,
)
from modelshelf.schema.tensor import TensorIndex

__all__ = ["convert_checkpoint"]

_SPARE = (
    # Averaged weights, noise schedules and losses of training, and marks for samplers.
    "model_ema.", "betas", "alphas_cumprod", "sqrt_", "log_", "logvar", "lvlb_weights",
    "posterior_", "scale_factor", "denoiser.sigmas", "v_pred", "ztsnr",
)  # fmt: skip
_NO_PLACE = ("loss.", "model_ema.")
"""Beside the weights of a VAE, in files that were saved by training."""
_ANY = (BaseModelType.ANY,)
_VAE_BASES = {
    BaseModelType.SD_1: (BaseModelType.SD_1, BaseModelType.SD_2),
    BaseModelType.SD_2: (BaseModelType.SD_2, BaseModelType.SD_1),
}
"""One scale of latents serves both; the base of the checkpoint comes first."""
_SD2_LAYERS = 23
"""Of 24: sd-2 reads the last layer but one, so published folders leave the last out."""


def convert_checkpoint(
    source: SourceFile, index: TensorIndex, identity: Identity
) -> Conversion | KeptWhole:
    """Split a main model that is one file into the components of a pipeline.

    Args:
        source: The checkpoint.
        index: Its tensors, and the ranges of bytes where they are.
        identity: What it is.

    Returns:
        The parts to store; or why it stays one file: it holds not all of a pipeline, belongs to a base
        that is not converted, or is laid out as no model of its base is.
    """
    if identity.type is not ModelType.MAIN:
        return KeptWhole("it is no main model")
    if identity.base not in _ENCODERS:
        return KeptWhole(f"checkpoints of base {identity.base.value} are not converted")
    try:
        return _Converter(source, index, identity).convert()
    except UnconvertibleError as error:
        return KeptWhole(str(error))


@dataclass(frozen=True, slots=True)
class _Encoder:
    """How one text encoder lies in the checkpoints of a base."""

    prefix: str
    number: str
    """What its folders end with: nothing, or `_2`."""
    is_openclip: bool
    is_projected: bool = False

    def layers(self, bundle: Bundle, base: BaseModelType) -> int:
        """Layers that belong to the component."""
        there = bundle.count("transformer.resblocks.")
        return min(there, _SD2_LAYERS) if base is BaseModelType.SD_2 else there


_ENCODERS = {
    BaseModelType.SD_1: (_Encoder("cond_stage_model.transformer.", "", is_openclip=False),),
    BaseModelType.SD_2: (_Encoder("cond_stage_model.model.", "", is_openclip=True),),
    BaseModelType.SDXL: (
        _Encoder("conditioner.embedders.0.transformer.", "", is_openclip=False),
        _Encoder("conditioner.embedders.1.model.", "_2", is_openclip=True, is_projected=True),
    ),
    BaseModelType.SDXL_REFINER: (
        _Encoder("conditioner.embedders.0.model.", "_2", is_openclip=True, is_projected=True),
    ),
}
_UNET, _VAE = "model.diffusion_model.", "first_stage_model."


@dataclass(slots=True)
class _Converter:
    """One conversion under way."""

    source: SourceFile
    index: TensorIndex
    identity: Identity
    parts: list[PlannedPart] = field(default_factory=list)
    classes: dict[str, tuple[str, str]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def convert(self) -> Conversion:
        """Split off one component after the other; what remains is the rest."""
        base = self.identity.base
        self._check_contents()
        class_name = self._unet(base)
        self._vae(base)
        for encoder in _ENCODERS[base]:
            self._text_encoder(encoder, base)
        self._scheduler(base)
        self.parts.sort(key=lambda part: part.folder)
        named = {
            folder: self.classes[folder] for folder in sorted(part.folder for part in self.parts)
        }
        index = _json(model_index(base, class_name, named))
        leftovers = self._planned(
            "",
            ModelType.PIPELINE_FILES,
            ModelFormat.DIFFUSERS,
            self.identity.bases,
            [literal_file("model_index.json", self.source, index)],
        )
        return Conversion(tuple(self.parts), leftovers, self._original(), tuple(self.warnings))

    def _check_contents(self) -> None:
        prefixes = (_UNET, _VAE, *(one.prefix for one in _ENCODERS[self.identity.base]))
        strangers = [name for name in self.index.tensors if not name.startswith(prefixes + _SPARE)]
        # What hangs beside a text encoder's own weights is left over, such as its other half.
        strangers = [name for name in strangers if not name.startswith("conditioner.embedders.")]
        if strangers:
            raise UnconvertibleError(
                reason=f"`{min(strangers)}` has no place in a pipeline of its base"
            )
        for prefix in prefixes:
            if not any(name.startswith(prefix) for name in self.index.tensors):
                raise UnconvertibleError(
                    reason=f"it has no `{prefix}…`, so it is not a whole pipeline"
                )

    def _unet(self, base: BaseModelType) -> str:
        bundle = Bundle(self.index, _UNET)
        unet = read_unet(bundle)
        class_name = pipeline_class(base, unet.inputs)
        if class_name is None:
            raise UnconvertibleError(reason=f"no pipeline of its base takes {unet.inputs} channels")
        self._component(
            "unet",
            ModelType.UNET,
            self.identity.bases,
            ("diffusers", "UNet2DConditionModel"),
            {"config.json": _json(unet_config(unet, base))},
            (bundle, unet_tensors(unet, bundle), ()),
        )
        return class_name

    def _vae(self, base: BaseModelType) -> None:
        bundle = Bundle(self.index, _VAE)
        self._component(
            "vae",
            ModelType.VAE,
            _VAE_BASES.get(base, self.identity.bases),
            ("diffusers", "AutoencoderKL"),
            {"config.json": _json(autoencoder_config(bundle, base))},
            (bundle, autoencoder_tensors(bundle), _NO_PLACE),
        )

    def _text_encoder(self, encoder: _Encoder, base: BaseModelType) -> None:
        bundle = Bundle(self.index, encoder.prefix)
        dtype = _dtype(self.index, encoder.prefix)
        if encoder.is_openclip:
            layers, projected = encoder.layers(bundle, base), encoder.is_projected
            config = openclip_config(bundle, dtype, layers=layers, is_projected=projected)
            tensors = openclip_tensors(bundle, layers=layers, is_projected=projected)
            spare = ("logit_scale", "text_projection", f"transformer.resblocks.{layers}.")
        else:
            config, tensors = clip_config(bundle, dtype), clip_tensors(bundle)
            spare = ("text_model.embeddings.position_ids", "embeddings.position_ids", "logit_scale")
        name = config["architectures"][0]
        self._component(
            f"text_encoder{encoder.number}",
            ModelType.TEXT_ENCODER,
            _ANY if config["hidden_size"] != _SD2_WIDTH else self.identity.bases,
            ("transformers", name),
            {"config.json": _json(config)},
            (bundle, tensors, spare),
        )
        pad = "!" if encoder.is_openclip else "<|endoftext|>"
        self._component(
            f"tokenizer{encoder.number}",
            ModelType.TOKENIZER,
            _ANY,
            ("transformers", "CLIPTokenizer"),
            tokenizer_files(pad=pad),
        )

    def _scheduler(self, base: BaseModelType) -> None:
        prediction = self.identity.prediction_type
        if prediction is None:
            is_v = base is BaseModelType.SD_2
            prediction = (
                SchedulerPredictionType.V_PREDICTION if is_v else SchedulerPredictionType.EPSILON
            )
            self.warnings.append(
                f"nothing in the file says what it predicts; its scheduler takes {prediction.value},"
                f" as most models of base {base.value} do"
            )
        if prediction not in {
            SchedulerPredictionType.EPSILON,
            SchedulerPredictionType.V_PREDICTION,
        }:
            raise UnconvertibleError(
                reason=f"no scheduler is known for prediction {prediction.value}"
            )
        self._component(
            "scheduler",
            ModelType.SCHEDULER,
            _ANY,
            ("diffusers", scheduler_class(base)),
            {"scheduler_config.json": _json(scheduler_config(base, prediction))},
        )

    def _component(
        self,
        folder: str,
        type_: ModelType,
        bases: tuple[BaseModelType, ...],
        class_: tuple[str, str],
        small: dict[str, bytes],
        weights: tuple[Bundle, Iterable[Moved], tuple[str, ...]] | None = None,
    ) -> None:
        files = [literal_file(name, self.source, content) for name, content in small.items()]
        if weights is not None:
            bundle, tensors, spare = weights
            named = {one.target: bundle.take(one) for one in tensors}
            bundle.check_used_up(but=spare)
            stem = "model" if class_[0] == "transformers" else "diffusion_pytorch_model"
            files.append(tensor_file(f"{stem}.safetensors", self.source, named))
        is_ours = class_[0] == "diffusers"
        form = ModelFormat.DIFFUSERS if is_ours else ModelFormat.TRANSFORMERS
        self.classes[folder] = class_
        self.parts.append(self._planned(folder, type_, form, bases, files))

    def _original(self) -> PlannedPart:
        stored = [
            (part.folder, file)
            for part in self.parts
            for _, file in part.files
            if isinstance(file, DerivedFile) and file.member.endswith(".safetensors")
        ]
        files = original_files(self.source, stored, folder=ORIGINAL_FOLDER)
        return self._planned(
            ORIGINAL_FOLDER,
            ModelType.ORIGINAL_FILE,
            ModelFormat.CHECKPOINT,
            self.identity.bases,
            list(files),
        )

    def _planned(
        self,
        folder: str,
        type_: ModelType,
        form: ModelFormat,
        bases: tuple[BaseModelType, ...],
        files: list[DerivedFile],
    ) -> PlannedPart:
        return PlannedPart(
            folder=folder,
            type=type_,
            format=form,
            bases=bases,
            is_file=False,
            files=tuple(
                (MemberPath(file.member), file)
                for file in sorted(files, key=lambda one: one.member)
            ),
        )


_SD2_WIDTH = 1024
"""CLIP-H, which sd-2 alone reads."""


def _dtype(index: TensorIndex, prefix: str) -> str:
    """Return the type that most tensors behind *prefix* have."""
    dtypes = Counter(e.dtype for name, e in index.tensors.items() if name.startswith(prefix))
    return min(dtypes, key=lambda dtype: (-dtypes[dtype], dtype))


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2, sort_keys=True) + "\n").encode()
