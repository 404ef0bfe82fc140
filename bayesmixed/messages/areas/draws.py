"""Draws from posteriors: whether they can be trusted, and where there are none."""

from __future__ import annotations

from ..topic import problem, refusal

TOPICS = (
    problem(
        "too-few-draws",
        "Too few draws to judge them",
        "R-hat and effective sample sizes of so few draws per chain mean nothing.",
        "Draw more: `model.fit(bm.NUTS(draws=1000), seed=1)`.",
    ),
    problem(
        "draws-not-finite",
        "Draws that are not numbers",
        "Some draws are infinite or missing: the density overflowed there.",
        "Rescale columns of huge or tiny values, or give tighter priors.",
    ),
    problem(
        "divergences",
        "Divergent draws",
        "The sampler's steps were too long for a narrow part of the posterior, which may be missing from the draws; "
        "typical of small sds of effects.",
        "Take shorter steps, `bm.NUTS(target_accept=0.95)`; if some remain, the other parameterisation, "
        "`bm.NUTS(centered=True)` or `False`, or tighter priors on sds.",
    ),
    problem(
        "r-hat",
        "Chains that disagree",
        "R-hat compares the spread between chains with that within them; above 1.01 (1.02 for the largest of many "
        "effects) they have not found the same distribution (Vehtari et al. 2021).",
        "Run longer, `bm.NUTS(tune=2000, draws=2000)`; `bm.plot.ranks(fit)` shows which chain is apart.",
    ),
    problem(
        "effective-sizes",
        "Few effective draws",
        "Successive draws resemble each other, so that they are worth fewer independent ones than 100 per chain: means "
        "are rough, ends of intervals rougher.",
        "Draw more, `bm.NUTS(draws=4000)`.",
    ),
    problem(
        "energy",
        "A low BFMI",
        "The sampler moves slowly between energies and may miss the tails (Betancourt 2016).",
        "Use a longer warm-up, `bm.NUTS(tune=2000)`, the other parameterisation, or tighter priors on sds.",
    ),
    problem(
        "tree-depth",
        "The largest tree depth was reached",
        "Trajectories were cut off before they turned. The draws are right, but took longer than they had to.",
        "`bm.NUTS(max_tree_depth=12)`, and rescale columns of very different sizes.",
        doubt=False,
    ),
    problem(
        "pareto-k",
        "Weights with a heavy tail",
        "`bm.Laplace` weights proposals about the mode; a Pareto shape k above 0.7 says that a few of them decide, so "
        "that the draws do not represent the posterior (Vehtari et al. 2024).",
        'Use `model.fit("nuts", seed=1)`.',
    ),
    problem(
        "few-proposals",
        "Many draws from few proposals",
        "The weighted proposals are worth fewer independent draws than asked for: means are rough, quantiles rougher.",
        "Propose more, `bm.Laplace(pool=16)`, or use NUTS.",
    ),
    problem(
        "many-hyperparameters",
        "Too many dimensions for proposals about a mode",
        "With many hyperparameters a t distribution about the mode fits badly, and the weights may not show it.",
        'Compare with `model.fit("nuts", seed=1)` before relying on it.',
    ),
    problem(
        "mode-without-curvature",
        "A direction without curvature at the mode",
        "The posterior is flat there in some direction: proposals may miss part of it.",
        'Use `model.fit("nuts", seed=1)`, or tighter priors.',
    ),
    problem(
        "effects-not-normal",
        "Effects that are not normal given the rest",
        "`bm.Laplace` draws effects from normal distributions about their modes. With few discrete responses per level "
        "their true distributions are skewed, and means lie away from modes.",
        'Use `model.fit("nuts", seed=1)`.',
    ),
    refusal(
        "collapsed",
        "Effects that cannot be integrated out",
        "`bm.NUTS(collapsed=...)` integrates effects in closed form where the model allows that: normal responses with "
        "one sigma.",
        'Leave it at `collapsed="auto"`, or use `collapsed=False`.',
    ),
    refusal(
        "improper-posterior",
        "A posterior that does not exist",
        "Under a flat prior the posterior of an sd is improper where there are too few levels for what varies between "
        "them.",
        'Give it a proper prior: `priors={"1|Subject_sigma": bm.priors.HalfStudentT(3, 1)}`.',
    ),
    refusal(
        "needs-draws",
        "Draws are needed, and this fit has estimates",
        "ML, REML and MAP give one value of each parameter; this question is about a posterior distribution.",
        'Fit by `model.fit("nuts", seed=1)` or `model.fit("laplace", seed=1)`, or draw from the estimates: '
        "`fit.predict_draws()`.",
    ),
    refusal(
        "needs-estimates",
        "A value of a maximum, asked of draws",
        "A log-likelihood at a maximum, AIC, BIC or theta belong to fits that maximised something.",
        'Ask a point fit, `model.fit("ml").aic`; draws are compared by `bm.loo(fit)`.',
    ),
    refusal(
        "memory",
        "Too large for the memory",
        "The numbers that were asked for take more memory than there is, or than one answer should take.",
        "Ask for fewer draws (`draws=`), rows or levels at a time; the message says what would fit.",
    ),
)
