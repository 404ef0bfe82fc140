"""Many responses of one design: their criteria and gradients as arrays with a leading axis over the responses."""
