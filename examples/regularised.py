"""A maximum likelihood fit that is singular, why it is, and what to report in its place. Writes regularised.png."""

from __future__ import annotations

from pathlib import Path

import bayesmixed as bm

# Split plots: the yield of oats by nitrogen, in three plots of each of six blocks. The response to nitrogen may differ
# from block to block and from plot to plot, so the design asks for slopes of both.
FORMULA = "yield ~ nitro + (nitro | Block/Variety)"


def main() -> None:
    """Fit by ML, ask why it is singular, fit by MAP and NUTS, draw the three side by side."""
    oats = bm.load_data("Oats")
    model = bm.Model(FORMULA, oats)

    print(f"1. Maximum likelihood of {FORMULA}")
    ml = model.fit("ml")
    print(ml.varcorr().round(2).to_string(index=False, na_rep=""), end="\n\n")

    print("2. A correlation of exactly one is no finding about oats. What the fit says of itself:")
    print("\n".join(bm.diagnose(ml).table["what"]), end="\n\n")

    print("3. The same model with a penalty that keeps covariances off the boundary, and its posterior:")
    regularised = model.fit("map")
    posterior = model.fit("nuts", seed=1)
    print(bm.side_by_side(ml, regularised, posterior), end="\n\n")

    picture = Path("regularised.png")
    spreads = [
        "sd(Intercept | Block)",
        "sd(nitro | Block)",
        "sd(Intercept | Block:Variety)",
        "sd(nitro | Block:Variety)",
    ]
    drawn = bm.plot.forest(ml, regularised, posterior, parameters=["nitro", *spreads, "sigma"])
    drawn.savefig(picture, dpi=150, bbox_inches="tight")
    print(f"Wrote {picture}: the estimates and intervals of the three, by parameter.")


if __name__ == "__main__":
    main()
