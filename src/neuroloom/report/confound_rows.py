"""Whether the prediction follows confounds among people of the same truth, and what it adds to them."""

from neuroloom.report.wording import ABSENT, compact, defined, p_value


def confound_section(record):
    """Return rows (confound, share explained, p, note) of the deep model, and what it tells beyond the confounds.

    Returns
    -------
    dict
        ``rows`` and ``beyond`` (a sentence, maybe empty).
    """
    told = (record.learners.get(record.deep) or {}).get("confounds") or {}
    rows = [(name.replace("_", " "), _share(entry), p_value(entry.get("p")), entry.get("note") or "")
            for name, entry in told.items()]  # fmt: skip
    return {"rows": rows, "noted": any(note for *_, note in rows), "beyond": beyond_text(record)}


def _share(entry):
    share = defined(entry.get("partial_r2"))
    return ABSENT if share is None else f"{100 * share:.1f} %"


def beyond_text(record):
    """Return what the deep model says about the truth that the confounds' own prediction does not."""
    entry = record.metrics.get("beyond_confounds") or {}
    if defined(entry.get("partial_r")) is None:
        return ""
    return (
        "Given what the confounds alone predict, prediction and truth still correlate by "
        f"{compact(entry['partial_r'])} inside folds ({p_value(entry.get('p'))})."
    )
