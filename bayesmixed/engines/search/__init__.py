"""Where a criterion of covariance parameters has its optimum, the boundary included."""
