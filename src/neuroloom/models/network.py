"""Network: what the loop trains. One model on one input, or a fusion of several, behind one call."""

import inspect

from torch import nn

from neuroloom.errors import NeuroloomError
from neuroloom.known import check_known
from neuroloom.models import FUSIONS, MODELS, ROW_MODELS, VOXEL_MODELS
from neuroloom.parts import Part, build, resolve

GIVEN = ("in_shape", "n_outputs")  # arguments that come from the data, not from a recipe
SINGLE = {**MODELS, **ROW_MODELS, **VOXEL_MODELS}  # of one input


class Network(nn.Module):
    """A model, or a fusion, that takes named inputs.

    Parameters
    ----------
    model : nn.Module
        A model of ``MODELS`` or ``ROW_MODELS``, or a fusion of ``FUSIONS``.
    input_name : str or None
        The input that a single model reads; None for a fusion.
    """

    def __init__(self, model, input_name=None):
        super().__init__()
        self.model = model
        self.input_name = input_name
        self.n_features = model.n_features

    def forward(self, inputs, present=None, lengths=None):
        """Return ``{"output": (batch, n_outputs), "embedding": (batch, n_features)}``; of ``ROW_MODELS`` with an axis of windows.

        Parameters
        ----------
        inputs : dict of Tensor
            Input name -> (batch, *shape by kind).
        present : dict of Tensor
            Input name -> (batch,) bool; an absent name means all are.
        lengths : dict of Tensor
            Input name -> (batch,) valid steps of a padded input; an absent name means all are.
        """
        if self.input_name is None:
            embedding = self.model.embed(inputs, present, lengths)
        else:
            check_present(self.input_name, present or {})
            embedding = self.model.embed(inputs[self.input_name], (lengths or {}).get(self.input_name))
        return {"output": self.model.head(embedding), "embedding": embedding}


class VoxelNetwork(nn.Module):
    """A model that answers at each voxel of its one named input.

    Parameters
    ----------
    model : nn.Module
        A model of ``VOXEL_MODELS``.
    input_name : str
    """

    def __init__(self, model, input_name):
        super().__init__()
        self.model = model
        self.input_name = input_name

    def forward(self, inputs, present=None, lengths=None):
        """Return ``{"output": (batch, n_outputs, i, j, k)}`` and, where the model has them, ``"sides"``, see `UNet3D`."""
        check_present(self.input_name, present or {})
        x = inputs[self.input_name]
        if not self.training or not hasattr(self.model, "with_sides"):
            return {"output": self.model(x)}
        output, *sides = self.model.with_sides(x)
        return {"output": output, "sides": sides}


def check_present(name, present):
    """Raise an error when a single model is given items without its input."""
    if name in present and not bool(present[name].all()):
        n_missing = int((~present[name]).sum())
        raise NeuroloomError(
            f"{n_missing} of {len(present[name])} items have no input {name!r}, and a single model cannot go "
            "without. Leave these samples out, or use {name: late_fusion, encoders: {...}}."
        )


def check_arguments(part):
    """Check the names of a model, of its encoders and of their arguments; what kind its inputs are is not known yet."""
    check_known("model", part.name, {**SINGLE, **FUSIONS})
    if part.name not in FUSIONS:
        resolve("model", SINGLE, part, given=GIVEN)
        return
    resolve("model", FUSIONS, part, given=("n_outputs",))
    for encoder in encoder_parts(part).values():
        resolve("model", MODELS, encoder, given=GIVEN)


def check_model(part, kinds):
    """Check a model's names, arguments and kinds of input before any data are read.

    Parameters
    ----------
    part : Part
        ``{name: sfcn, ...}`` or ``{name: late_fusion, encoders: {input: {name: ..., ...}}, ...}``.
    kinds : dict of str
        Input name -> kind, after its chain.
    """
    check_known("model", part.name, {**SINGLE, **FUSIONS})
    if part.name not in FUSIONS:
        check_encoder(part, only_input(part, kinds), kinds)
        return
    resolve("model", FUSIONS, part, given=("n_outputs",))
    for name, encoder in encoder_parts(part).items():
        check_known("input of an encoder", name, kinds)
        check_encoder(encoder, name, kinds)
    without = [name for name in kinds if name not in encoder_parts(part)]
    if without:
        raise NeuroloomError(f"model 'late_fusion': input {without[0]} has no encoder. Add one, or drop the input.")


def build_network(part, in_shapes, kinds, n_outputs):
    """Return the network that a recipe's ``model`` describes, freshly initialised.

    Parameters
    ----------
    part : Part
    in_shapes : dict of tuple
        Input name -> shape of one sample, after its chain.
    kinds : dict of str
        Input name -> kind, after its chain.
    n_outputs : int
    """
    check_model(part, kinds)
    if part.name in VOXEL_MODELS:
        name = only_input(part, kinds)
        return VoxelNetwork(build("model", VOXEL_MODELS, part, in_shape=in_shapes[name], n_outputs=n_outputs), name)
    if part.name in MODELS or part.name in ROW_MODELS:
        name = only_input(part, kinds)
        model = build("model", SINGLE, part, in_shape=in_shapes[name], n_outputs=n_outputs)
        return Network(model, name)
    encoders = {
        name: build("model", MODELS, encoder, in_shape=in_shapes[name], n_outputs=1)
        for name, encoder in encoder_parts(part).items()
    }
    bare = Part(name=part.name, **{key: value for key, value in part.arguments.items() if key != "encoders"})
    return Network(build("model", FUSIONS, bare, encoders=encoders, n_outputs=n_outputs))


def windows_in_a_row(part):
    """Return how many windows a model of ``ROW_MODELS`` reads in a row; None of other models, which read one."""
    if part.name not in ROW_MODELS:
        return None
    default = inspect.signature(resolve("model", ROW_MODELS, part, given=GIVEN)).parameters["windows"].default
    return part.arguments.get("windows", default)


def only_input(part, kinds):
    """Return the one input that a single model reads."""
    if len(kinds) != 1:
        raise NeuroloomError(
            f"model {part.name!r} takes one input, and this recipe has {len(kinds)}: {', '.join(kinds)}. "
            "Use {name: late_fusion, encoders: {input: {name: ...}, ...}}."
        )
    return next(iter(kinds))


def check_encoder(part, name, kinds):
    """Raise an error when a model is unknown, or does not take this kind of input or these arguments."""
    model = resolve("model", SINGLE, part, given=GIVEN)
    if kinds[name] not in model.kinds:
        takes = " or a ".join(model.kinds)
        fitting = [other for other in MODELS if kinds[name] in resolve("model", MODELS, Part(name=other)).kinds]
        hint = f" Models for a {kinds[name]}: {', '.join(fitting)}." if fitting else ""
        raise NeuroloomError(f"model {part.name!r} takes a {takes}; input {name} is a {kinds[name]}.{hint}")


def encoder_parts(part):
    """Return the encoders of a fusion as parts, input name -> Part."""
    encoders = part.arguments.get("encoders")
    if not isinstance(encoders, dict) or not encoders:
        raise NeuroloomError(
            f"model {part.name!r} needs an encoder for each input: encoders: {{t1w: {{name: cnn3d}}, ...}}."
        )
    return {name: part if isinstance(part, Part) else Part(**part) for name, part in encoders.items()}


def parameter_count(module):
    """Return the number of trained values of a module."""
    return sum(parameter.numel() for parameter in module.parameters())
