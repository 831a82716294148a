"""Trains the head counter: `python -m models.train --name fifth --minutes 90`.

Writes `models/runs/NAME/` with a checkpoint every few minutes, from which `--resume` goes on, and
a log of what was run. Progress and learning rate follow the clock.
On a CPU, `OMP_WAIT_POLICY=PASSIVE` helps where others use it too; a GPU is used where there is one.
"""

import copy
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import torch
from torch import Tensor

from models.crops import SHARES, Crops, Share, as_input
from models.families import training_textures
from models.losses import loss
from models.network import HeadCounter
from models.pictures import Example, data_option, load_set
from models.scenes import kept_scenes

ROOT = Path(__file__).parent
TRUNK = ROOT.parent.parent / "shared/weights/deeplabv3_mnv2_dm05_pascal_quant.tflite"
REAL_SETS = ("street", "station", "dense", "rendered", "nobody")
EMA_DECAY = 0.999
CHECKPOINT_EVERY_S, NOTE_EVERY_S = 180.0, 20.0
CLIP = 100.0  # of the gradient's norm, which is usually a quarter of it


@dataclass(frozen=True)
class Options:
    """What a run was asked to do. Rates are AdamW's at their highest."""

    minutes: float
    batch: int = 16
    trunk_rate: float = 3e-4
    rate: float = 1e-3
    seed: int = 1
    freeze: int = 3  # parts of the trunk, the stem among them, that stay as they are
    workers: int = 1  # processes that prepare crops
    threads: int = 2  # of a CPU; one alone is quicker where others use the second core


_PATH = click.Path(path_type=Path, exists=True)
_DEFAULT = Options(minutes=90.0)


def _option(name: str, about: str) -> Any:
    """A number of `Options`, with its default."""
    return click.option(
        f"--{name.replace('_', '-')}",
        default=getattr(_DEFAULT, name),
        show_default=True,
        help=about,
    )


@click.command()
@data_option
@click.option("--trunk", type=_PATH, default=TRUNK, help="The pretrained trunk, a DeepLab file.")
@click.option("--name", required=True, help="Folder under models/runs.")
@click.option("--start-from", type=_PATH, help="Weights to begin with, such as models/street.pt.")
@click.option("--resume", is_flag=True, help="Go on from this run's checkpoint.")
@_option("minutes", "How long to train.")
@_option("batch", "Crops a step.")
@_option("trunk_rate", "Learning rate of the trunk.")
@_option("rate", "Learning rate of the rest.")
@_option("seed", "Of crops and weights.")
@_option("freeze", "Parts of the trunk that stay as they are.")
@_option("workers", "Processes that prepare crops.")
@_option("threads", "Threads that compute, on a CPU.")
def main(
    data: Path, trunk: Path, name: str, start_from: Path | None, resume: bool, **given: Any
) -> None:
    """Train the head counter on the train splits."""
    sets = {known: load_set(data, known, "train") for known in REAL_SETS}
    sets["scene"] = kept_scenes()
    sets["drawn"] = training_textures()
    trainer = Trainer(Options(**given), ROOT / "runs" / name)
    if resume:
        trainer.resume()
    elif start_from:
        trainer.start_from(start_from)
    else:
        trainer.load_trunk(trunk)
    trainer.train(sets, SHARES)


def _has_bfloat16() -> bool:
    """Whether this CPU computes in bfloat16; where it must imitate it, a step takes 15 times."""
    return bool(torch.cpu._is_avx512_bf16_supported())


