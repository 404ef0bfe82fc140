"""Classic data sets of the mixed-model literature, with their level orders, sources and licences."""

from __future__ import annotations

from .loading import list_data as list_data
from .loading import load_data as load_data
