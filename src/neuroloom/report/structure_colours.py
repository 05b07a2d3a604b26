"""The colours of structures: FreeSurfer's, which readers know from other viewers (surfer.nmr.mgh.harvard.edu)."""

import colorsys

from neuroloom.atlases.anatomy import base_name, structures

COLOURS = {
    "cerebral_white_matter": (245, 245, 245),
    "cerebral_cortex": (205, 62, 78),
    "lateral_ventricle": (120, 18, 134),
    "inferior_lateral_ventricle": (196, 58, 250),
    "cerebellum_white_matter": (220, 248, 164),
    "cerebellum_cortex": (230, 148, 34),
    "thalamus": (0, 118, 14),
    "caudate": (122, 186, 220),
    "putamen": (236, 13, 176),
    "pallidum": (13, 48, 255),
    "hippocampus": (220, 216, 20),
    "amygdala": (103, 255, 255),
    "accumbens_area": (255, 165, 0),
    "ventral_diencephalon": (165, 42, 42),
    "third_ventricle": (204, 182, 142),
    "fourth_ventricle": (42, 204, 164),
    "brain_stem": (119, 159, 176),
    "csf": (92, 116, 140),  # FreeSurfer's (60, 60, 60) cannot be seen on a scan
}
GOLDEN = 0.618  # turns of hue between numbers: neighbours differ


def colour_of(name, number=0):
    """Return (red, green, blue), 0 to 255, of a structure with or without its side; others by their number."""
    if base_name(name) in COLOURS:
        return COLOURS[base_name(name)]
    red, green, blue = colorsys.hsv_to_rgb(number * GOLDEN % 1.0, 0.7, 0.95)
    return round(255 * red), round(255 * green), round(255 * blue)


def label_colours(numbers):
    """Return number -> (name, colour) of the labels given; one that is no structure of ours is called by its number."""
    names = {one.number: one.name for one in structures()}
    told = {number: names.get(number, f"label_{number}") for number in map(int, numbers) if number}
    return {number: (name, colour_of(name, number)) for number, name in told.items()}


def css(colour):
    """Return a colour as a style sheet writes it."""
    return "#{:02x}{:02x}{:02x}".format(*colour)
