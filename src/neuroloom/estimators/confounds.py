"""Confounds as features: what age, sex, site, motion or scan length alone would say."""

import json

import numpy as np
import pandas as pd

from neuroloom.known import check_known


class ConfoundFeatures:
    """Columns of the cohort's table as features: numbers as they are, words as one column a word.

    A missing number becomes the fit part's median; a word that the fit part does not know becomes zeros, and so does
    a column of which the fit part knows no word.

    Parameters
    ----------
    columns : list of str
    """

    def __init__(self, columns):
        self.columns = list(columns)

    def fit(self, rows):
        """Learn the medians of numbers and the words of the others from the fit part."""
        self.coding = {}
        for column in self.columns:
            check_known("confound", column, rows.columns)
            values = rows[column]
            if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
                median = values.median()
                self.coding[column] = 0.0 if pd.isna(median) else float(median)
            else:
                self.coding[column] = sorted(values.dropna().astype(str).unique())
        return self

    def transform(self, rows):
        """Return features (n_samples, n_features), float64."""
        features = []
        for column, coding in self.coding.items():
            if isinstance(coding, list):
                words = rows[column].astype(str)
                of_words = [(words == word).to_numpy(dtype=np.float64) for word in coding]
                features += of_words or [np.zeros(len(rows))]
            else:
                features.append(rows[column].fillna(coding).to_numpy(dtype=np.float64))
        return np.stack(features, axis=1)

    @property
    def names(self):
        """Names of the features: a column of numbers is one, a column of words one for each word."""
        return [
            name
            for column, coding in self.coding.items()
            for name in ([f"{column}={word}" for word in coding] if isinstance(coding, list) and coding else [column])
        ]

    def state(self):
        """Return how each column is coded, as the bytes of a JSON text."""
        return {"coding": np.frombuffer(json.dumps(self.coding).encode(), dtype=np.uint8)}

    def load_state(self, state):
        """Take up what `state` returned."""
        self.coding = json.loads(state["coding"].tobytes())
        return self
