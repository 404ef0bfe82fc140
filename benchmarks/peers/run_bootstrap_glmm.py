"""Seconds a replicate of the Rust engine of the package glmm: responses that are given, fitted one after the other."""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version

import glmm
import numpy as np
import pandas as pd


def main() -> None:
    """CSV, formula, family and a .npy file of responses on the command line, a JSON line out."""
    path, formula, family, responses = sys.argv[1:5]
    data, y = pd.read_csv(path), np.load(responses)
    name = formula.split("~")[0].strip()
    options = {"reml": False} if family == "gaussian" else {}

    def fit(one: np.ndarray) -> None:
        glmm.fit(data.assign(**{name: one}), formula, family=family, satterthwaite=False, anova_test="Wald", **options)

    fit(y[0])
    begin = time.process_time()
    for one in y:
        fit(one)
    seconds = (time.process_time() - begin) / len(y)
    print(json.dumps({"engine": "glmm", "version": version("glmm"), "replicate": seconds, "test": None}))


if __name__ == "__main__":
    main()
