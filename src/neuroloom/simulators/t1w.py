"""T1-weighted brain scans of simulated people: real anatomy, warped, with known volumes and a planted disease."""

from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import pandas as pd
from scipy.linalg import expm

from neuroloom.cohort.cohort import Cohort, DrawnSource
from neuroloom.errors import NeuroloomError
from neuroloom.seeds import generator
from neuroloom.simulators.t1w_people import (
    HEAD_SIZE,
    SPREAD,
    ceiling,
    disease_of,
    draw_table,
    meant_change,
    planned,
)
from neuroloom.simulators.t1w_regions import brain, mask
from neuroloom.simulators.t1w_response import amplitudes_for, velocity_of
from neuroloom.simulators.t1w_scanner import Site, draw_sites, scanned
from neuroloom.simulators.t1w_template import template_2mm
from neuroloom.simulators.t1w_warp import displacement, natural_velocity, volumes

EFFECTS = {"hippocampus": 2.5, "ventricles": 1.8, "temporal": 2.0}  # Cohen's d
MEASURED = ("hippocampus_left", "hippocampus_right", "ventricles", "temporal", "grey")
POSE = {False: (1.5, 1.5), True: (6.0, 8.0)}  # by native: standard deviation of turns (degrees), shifts (mm)


def simulate_t1w(
    *,
    n_participants=160,
    n_sites=4,
    seed=0,
    voxel_size=2.0,
    effects=None,
    effect_scale=1.0,
    moved=False,
    ages=(55, 90),
    diseased=0.5,
    visits=1,
    visit_interval=1.0,
    native=False,
):
    """Return a cohort of simulated T1w scans, brain only, drawn one by one when asked for.

    Each head is the MNI152 average brain after a smooth invertible warp, whose size is calibrated on the
    resemblance of real people (studies/t1w_realism.py); then age, sex, head size, disease and scanner.

    Parameters
    ----------
    n_participants : int
        Half of them patients by default, evenly over the sites.
    n_sites : int
        Scanners, differing in contrast, shading, noise, slice thickness and axis order.
    seed : int
        A sample's draw depends on the seed and on the sample's name only.
    voxel_size : float
        In mm; slices of some sites are thicker.
    effects : dict of float, optional
        Region -> Cohen's d of its volume, corrected for head size, between patients and controls. By
        default hippocampus 2.5, ventricles 1.8 (they grow), temporal 2.0.
    effect_scale : float
        Multiplies every effect; 0 plants nothing.
    moved : bool
        Plant the same effects elsewhere: parietal operculum, insula and orbitofrontal cortex.
    ages : tuple of float
        Youngest and oldest, in years; ages are uniform between.
    diseased : float
        Share of patients; 0 for healthy people only.
    visits : int
        Scans of each person; patients change faster from visit to visit.
    visit_interval : float
        In years.
    native : bool
        If false, scans lie in MNI space but for head size and a turn and shift of about 1.5 degrees and
        mm. If true, heads have the size of real ones (MNI152 is larger), turns and shifts of about 6 degrees
        and 8 mm: these need {name: align} before a box or grid in mm.

    Returns
    -------
    Cohort
        Input ``t1w``; columns participant_id, site, age (years), sex, head_size (cm3), diagnosis.
        ``truth``: volumes in mm3, measured by summing the warped mask: ``NAME_mm3`` in the head itself, and
        ``NAME`` corrected to the mean head size (the quantity that effects are stated for).
        ``planted``: ``maps`` (region -> (affine, mask) in MNI space), ``effects`` (region -> d), ``factors``
        (region -> patients' volume relative to controls'), ``ceiling`` (best auc, or mae of age).
    """
    effects = EFFECTS if effects is None else effects
    _check(n_participants, n_sites, voxel_size, ages, diseased, visits)
    planted = planned(effects, effect_scale if diseased > 0 else 0.0, moved)
    disease = disease_of(planted, ages)
    sites = draw_sites(n_sites, seed)
    mean_head = HEAD_SIZE if native else template_size()
    table = draw_table(n_participants, sites, seed, ages, diseased, visits, visit_interval, mean_head)
    heads = {}
    for sample, row in table.iterrows():
        rng = generator(seed, "own size", row["participant_id"])
        own = {name: float(rng.standard_normal()) for name in SPREAD}
        years = visit_interval * (int(row["session_id"].rsplit("-")[-1]) - 1) if visits > 1 else 0.0
        change = meant_change(row, years, disease, effect_scale, own)
        heads[sample] = Head(row["participant_id"], row["site"], row["head_size"], amplitudes_for(change))
    draw = T1wDraw(seed, voxel_size, native, {site.name: site for site in sites}, heads)
    told = (
        seed, n_participants, n_sites, voxel_size, sorted(planted.items()), effect_scale, tuple(ages), diseased,
        native, visits, visit_interval,
    )  # fmt: skip
    maps = {name: (template_2mm()[-1], mask(name)) for name in planted}
    return Cohort(
        table=table,
        inputs={"t1w": DrawnSource("volume", frozenset(table.index), draw, f"simulated_t1w|{told}")},
        name="simulated T1w",
        known_truth=partial(true_volumes, draw, table, planted, mean_head),
        planted={
            "maps": maps,
            "effects": planted,
            "factors": disease.factors,
            "ceiling": ceiling(planted, disease.shift, ages, diseased),
        },
        simulated=True,
    )


