"""Thresholds of people in a detection task, with limits that know of everything. Writes thresholds.png."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

import bayesmixed as bm

# Ten people say which of four places held a target of five sizes: guessing gives 25 %. Threshold: 62.5 % correct,
# half way from guessing to perfection.
FORMULA = "prop(correct, trials) ~ size * condition + (size | person)"
GUESS, LEVEL = 0.25, 0.625
TRUTH = {
    "Intercept": 0.8,
    "size": 1.9,
    "condition[crowded]": -0.9,
    "size:condition[crowded]": 0.0,
    "1|person_sigma": 0.5,
    "size|person_sigma": 0.4,
    "person_corr": [[1, 0.4], [0.4, 1]],
}


def main() -> None:
    """Simulate the experiment, fit psychometric curves, find thresholds, draw."""
    task = {"family": "binomial", "link": bm.links.logit(guess=GUESS)}
    trials = design()
    trials["correct"] = bm.simulate(FORMULA, trials, TRUTH, seed=1, **task)[0].astype(int)
    print("Correct of 30 by one person:")
    print(trials[trials["person"] == "p01"].drop(columns="trials").to_string(index=False), end="\n\n")

    fit = bm.Model(FORMULA, trials, **task).fit("map")
    print(f"The size at which {LEVEL:.1%} are correct; stated were -0.42 alone and 0.05 crowded:")
    print(bm.inverse_predict(fit, LEVEL, "size", by="condition"), end="\n\n")
    print("Of each person, drawn towards those of the others:")
    persons = bm.inverse_predict(fit, LEVEL, "size", by=["person", "condition"]).frame
    print(persons.pivot(index="person", columns="condition", values="estimate").round(2), end="\n\n")

    picture = Path("thresholds.png")
    bm.plot.curves(fit, "size", by="condition").savefig(picture, dpi=150, bbox_inches="tight")
    print(f"Wrote {picture}: a panel per person, shares of correct answers and the curves fitted to them.")


def design() -> pd.DataFrame:
    """Who saw what: 10 people, 2 conditions, 5 sizes, 30 trials of each."""
    rows = [
        (f"p{person:02d}", condition, size, 30)
        for person in range(1, 11)
        for condition in ("alone", "crowded")
        for size in (-1.0, -0.5, 0.0, 0.5, 1.0)
    ]
    return pd.DataFrame(rows, columns=["person", "condition", "size", "trials"])


if __name__ == "__main__":
    main()
