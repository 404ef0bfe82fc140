"""How a script says a response: the text of its NumPyro distribution, and what must be defined before it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Written:
    """The call that makes the distribution, `distribution`, and `definitions` that stand above the model.

    The call may use `mu`, where the link says what that is, or `eta`, and the family's parameters by their names;
    `jnp`, `jax`, `np`, `dist` and `numpyro` are imported.
    """

    distribution: str
    definitions: str = ""


@dataclass(frozen=True)
class WrittenNormal:
    """A response of which something is normal about mu with the sd `sd` (a text).

    `of` is the text of what is normal and `response` that of the response's distribution, with ``{y}`` and ``{normal}``
    in the places of the response and of the normal distribution.
    """

    sd: str
    of: str = "{y}"
    response: str = "{normal}"


def precise(sd: str, weights: str) -> str:
    """The text of an sd of rows with precision weights, an empty text where there are none."""
    return f"{sd} / jnp.sqrt({weights})" if weights else sd


# NumPyro's log Beta has seven digits where counts are small, differences of log Gamma functions have all.
NEGATIVE_BINOMIAL = '''
from jax.scipy.special import gammaln


class NegativeBinomial(dist.NegativeBinomial2):
    """Counts of mean mu and variance mu + mu^2 / size; log Gamma functions are more exact than NumPyro's log Beta."""

    def log_prob(self, y):
        size, rate = self.concentration, self.rate  # a Poisson with the mean Gamma(size, rate), rate = size / mu
        choose = gammaln(y + size) - gammaln(size) - gammaln(y + 1.0)
        return choose - size * jnp.log1p(1 / rate) - y * jnp.log1p(rate)
'''
BETA_BINOMIAL = '''
from jax.scipy.special import gammaln


class BetaBinomial(dist.BetaBinomial):
    """Successes out of trials whose probability is Beta(a, b); log Gamma is more exact than NumPyro's log Beta."""

    def log_prob(self, y):
        a, b, m = self.concentration1, self.concentration0, self.total_count
        choose = gammaln(m + 1.0) - gammaln(y + 1.0) - gammaln(m - y + 1.0)
        return choose + _log_beta(y + a, m - y + b) - _log_beta(a, b)


def _log_beta(a, b):
    return gammaln(a) + gammaln(b) - gammaln(a + b)
'''
INVERSE_GAUSSIAN = '''
class InverseGaussian(dist.Distribution):
    """Positive numbers of mean mu and variance mu^3 / lam."""

    arg_constraints = {"mu": dist.constraints.positive, "lam": dist.constraints.positive}
    support = dist.constraints.positive
    reparametrized_params = []

    def __init__(self, mu, lam, *, validate_args=None):
        self.mu, self.lam = jnp.broadcast_arrays(mu, lam)
        super().__init__(batch_shape=jnp.shape(self.mu), validate_args=validate_args)

    def log_prob(self, y):
        far = self.lam * (y / self.mu - 1) ** 2 / y
        return 0.5 * (jnp.log(self.lam) - jnp.log(2 * jnp.pi) - 3 * jnp.log(y) - far)
'''
