"""Could the model have made these data? Counts that a Poisson model does not make. Writes predictive_check.png."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt

import bayesmixed as bm

# Salamanders of seven species, counted four times at each of 23 streams, some of them below mines.
FORMULA = "count ~ spp + mined + (1 | site)"


def main() -> None:
    """Ask of a Poisson and of a negative binomial fit whether their replicates look like the data; draw both."""
    salamanders = bm.load_data("Salamanders")
    print(f"{len(salamanders)} counts of salamanders: {FORMULA}\n")

    figure, panels = plt.subplots(1, 2, figsize=(11, 5), sharey=True)
    for family, panel in zip(("poisson", "negbinomial"), panels, strict=True):
        fit = bm.Model(FORMULA, salamanders, family=family).fit("ml")
        print(
            f"{family}: AIC {fit.aic:.0f}. Its replicates beside the data, in spread, share of zeros and largest count:"
        )
        check = bm.pp_check(fit, ["sd", "zeros", "max"], seed=1).frame
        print(
            check[["statistic", "observed", "mean", "lower", "upper", "p"]].round(2).to_string(index=False), end="\n\n"
        )
        bm.plot.pp_check(fit, "rootogram", seed=1, ax=panel)
        panel.set_title(family)
    print("Poisson replicates have too few zeros and no count as large as 36; the negative binomial makes both.")

    picture = Path("predictive_check.png")
    figure.savefig(picture, dpi=150, bbox_inches="tight")
    print(f"Wrote {picture}: bars hang from what is expected, and end at zero where the model is right.")


if __name__ == "__main__":
    main()
