"""Figures, tables and the study page: one self-contained HTML file a run, made from the run's folder alone."""
