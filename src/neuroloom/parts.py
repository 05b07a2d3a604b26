"""A part of a recipe: a name from a table, and arguments that its constructor checks."""

import inspect
from typing import Any

from pydantic import BaseModel, ConfigDict

from neuroloom.errors import NeuroloomError
from neuroloom.known import check_known, locate


class Part(BaseModel):
    """``{name: tangent, kind: ...}``: the keys beside ``name`` are arguments of what the name stands for."""

    model_config = ConfigDict(extra="allow", frozen=True)
    name: str

    @property
    def arguments(self) -> dict[str, Any]:
        return dict(self.model_extra or {})

    def as_dict(self):
        """Return the part as it stands in a recipe."""
        return {"name": self.name, **self.arguments}


def resolve(kind, table, part, given=()):
    """Return what ``part`` names, having checked the names of the arguments it would get.

    ``given`` names arguments that the caller passes itself and a recipe may not set.
    """
    target = locate(kind, table, part.name)
    parameters = inspect.signature(target).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return target
    known = [parameter.name for parameter in parameters if parameter.name not in given]
    for argument in part.arguments:
        check_known(f"argument of {kind} {part.name!r}", argument, known)
    return target


def build(kind, table, part, **given):
    """Return the object that ``part`` describes; ``given`` are the arguments the caller knows."""
    target = resolve(kind, table, part, given)
    try:
        return target(**given, **part.arguments)
    except (TypeError, ValueError) as error:
        raise NeuroloomError(f"{kind} {part.name!r}: {error}. It was given {part.as_dict()}.") from error
