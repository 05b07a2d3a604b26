"""How a sample is cut into what a network sees, and how the answers are put together again."""

SAMPLINGS = {
    "whole": "neuroloom.sampling.whole:Whole",
    "windows": "neuroloom.sampling.windows:Windows",
    "patches": "neuroloom.sampling.patches:Patches",
}
