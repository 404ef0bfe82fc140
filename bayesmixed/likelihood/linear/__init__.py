"""The likelihood of linear mixed models: penalised least squares."""
