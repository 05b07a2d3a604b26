"""The maps of an explanation as files that the page draws: volume_map, connectome, channels, features."""

import io

import numpy as np

from neuroloom.explanation.amplitude_perturbation import beyond_chance
from neuroloom.explanation.frame import domain_of
from neuroloom.explanation.readings import label_of
from neuroloom.explanation.regions import by_region
from neuroloom.formats.atomic import atomic_write

DRAWN_AS = {"volume": "volume_map", "graph": "connectome"}  # every other kind: features


def figures_of(one, place, folder, stem):
    """Write an explanation's arrays, and return what the page draws of them.

    ``STEM.npz`` holds the map, its folds and the mean attribution of each group, ``STEM-regions.npz`` the share of
    the map's strength by region.

    Parameters
    ----------
    one : Explained
    place : Place or None
        Where the effect was planted.
    folder : Path
    stem : str

    Returns
    -------
    list of dict
        ``kind``, ``file``, ``title``.
    """
    name = one.name.replace("_", " ").capitalize() + (f", {one.label}" if one.label is not None else "")
    groups = {f"group_{number}": values for number, values in enumerate(one.groups.values())}
    told = {"group_names": np.array(list(one.groups)), "folds": np.stack(one.maps).astype(np.float32), **groups}
    figures = [_map_figure(one, place, folder, stem, name, told)]
    shares = by_region(one.map, one.frame)
    if shares is not None:
        names, values = shares
        write_npz(folder / f"{stem}-regions.npz", values=values, names=np.array(names))
        title = f"{name}: share of the map's strength by region"
        figures.append({"kind": "features", "file": f"{stem}-regions.npz", "title": title})
    return [figure for figure in figures if figure is not None]


def _map_figure(one, place, folder, stem, title, told):
    of_channels = one.frame.columns is not None or one.frame.positions is not None
    kind = "channels" if of_channels else DRAWN_AS.get(one.frame.kind, "features")
    names = one.frame.names or [f"{one.input} {number}" for number in range(one.frame.shape[0])]
    if kind == "volume_map":
        arrays = {"map": np.nan_to_num(one.map).astype(np.float32)}
        arrays |= {} if one.frame.affine is None else {"affine": one.frame.affine}
    elif kind == "channels":
        arrays = {"values": one.map, "names": np.array(names), **_of_channels(one)}
    elif kind == "connectome":
        arrays = {"matrix": one.map, "names": np.array(names)}
    else:
        arrays = {"values": one.map, "names": np.array(names)}
    if place is not None and place.effect:
        arrays["planted"] = np.argwhere(np.triu(place.mask, k=1)) if kind == "connectome" else place.mask
    write_npz(folder / f"{stem}.npz", **arrays, **told)
    if kind == "volume_map" and one.frame.affine is None:
        return None
    return {"kind": kind, "file": f"{stem}.npz", "title": title}


def _of_channels(one):
    """Return what the figure of a map of channels is told: label, columns, places on the head, what chance reaches."""
    told, frame = {"label": np.array(label_of(one.reading, one.how))}, one.frame
    if frame.columns is not None:
        told |= {"edges": np.array(frame.columns.edges), "unit": np.array(frame.columns.unit)}
    if frame.positions is not None:
        told["positions"] = np.array(frame.positions)
    if "variance" in one.told:
        n_values = int((domain_of(frame, one.varies) & np.isfinite(one.map)).sum())
        told["bar"] = np.array(beyond_chance(n_values, one.told["variance"] / one.n))
    return told


def write_npz(path, **arrays):
    """Write named arrays to an .npz file, whole or not at all."""
    held = io.BytesIO()
    np.savez_compressed(held, **arrays)
    atomic_write(path, held.getvalue())