class Trainer:
    """A model, its moving average, and the time it has had."""

    def __init__(self, options: Options, run: Path) -> None:
        torch.manual_seed(options.seed)
        torch.set_num_threads(options.threads)
        self.options, self.run = options, run
        run.mkdir(parents=True, exist_ok=True)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.halves = self.device == "cuda" or _has_bfloat16()
        self.model = HeadCounter().to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model.freeze(options.freeze)
        self.average = copy.deepcopy(self.model)
        trunk = self.model.trunk_parameters()
        known = {id(parameter) for parameter in trunk}
        rest = [p for p in self.model.parameters() if id(p) not in known]
        groups = [
            {"params": trunk, "rate": options.trunk_rate},
            {"params": rest, "rate": options.rate},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=options.rate, weight_decay=1e-4)
        self.spent_s, self.steps = 0.0, 0
        self.recent: float | None = None

    def load_trunk(self, file: Path) -> None:
        """Begin with a pretrained trunk."""
        self.model.load_trunk(file)
        self.average.load_state_dict(self.model.state_dict())

    def start_from(self, file: Path) -> None:
        """Begin with weights that are kept, or with another run's averaged ones."""
        state = torch.load(file, weights_only=True, map_location=self.device)
        for model in (self.model, self.average):
            model.load_narrower(state.get("average", state))

    def resume(self) -> None:
        """Take everything from this run's checkpoint, the time it has had too."""
        file = self.run / "checkpoint.pt"
        if not file.exists():
            raise click.UsageError(f"no {file} to resume from; leave out --resume to begin")
        state = torch.load(file, weights_only=True, map_location=self.device)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.spent_s, self.steps = state["spent_s"], state["steps"]

    def train(self, sets: Mapping[str, list[Example]], shares: Sequence[Share]) -> None:
        """Until the time is spent."""
        options = self.options
        self._log({"options": asdict(options), "sets": {n: len(e) for n, e in sets.items()}})
        crops = Crops(dict(sets), options.seed + self.steps, shares)
        fetch = {"prefetch_factor": 6} if options.workers else {}
        loader = torch.utils.data.DataLoader(
            crops, options.batch, num_workers=options.workers, **fetch
        )
        shown, saved, began = self.spent_s, self.spent_s, time.monotonic() - self.spent_s
        for pictures, heads in loader:
            progress = self.spent_s / (60 * options.minutes)
            if progress >= 1:
                break
            self._step(pictures, heads, progress)
            self.spent_s = time.monotonic() - began
            if self.spent_s - shown > NOTE_EVERY_S:
                shown = self.spent_s
                self._note(progress)
            if self.spent_s - saved > CHECKPOINT_EVERY_S:
                saved = self.spent_s
                self.save()
        self.save()

    def _step(self, pictures: Tensor, heads: Tensor, progress: float) -> None:
        warm = min(1.0, (self.steps + 1) / 100)
        for group in self.optimizer.param_groups:
            group["lr"] = group["rate"] * warm * max(0.01, (1 + math.cos(math.pi * progress)) / 2)
        self.model.train()
        pictures = as_input(pictures.to(self.device)).contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.halves):
            logits = self.model(pictures)
        value = loss(logits.float(), heads.to(self.device))
        self.optimizer.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
        self.optimizer.step()
        self.steps += 1
        self._average()
        found = float(value.detach())
        self.recent = found if self.recent is None else 0.98 * self.recent + 0.02 * found

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(EMA_DECAY, (1 + self.steps) / (10 + self.steps))
        means, fresh = list(self.average.parameters()), list(self.model.parameters())
        torch._foreach_lerp_(means, fresh, 1 - decay)

    def save(self) -> None:
        """Write the checkpoint, whole or not at all."""
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "spent_s": self.spent_s,
            "steps": self.steps,
            "options": asdict(self.options),
        }
        torch.save(state, self.run / "checkpoint.tmp")
        (self.run / "checkpoint.tmp").replace(self.run / "checkpoint.pt")

    def _note(self, progress: float) -> None:
        facts = {
            "minutes": round(self.spent_s / 60, 2),
            "progress": round(progress, 4),
            "steps": self.steps,
            "loss": round(self.recent or 0.0, 4),
        }
        self._log(facts)

    def _log(self, facts: Mapping[str, Any]) -> None:
        line = json.dumps(facts)
        click.echo(line)
        with (self.run / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(line + "\n")


if __name__ == "__main__":
    main()
