"""Trains the head counter: `python -m models.train --minutes 50`.

Writes `models/runs/NAME/` with a checkpoint every few minutes, from which `--resume` goes on, and
a log of what was run. Progress, learning rate and the switch to simulated int8 follow the clock.
"""

import copy
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import torch
from torch import Tensor

from models.data import Crops, Example, load_set
from models.losses import loss
from models.network import HeadCounter

ROOT = Path(__file__).parent
DATA = ROOT.parent.parent / "shared/data/heads"
WEIGHTS = ROOT.parent.parent / "shared/weights/deeplabv3_mnv2_dm05_pascal_quant.tflite"
REAL_SETS = ("street", "station", "dense", "rendered")
EMA_DECAY = 0.998
CHECKPOINT_EVERY_S = 180.0
INT8_FROM = 0.75  # part of the time after which int8 is simulated


@dataclass(frozen=True)
class Options:
    """What a run was asked to do."""

    name: str
    minutes: float
    batch: int
    trunk_rate: float
    rate: float
    seed: int
    int8_from: float


_PATH = click.Path(path_type=Path)
_FILE = click.Path(path_type=Path, exists=True)


@click.command()
@click.option("--data", type=_PATH, default=DATA, envvar="REDROAD_DATA", help="The sets' folder.")
@click.option("--weights", type=_FILE, default=WEIGHTS, help="The pretrained trunk.")
@click.option("--name", default="first", show_default=True, help="Folder under models/runs.")
@click.option("--minutes", default=50.0, show_default=True, help="How long to train.")
@click.option("--batch", default=16, show_default=True, help="Crops a step.")
@click.option("--trunk-rate", default=3e-4, show_default=True, help="Learning rate of the trunk.")
@click.option("--rate", default=1e-3, show_default=True, help="Learning rate of the rest.")
@click.option("--seed", default=1, show_default=True, help="Of crops and weights.")
@click.option("--int8-from", default=INT8_FROM, show_default=True, help="Part of the time.")
@click.option("--workers", default=1, show_default=True, help="Processes that prepare crops.")
@click.option("--start-from", type=_FILE, help="A checkpoint whose weights to begin with.")
@click.option("--resume", is_flag=True, help="Go on from this run's checkpoint.")
def main(
    data: Path, weights: Path, workers: int, start_from: Path | None, resume: bool, **given: Any
) -> None:
    """Train the head counter on the train splits."""
    options = Options(**given)
    torch.manual_seed(options.seed)
    torch.set_num_threads(2)
    sets = {name: load_set(data, name, "train") for name in REAL_SETS}
    sets["scene"] = scene_examples()
    run = ROOT / "runs" / options.name
    run.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(options, run)
    if resume:
        trainer.load(run / "checkpoint.pt", weights_only=False)
    elif start_from:
        trainer.load(start_from, weights_only=True)
    else:
        trainer.model.load_trunk(weights)
        trainer.average = copy.deepcopy(trainer.model)
    trainer.train(sets, workers)


def scene_examples() -> list[Example]:
    """Pictures of the simulated street, made once and kept in models/runs/scene.pt."""
    from models.scenes import training_scenes

    kept = ROOT / "runs" / "scene.pt"
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        torch.save(training_scenes(), kept)
    return torch.load(kept, weights_only=False)  # type: ignore[no-any-return]


class Trainer:
    """A model, its moving average, and the time it has had."""

    def __init__(self, options: Options, run: Path) -> None:
        self.options, self.run = options, run
        self.model = HeadCounter()
        self.average = copy.deepcopy(self.model)
        trunk = self.model.trunk_parameters()
        known = {id(parameter) for parameter in trunk}
        rest = [p for p in self.model.parameters() if id(p) not in known]
        groups = [
            {"params": trunk, "rate": options.trunk_rate},
            {"params": rest, "rate": options.rate},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=options.rate, weight_decay=1e-4)
        self.spent_s, self.steps, self.int8 = 0.0, 0, False

    def load(self, file: Path, *, weights_only: bool) -> None:
        """Take a checkpoint's weights, and with them its time, unless only weights are wanted."""
        state = torch.load(file, weights_only=False)
        self.model.load_state_dict(state["average" if weights_only else "model"])
        self.average.load_state_dict(state["average"])
        if not weights_only:
            self.optimizer.load_state_dict(state["optimizer"])
            self.spent_s, self.steps = state["spent_s"], state["steps"]

    def train(self, sets: dict[str, list[Example]], workers: int) -> None:
        """Until the time is spent."""
        crops = Crops(sets, self.options.seed + self.steps)
        loader = torch.utils.data.DataLoader(
            crops, self.options.batch, num_workers=workers, prefetch_factor=6
        )
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        shown, saved, recent = 0.0, time.monotonic(), 0.0
        began = time.monotonic() - self.spent_s
        for pictures, heads in loader:
            progress = self.spent_s / (60 * self.options.minutes)
            if progress >= 1:
                break
            if progress >= self.options.int8_from and not self.int8:
                self._switch_to_int8()
            value = self._step(pictures, heads, progress)
            recent = value if self.steps == 1 else 0.98 * recent + 0.02 * value
            self.spent_s = time.monotonic() - began
            if self.spent_s - shown > 20:
                shown = self.spent_s
                self._note(progress=progress, steps=self.steps, loss=recent, int8=self.int8)
            if time.monotonic() - saved > CHECKPOINT_EVERY_S:
                saved = time.monotonic()
                self.save()
        self.save()

    def _step(self, pictures: Tensor, heads: Tensor, progress: float) -> float:
        warm = min(1.0, (self.steps + 1) / 100)
        for group in self.optimizer.param_groups:
            group["lr"] = group["rate"] * warm * max(0.01, (1 + math.cos(math.pi * progress)) / 2)
        self.model.train()
        logits = self.model(pictures.contiguous(memory_format=torch.channels_last))
        value = loss(logits, heads)
        self.optimizer.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 20.0)
        self.optimizer.step()
        self.steps += 1
        self._average()
        return float(value.detach())

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(EMA_DECAY, (1 + self.steps) / (10 + self.steps))
        for mean, fresh in zip(self.average.parameters(), self.model.parameters(), strict=True):
            mean.lerp_(fresh, 1 - decay)
        for mean, fresh in zip(self.average.buffers(), self.model.buffers(), strict=True):
            mean.copy_(fresh)

    def _switch_to_int8(self) -> None:
        self.int8 = True
        self.model.simulate_int8()

    def save(self) -> None:
        """Write the checkpoint, whole or not at all."""
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "spent_s": self.spent_s,
            "steps": self.steps,
            "options": vars(self.options),
        }
        torch.save(state, self.run / "checkpoint.tmp")
        (self.run / "checkpoint.tmp").replace(self.run / "checkpoint.pt")

    def _note(self, *, progress: float, steps: int, loss: float, int8: bool) -> None:
        minutes, progress, loss = (round(value, 4) for value in (self.spent_s / 60, progress, loss))
        facts = {"minutes": minutes, "progress": progress, "steps": steps, "loss": loss}
        line = json.dumps({**facts, "int8": int8})
        click.echo(line)
        with (self.run / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(line + "\n")


if __name__ == "__main__":
    main()
