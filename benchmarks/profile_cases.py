"""Which models are profiled in the comparison: a formula each for us, for R and for mixedlm."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ProfileCase:
    """A model of a data set of the package; `peer_formula` where others write it in another way, `factors` by name."""

    name: str
    dataset: str
    formula: str
    factors: str
    family: str = "gaussian"
    r_formula: str = ""
    mixedlm_formula: str = ""

    @property
    def in_r(self) -> str:
        """The formula for lme4."""
        return self.r_formula or self.formula

    @property
    def in_mixedlm(self) -> str:
        """The formula for mixedlm, weights behind it."""
        return self.mixedlm_formula or self.formula


CASES = (
    ProfileCase("sleepstudy", "sleepstudy", "Reaction ~ Days + (Days | Subject)", "Subject"),
    ProfileCase("Dyestuff", "Dyestuff", "Yield ~ 1 + (1 | Batch)", "Batch"),
    ProfileCase("Dyestuff2, an sd at zero", "Dyestuff2", "Yield ~ 1 + (1 | Batch)", "Batch"),
    ProfileCase("Penicillin, crossed", "Penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)", "plate,sample"),
    ProfileCase("Machines, three columns", "Machines", "score ~ Machine + (0 + Machine | Worker)", "Machine,Worker"),
    ProfileCase(
        "cbpp, Laplace",
        "cbpp",
        "cbind(incidence, size - incidence) ~ period + (1 | herd)",
        "herd,period",
        "binomial",
        mixedlm_formula="proportion ~ period + (1 | herd) weights=size",
    ),
)
