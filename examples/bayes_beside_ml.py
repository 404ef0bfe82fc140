"""One model, four answers: ML, adaptive quadrature, MAP and NUTS in one table. Writes bayes_beside_ml.png."""

from __future__ import annotations

from pathlib import Path

import bayesmixed as bm

# Cases of a disease among the cattle of fifteen herds, in four periods.
FORMULA = "prop(incidence, size) ~ period + (1 | herd)"


def main() -> None:
    """Fit, put side by side, compare with the priors, draw."""
    model = bm.Model(FORMULA, bm.load_data("cbpp"), family="binomial")
    print(model, end="\n\n")

    ml = model.fit("ml")
    quadrature = model.fit(bm.ML(quadrature=9))
    penalised = model.fit("map")
    posterior = model.fit("nuts", seed=1)
    print(bm.side_by_side(ml, quadrature, penalised, posterior), end="\n\n")
    print("The sd of the herds by ML is the smallest: the likelihood of an sd is skewed, its top lies below its mean.")
    print(
        f"Chains: largest R-hat {posterior.status.max_rhat:.3f}, {posterior.status.divergences} divergences.",
        end="\n\n",
    )

    picture = Path("bayes_beside_ml.png")
    parameters = [*model.coefficients, "sd(Intercept | herd)"]
    drawn = bm.plot.forest(ml, quadrature, penalised, posterior, parameters=parameters)
    drawn.savefig(picture, dpi=150, bbox_inches="tight")
    print(f"Wrote {picture}")


if __name__ == "__main__":
    main()
