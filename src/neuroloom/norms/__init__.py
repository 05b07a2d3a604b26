"""Norms: centile curves of measures by age and sex, fitted on a named reference, and a person's place on them."""

from neuroloom.norms.apply import apply_norms
from neuroloom.norms.fit import fit_norms
from neuroloom.norms.norms import Norms, Percentile

__all__ = ["Norms", "Percentile", "apply_norms", "fit_norms"]
