"""How a network is trained, as a recipe says it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from neuroloom.parts import Part


class TrainingSettings(BaseModel):
    """Epochs, steps, and how the final weights are chosen; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int = Field(30, ge=1)
    batch_size: int = Field(16, ge=1)
    learning_rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(1e-2, ge=0)
    optimizer: Literal["adamw", "sgd"] = "adamw"
    schedule: Literal["constant", "cosine", "one_cycle"] = "cosine"
    patience: int | None = Field(None, ge=1)
    choose: Literal["best_tune", "last"] = "best_tune"
    show_last: bool = False  # score the weights of the last epoch too, beside those that the tune part chose
    augmentation: tuple[Part, ...] = ()
    device: str = "auto"
    clip_norm: float | None = Field(5.0, gt=0)
    precision: Literal["auto", "float32"] = "float32"
    threads: int = Field(1, ge=1)
