"""The Gaussian likelihood with effects and coefficients integrated out, in JAX: density with gradient, exact draws.

With relative factors Lambda, M_0 = Lambda_0'A Lambda_0 + I per level of the largest factor, W = Lambda_0 M_0^-1
Lambda_0', and C its cross-products with all the rest (tail | free coefficients | y - known part),

    T = direct - C'WC,   S = K'TK + [I on the tail] + sigma^2 E0   (K = blockdiag(Lambda_t, I)),

where E0 holds the normal priors of the free coefficients in an orthonormal basis of their columns. With Q all of S but
its last row and column, and rho the Schur complement of S's last element,

    -2 log p(y) = log|M_0| + log|Q| + (n - p_free) log sigma^2 + rho / sigma^2 + constants.

Everything is Bates et al. (2015, J. Stat. Softw. 67(1), eq. 33-41) with the coefficients integrated like effects.
"""

from __future__ import annotations

from .conditional_draws import draw as draw
from .layout import Layout as Layout
from .layout import layout as layout
from .log_density import log_density as log_density
from .packed import arrays as arrays
from .triangular import WRITTEN_OUT as WRITTEN_OUT
