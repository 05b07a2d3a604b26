"""The maps of an explanation as files that the page draws: volume_map, connectome, features."""

import io

import numpy as np

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
    kind = DRAWN_AS.get(one.frame.kind, "features")
    names = one.frame.names or [f"{one.input} {number}" for number in range(one.frame.shape[0])]
    if kind == "volume_map":
        arrays = {"map": np.nan_to_num(one.map).astype(np.float32)}
        arrays |= {} if one.frame.affine is None else {"affine": one.frame.affine}
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


def write_npz(path, **arrays):
    """Write named arrays to an .npz file, whole or not at all."""
    held = io.BytesIO()
    np.savez_compressed(held, **arrays)
    atomic_write(path, held.getvalue())
