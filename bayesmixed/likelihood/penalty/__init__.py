"""Log prior densities that are added to a criterion, where they end, and where they let it fall without bound."""
