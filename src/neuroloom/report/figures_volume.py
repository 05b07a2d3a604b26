"""A map of the brain, drawn by nilearn over the MNI152 template, which shows no face."""

import numpy as np
from matplotlib.text import Text

from neuroloom.report.svg import INK, drawing, inline_svg

SHOWN = 0.95  # share of the map's strongest voxels' rank below which nothing is drawn
N_SLICES = 7


def shown_from(values, share=SHOWN):
    """Return the strength from which voxels are drawn: a quantile of the strengths that are not zero."""
    strength = np.abs(values[np.isfinite(values) & (values != 0)])
    return float(np.quantile(strength, share)) if strength.size else 0.0


def strongest_place(values, affine):
    """Return (x, y, z) in mm of the strongest voxel of a map of shape (i, j, k)."""
    voxel = np.unravel_index(np.argmax(np.abs(np.nan_to_num(values))), values.shape)
    return tuple(float(at) for at in (affine @ [*voxel, 1.0])[:3])


def volume_figure(held, title, name):
    """Return a map on three planes and on axial slices as markup and caption.

    Parameters
    ----------
    held : dict of ndarray
        ``map`` (i, j, k), ``affine`` (4, 4) to MNI space in mm; maybe ``planted``, a mask of the map's shape.
    title, name : str
        What the figure shows, and its id on the page.
    """
    values, affine = np.squeeze(held["map"]).astype(np.float32), np.asarray(held["affine"], dtype=float)
    if not np.any(np.nan_to_num(values)):
        return None
    threshold, place = shown_from(values), strongest_place(values, affine)
    with drawing(9.2, 4.6) as figure:
        figure.set_layout_engine("none")
        _draw(figure, (0.0, 0.44, 1.0, 0.56), values, affine, held.get("planted"), threshold, "ortho", place)
        _draw(figure, (0.0, 0.0, 1.0, 0.42), values, affine, held.get("planted"), threshold, "z", _cuts(values, affine))
        _use_page_colours(figure)
        drawn = inline_svg(figure, name, title)
    return {"svg": drawn, "title": title, "caption": _caption(place, "planted" in held)}


def _draw(figure, where, values, affine, planted, threshold, mode, cuts):
    import nibabel as nib
    from nilearn.plotting import plot_stat_map

    signed = bool((values < 0).any())
    top = float(np.nanmax(np.abs(values)))
    display = plot_stat_map(
        nib.Nifti1Image(values, affine),
        bg_img=_template(),
        figure=figure,
        axes=where,
        display_mode=mode,
        cut_coords=cuts,
        threshold=threshold,
        cmap="cold_hot" if signed else "inferno",
        vmax=top,
        vmin=-top if signed else 0,
        symmetric_cbar=signed,
        colorbar=mode == "ortho",
        draw_cross=False,
        black_bg=False,
        annotate=True,
    )
    if planted is not None and np.any(planted):
        mask = nib.Nifti1Image(np.squeeze(planted).astype(np.float32), affine)
        display.add_contours(mask, levels=[0.5], colors=[INK["planted"]], linewidths=1.3)


def _use_page_colours(figure):
    """Give nilearn's letters, boxes and colour bar the colours of the page, and its numbers a true minus."""
    for text in figure.findobj(Text):
        text.set(color=INK["ink"], fontsize=10)
        text.set_text(text.get_text().replace("-", "−"))
        if text.get_bbox_patch() is not None:
            text.get_bbox_patch().set(facecolor=INK["surface"], edgecolor="none", alpha=0.8)
    for axes in figure.axes:
        axes.tick_params(colors=INK["ink"])
        for frame in (*axes.spines.values(), *axes.patches):
            frame.set_edgecolor(INK["muted"])


def _template():
    from nilearn.datasets import load_mni152_template

    return load_mni152_template(resolution=2)


def _cuts(values, affine):
    """Return heights of axial slices, in mm, spread over where the map is not zero."""
    inside = np.argwhere(np.nan_to_num(values) != 0)
    ends = [(affine @ [*corner, 1.0])[2] for corner in (inside.min(axis=0), inside.max(axis=0))]
    low, high = sorted(ends)
    margin = 0.08 * (high - low)
    return [float(at) for at in np.unique(np.round(np.linspace(low + margin, high - margin, N_SLICES)))]


def _caption(place, planted):
    text = (
        f"The strongest {100 * (1 - SHOWN):.0f} % of voxels, on the MNI152 template. Upper row: planes through the "
        f"strongest voxel, at ({place[0]:.0f}, {place[1]:.0f}, {place[2]:.0f}) mm; lower row: axial slices, z in mm."
    ).replace("-", "−")
    return text + (" Contour: where the simulator planted the effect." if planted else "")
