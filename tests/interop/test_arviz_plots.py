"""ArviZ's plots and summaries take `fit.idata` as it is, whichever generation is installed (0.2x or 1.x)."""

from __future__ import annotations

import numpy as np
import pytest

import bayesmixed as bm

pytestmark = pytest.mark.filterwarnings("ignore")  # what ArviZ and matplotlib deprecate is theirs

FAMILIAR = ("plot_energy", "plot_trace", "plot_forest")
FIRST_GENERATION = ("plot_posterior", "plot_rank", "plot_autocorr", "plot_ess")
SECOND_GENERATION = ("plot_trace_dist", "plot_dist", "plot_rank_dist", "plot_autocorr", "plot_ess")
CORRELATION = {"Subject_effect": "Intercept", "Subject_effect_bis": "Days"}


@pytest.fixture(scope="module")
def fit():
    """Correlated slopes: scalars, effects by level and a correlation matrix."""
    model = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy"))
    return model.fit(bm.NUTS(draws=100, tune=100, chains=2), seed=1)


@pytest.fixture
def az():
    """ArviZ, drawing into memory."""
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("Agg")
    import arviz

    yield arviz
    pyplot.close("all")


def second(az) -> bool:
    return not az.__version__.startswith("0.")


def plots(name: str) -> bool:
    """Whether the installed generation has the plot."""
    import arviz

    return name in FAMILIAR or name in (SECOND_GENERATION if second(arviz) else FIRST_GENERATION)


@pytest.mark.parametrize("name", sorted({*FAMILIAR, *FIRST_GENERATION, *SECOND_GENERATION}))
def test_a_plot_takes_the_container(az, fit, name: str) -> None:
    if not plots(name):
        pytest.skip(f"this generation of ArviZ has no {name}")
    options = {} if name == "plot_energy" else {"var_names": ["Days", "sigma"]}
    assert getattr(az, name)(fit.idata, **options) is not None


def test_traces_of_every_variable_can_be_drawn(az, fit) -> None:
    """Levels and correlation matrices included; the second generation must be told not to stop at forty panels."""
    options = {"compact": True} if second(az) else {}
    draw = az.plot_trace_dist if second(az) else az.plot_trace
    assert draw(fit.idata, **options) is not None


def test_the_summary_shows_what_the_status_says(az, fit) -> None:
    """R-hat of every scalar but the constants of a correlation matrix; rounded by ArviZ."""
    table = az.summary(fit.idata, round_to="none" if second(az) else 8)
    rhat = table["r_hat"].astype(float)
    assert np.nanmax(rhat) == pytest.approx(fit.status.max_rhat, abs=1e-6)
    assert np.nanmin(table["ess_bulk"].astype(float)) == pytest.approx(fit.status.min_ess_bulk, abs=1e-6)
    assert {"Days", "sigma", "1|Subject[308]", "Subject_corr[Intercept, Days]"} <= set(table.index)


def test_statistics_have_arvizs_names(fit) -> None:
    from bayesmixed.interop.arviz import group

    stats = group(fit.idata, "sample_stats")
    names = {"diverging", "energy", "n_steps", "tree_depth", "step_size", "acceptance_rate", "lp"}
    assert names <= set(stats.data_vars)
    assert all(values.dims == ("chain", "draw") for values in stats.data_vars.values())


def test_a_correlation_is_selected_by_name(fit) -> None:
    rho = fit.idata.posterior["Subject_corr"].sel(CORRELATION)
    assert rho.shape == (2, 100) and float(abs(rho).max()) <= 1