def _check(n_participants, n_sites, voxel_size, ages, diseased, visits):
    limits = {
        "n_participants": (n_participants, 1, 100_000),
        "n_sites": (n_sites, 1, 100),
        "voxel_size": (voxel_size, 1.0, 8.0),
        "diseased": (diseased, 0.0, 1.0),
        "visits": (visits, 1, 20),
    }
    for name, (value, low, high) in limits.items():
        if not low <= value <= high:
            raise NeuroloomError(f"simulated_t1w: {name} must be between {low} and {high}, but is {value}.")
    if not 18 <= ages[0] < ages[1] <= 100:
        raise NeuroloomError(f"simulated_t1w: ages must be two numbers of years from 18 to 100, rising, not {ages}.")


@dataclass(frozen=True)
class Head:
    """What one scan's head is made of, but for the random warp, which is drawn from the person's name."""

    participant: str
    site: str
    size: float  # cm3
    amplitudes: dict[str, float]


@dataclass(frozen=True)
class T1wDraw:
    """Draw the scan of a sample; the same one at each call and in every process."""

    seed: int
    voxel_size: float
    native: bool
    sites: dict[str, Site]
    heads: dict[str, Head]

    def __call__(self, sample):
        rng = generator(self.seed, "scan", sample)
        head = self.heads[sample]
        pose = self.pose(sample)
        return scanned(self.warp(sample), pose, self.sites[head.site], self.voxel_size, rng)

    def warp(self, sample):
        """Return the displacement from the person's head (unturned, of template size) to the template, mm."""
        head = self.heads[sample]
        rng = generator(self.seed, "anatomy", head.participant)
        return displacement(natural_velocity(rng) + velocity_of(head.amplitudes))

    def pose(self, sample):
        """Return the matrix from the unturned head of template size to the scanner, mm, shape (4, 4)."""
        rng = generator(self.seed, "pose", sample)
        turn_spread, shift_spread = POSE[self.native]
        x, y, z = np.deg2rad(turn_spread) * rng.standard_normal(3)
        turn = expm(np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]]))
        matrix = np.eye(4)
        matrix[:3, :3] = turn * self.scale(sample)
        matrix[:3, 3] = shift_spread * rng.standard_normal(3)
        return matrix

    def scale(self, sample):
        """Return the length of the head relative to the template."""
        return (self.heads[sample].size / template_size()) ** (1 / 3)


@lru_cache(maxsize=1)
def template_size():
    """Return the volume of the template within its skull-stripped outline, cm3."""
    return float(brain().sum() * 8.0 / 1000.0)


def true_volumes(draw, table, planted, mean_head):
    """Return the volumes of each sample's regions, mm3, by summing its warped masks; index as ``table``."""
    names = [*MEASURED, *(name for name in planted if name not in (*MEASURED, "hippocampus"))]
    rows = {}
    for sample, size in table["head_size"].items():
        in_head = dict(zip(names, volumes(draw.warp(sample), names) * draw.scale(sample) ** 3, strict=True))
        in_head["hippocampus"] = in_head["hippocampus_left"] + in_head["hippocampus_right"]
        corrected = {name: volume * mean_head / size for name, volume in in_head.items()}
        rows[sample] = {f"{name}_mm3": volume for name, volume in in_head.items()} | corrected
    truth = pd.DataFrame.from_dict(rows, orient="index")
    truth.index.name = "sample_id"
    return truth
