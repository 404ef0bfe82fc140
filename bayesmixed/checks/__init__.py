"""Whether a program and its engine can be trusted: simulation-based calibration."""
