"""How are names and numbers written in a sentence?"""

from __future__ import annotations

from ...page import listed as listed
