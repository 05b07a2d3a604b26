"""A chain of per-scan transforms as it can be done live: chunk by chunk, with the answers of the whole recording."""

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.parts import Part, build
from neuroloom.transforms import SCAN_TRANSFORMS
from neuroloom.transforms.series_channels import names_of


class StreamChain:
    """Apply the stream forms of transforms in turn to chunks (channel, n); each keeps its state.

    Parameters
    ----------
    steps : list
        Stream forms, each with the ``geometry`` of what it gives.
    geometry : dict
        Of the chunks that come in.
    """

    def __init__(self, steps, geometry):
        self.steps, self.came = steps, geometry
        self.geometry = steps[-1].geometry if steps else geometry

    def __call__(self, chunk):
        """Return what a chunk (channel, n), of any n, becomes: (channel', n') float32."""
        chunk = np.asarray(chunk)
        names = self.came["names"]
        if chunk.ndim != 2 or len(chunk) != len(names):
            raise NeuroloomError(
                f"a chunk has shape {chunk.shape}, but the stream has {len(names)} channels: (channel, n)."
            )
        for step in self.steps:
            chunk = step(chunk)
        return np.asarray(chunk, dtype=np.float32)


def stream_chain(parts, geometry):
    """Return the stream form of a chain of per-scan transforms.

    Whatever the lengths of the chunks, what comes out is what the chain makes of the whole recording.

    Parameters
    ----------
    parts : sequence of Part or dict
        As in a recipe.
    geometry : dict
        Of the stream: ``names`` and ``sampling_rate`` at least.

    Returns
    -------
    StreamChain

    Raises
    ------
    NeuroloomError
        Naming the first part that needs what is not there yet.
    """
    names_of(geometry, "a stream")
    steps, now = [], geometry
    for transform in streamable(parts):
        steps.append(transform.stream(now))
        now = steps[-1].geometry
    return StreamChain(steps, geometry)


def streamable(parts):
    """Return the transforms of a chain, or raise an error that names the first part that needs what is not there yet."""
    made = []
    for part in (part if isinstance(part, Part) else Part(**part) for part in parts):
        made.append(build("transform", SCAN_TRANSFORMS, part))
        if not getattr(made[-1], "causal", False):
            raise NeuroloomError(_refusal(part, made[-1]))
    return made


def _refusal(part, step):
    form = f" with form {step.form}" if hasattr(step, "form") else ""
    way_out = getattr(step, "causal_way_out", None)
    if way_out is None:
        return f"`{part.name}`{form} cannot be done on a stream. Leave it out."
    return f"`{part.name}`{form} looks into the future; {way_out}."
