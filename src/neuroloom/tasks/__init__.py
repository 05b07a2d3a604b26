"""What is asked: loss, prediction, what is scored. One file a question."""

TASKS = {
    "classify": "neuroloom.tasks.classify:Classify",
    "regress": "neuroloom.tasks.regress:Regress",
    "soft_bins": "neuroloom.tasks.soft_bins:SoftBins",
    "segment": "neuroloom.tasks.segment:Segment",
}
