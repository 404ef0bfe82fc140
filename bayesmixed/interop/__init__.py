"""Plain arrays and xarray to and from other libraries and files."""
