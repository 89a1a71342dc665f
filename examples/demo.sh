#!/usr/bin/env bash
# From nothing to a library that shares: makes small genuine models, adds them, and proves that
# nothing was lost. Everything happens in .demo/, which is made anew by each run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

rm -rf .demo
mkdir .demo
export MODELSHELF_ROOT="$PWD/.demo/library"

bold="" cyan="" plain=""
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\033[1m' cyan=$'\033[36m' plain=$'\033[0m'; fi

say() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
show() { printf '%s$ %s%s\n' "$cyan" "$*" "$plain"; }
run() {
    show "$@"
    "$@"
}

say "Three pipelines that share parts, a checkpoint, a LoRA and a VAE (small, in the published layouts)"
python - .demo/models <<'PYTHON'
import sys
from pathlib import Path

from modelshelf.testing import tiny

models = Path(sys.argv[1])
tiny.pipeline(models / "stable-diffusion-1-5", base="sd-1", seed=1)
tiny.pipeline(models / "stable-diffusion-inpainting", base="sd-1", seed=2, inpaint=True)
tiny.pipeline(models / "stable-diffusion-2-1", base="sd-2", seed=3)
tiny.checkpoint(models / "deliberate.safetensors", base="sd-1", seed=5)
tiny.lora(models / "LoWRA.safetensors", base="sd-1")
tiny.vae(models / "sd-vae", base="sd-1", seed=4, folder=True, scaling_factor=0.18215)
PYTHON
run ls .demo/models
run du -sh .demo/models

say "Add them all: each part that several models have is stored once"
run shelf add .demo/models

say "What the library holds"
run shelf ls

say "What sharing saves"
run shelf du
run du -sh .demo/library/models/blob

say "Which parts make up a pipeline, and how many models use each"
run shelf show stable-diffusion-1-5

say "Is every stored byte what it was?"
run shelf verify

say "Give one back, and compare every file with the original"
run shelf export stable-diffusion-1-5 .demo/exported --as copy
run diff --recursive .demo/models/stable-diffusion-1-5 .demo/exported/stable-diffusion-1-5
echo "identical, byte for byte"

say "The checkpoint was split, and shares its parts: it comes back as the file that it was"
run shelf export deliberate .demo/exported
run cmp .demo/models/deliberate.safetensors .demo/exported/deliberate.safetensors
echo "identical, byte for byte"

say "Delete a pipeline, see what that frees, and change your mind"
show shelf rm -q -y stable-diffusion-1-5
trash_id=$(shelf rm -q -y stable-diffusion-1-5)
run shelf undo
run shelf undo "$trash_id"

say "Go on with it"
cat <<END
export MODELSHELF_ROOT="$MODELSHELF_ROOT"
export PATH="$(dirname "$(command -v shelf)"):\$PATH"
shelf dupes                                        # what is stored once, and who uses it
shelf probe .demo/models/sd-vae --explain          # why it is what it is
shelf find .demo/models/sd-vae                     # which model is that?
shelf gc --garbage --dry-run                       # what could be freed
shelf --help
END
