"""How a generalized model is fitted by maximum likelihood, and how far its integral can be trusted."""
