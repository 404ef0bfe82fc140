"""How ML, REML and MAP find their maximum."""
