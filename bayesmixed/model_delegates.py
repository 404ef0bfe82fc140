"""What a model is asked to do and the layers below it do: fit, draw, write itself. Each is one call of theirs."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any, cast

from .errors import with_known_options

if TYPE_CHECKING:
    from .engines import Engine
    from .engines.code.text import Script
    from .engines.program import Program
    from .fits.draws import DrawsFit
    from .fits.point import PointFit
    from .model import Model
    from .page import Page


class Delegates:
    """Members of `Model` that lead downwards; the only upward calls of its layer."""

    @with_known_options("Options of a method go into its value: model.fit(bm.NUTS(draws=100)), bm.ML(quadrature=9).")
    def fit(
        self, method: str | Engine = "nuts", *, seed: int | None = None, progress: bool | None = None
    ) -> PointFit | DrawsFit:
        """Fit the model: estimates by a maximum, or draws from its posterior.

        Parameters
        ----------
        method
            How, by name or by a value that carries options:

            - ``"ml"``, `bm.ML`: maximum likelihood, exact in linear models, else by Laplace's approximation or adaptive
              quadrature, ``bm.ML(quadrature=9)``. No priors.
            - ``"reml"``, `bm.REML`: restricted maximum likelihood, of linear models. No priors.
            - ``"map"``, `bm.MAP`: ML or REML with a penalty that keeps covariances off their boundary, or with the
              model's priors.
            - ``"laplace"``, `bm.Laplace`: draws from an approximate posterior with importance weights, in a second; its
              status says whether to trust them. The model's priors.
            - ``"nuts"``, `bm.NUTS`: draws by NumPyro's No-U-Turn sampler. The model's priors.
        seed
            A whole number: same seed, same draws. By default one is chosen, and kept in ``fit.seed``. Estimates need
            none.
        progress
            Whether methods that draw show a bar: by default in a terminal or notebook, True also where output goes to a
            file, False never.

        Returns
        -------
        PointFit or DrawsFit
            Estimates of "ml", "reml" and "map"; draws of "laplace" and "nuts". Both answer the same questions. A search
            that did not converge and chains that did not mix are no errors: ``fit.status.problems`` says so, with
            remedies, and so does the summary.

        Raises
        ------
        FitError
            A name that is no method, options that do not apply, a model that the method cannot fit.
        ModelError
            For estimates as many random effects as rows, unless the model has ``check="warn"``; for draws a flat prior
            that leaves the posterior improper.

        Notes
        -----
        The first draws of a kind of model wait some seconds for the compiler; `bm.compilation_cache` keeps what it made
        between sessions.

        References
        ----------
        Bates, Maechler, Bolker & Walker (2015), J. Stat. Softw. 67(1), for "ml" and "reml"; Chung, Rabe-Hesketh, Dorie,
        Gelman & Liu (2013), Psychometrika 78, 685-709, for "map"; Rue, Martino & Chopin (2009), J. R. Stat. Soc. B 71,
        319-392, for "laplace"; Hoffman & Gelman (2014), J. Mach. Learn. Res. 15, 1593-1623, for "nuts".

        Examples
        --------
        >>> import bayesmixed as bm
        >>> model = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy"))
        >>> round(model.fit("reml").loglik, 4)
        -871.8141
        >>> model.fit(bm.NUTS(draws=200, tune=200, chains=2), seed=1, progress=False).parameters.beta.shape
        (2, 200, 2)
        """
        from .engines import fit

        return fit(cast("Model", self), method, seed=seed, progress=progress)

    def loglik_at(
        self,
        *,
        theta: Any,
        beta: Any = None,
        sigma: float | None = None,
        dispersion: Mapping[str, float] | None = None,
        quadrature: int = 1,
        reml: bool = False,
    ) -> float:
        """The marginal log-likelihood at given values, every constant included.

        Parameters
        ----------
        theta
            Covariance parameters (m,) as in `fit.theta`.
        beta
            Coefficients (p,) of the mean; None takes those that maximise (linear models only).
        sigma
            Residual standard deviation, in units of the response; None the one that maximises (linear models only).
        dispersion
            The family's other parameters by name.
        quadrature
            Nodes as in `bm.ML`: 1 is Laplace's approximation. A linear model's integral is exact without.
        reml
            The restricted likelihood, of linear models.

        Returns
        -------
        float
            -inf outside the parameter space.

        Raises
        ------
        ModelError
            Values that are missing, or of another number than the model has.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))
        >>> fit = model.fit("ml")
        >>> bool(abs(model.loglik_at(theta=fit.theta) - fit.loglik) < 1e-8)
        True
        """
        from .likelihood.at import loglik_at

        return loglik_at(cast("Model", self), theta, beta, sigma, dispersion, quadrature, reml)

    def program(self, collapsed: str | bool = "auto") -> Program:
        """The NumPyro program of the model, its arguments and what each site means.

        Parameters
        ----------
        collapsed
            "full": effects and coefficients are integrated out exactly; "partial": only those of the largest grouping
            factor and the coefficients; False: everything is a sample site; "auto": the first of these that is
            possible.

        Returns
        -------
        Program
            `function`, `data` and `sites`; call ``program.function(**program.data)`` inside ``with bm.x64():``.

        Raises
        ------
        FitError
            Where effects cannot be integrated out as asked, with the reason.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))
        >>> sorted(model.program().sites), sorted(model.program(collapsed=False).sites)
        (['Batch_sigma', 'sigma'], ['Batch_sigma', 'Batch_u', 'Intercept_centered', 'sigma'])
        """
        from .engines.program import build_program

        return build_program(cast("Model", self), collapsed=collapsed)

    def code(self, path: str | PathLike[str] | None = None, *, collapsed: bool = False) -> Script:
        """The model as a NumPyro script that needs nothing of this package: what brms's ``stancode()`` is to Stan.

        It imports numpyro, jax, numpy and arviz, states the priors as numbers with a word on each, has a line per term,
        samples by NumPyro's own ``MCMC`` and names the draws as ``fit.idata`` does.

        Parameters
        ----------
        path
            Where to write it, "name.py"; its arrays go beside it, into "name.npz".
        collapsed
            Integrate the effects out, exactly; linear models only.

        Returns
        -------
        str
            The script. It prints as it is; `arrays` are what it reads, `save(path)` writes both.

        Raises
        ------
        ModelError
            Where the model cannot be collapsed, or a family, link, structure or prior has no text of its own.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> script = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).code()
        >>> print(next(line for line in script.splitlines() if "Days = " in line).strip())
        Days = numpyro.sample("Days", dist.Normal(0.0, 48.89151175485448))
        """
        from .engines.code import code

        return code(cast("Model", self), path, collapsed=collapsed)

    def graph(self, path: str | PathLike[str] | None = None) -> Any:
        """What depends on what in the model: NumPyro's drawing of the program that `code` writes, or words.

        Parameters
        ----------
        path
            Where to write it as well: .pdf, .png, .svg, or .txt for words.

        Returns
        -------
        graphviz.Digraph or str
            Where the package graphviz and the program dot are installed a drawing, which notebooks show; elsewhere, and
            for .txt, one line per parameter with those it is given.

        Raises
        ------
        ModelError
            Where a drawing is asked for by `path` and graphviz is missing, or the ending is none that it knows.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> drawing = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).graph()
        """
        from .engines.graph import graph

        return graph(cast("Model", self), path)

    def prior_summary(self) -> Page:
        """What each prior says in the response's units, and what they imply together, as a page that prints.

        Per parameter the prior in words, median and central 95 % interval; per grouping factor the sd of its effect
        on a row and its share of the variance (ICC), from seeded draws; flat priors that leave one undefined.

        Returns
        -------
        Page
            It prints, and has an HTML form.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))
        >>> page = model.prior_summary()
        >>> "sigma" in str(page)
        True
        """
        from .describe.prior_summary import prior_summary

        return prior_summary(cast("Model", self))

    def prior_predictive(self, draws: int = 500, seed: int | None = None) -> Any:
        """What the priors say before any data: parameters and responses drawn from them.

        Parameters
        ----------
        draws
            Number of draws; each has parameters, effects of new groups and a response for every row.
        seed
            Same seed, same draws.

        Returns
        -------
        ArviZ container
            Groups `prior` (names and dims as in `fit.idata.posterior`), `prior_predictive` (the response,
            dims chain, draw, `__obs__`; offset and weights included, NaN where the weight is zero) and
            `observed_data`.

        Raises
        ------
        ModelError
            Where a prior is improper, naming the parameters.
        FitError
            Where the draws would take more than 4 GB, or than is free.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> model = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy"))
        >>> model.prior_predictive(100, seed=1).prior_predictive["Reaction"].shape
        (1, 100, 180)
        """
        from .engines.program.prior_predictive import prior_predictive

        return prior_predictive(cast("Model", self), draws, seed)
