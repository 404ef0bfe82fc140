"""A fit as one self-contained page."""

from .write import page, to_html

__all__ = ["page", "to_html"]
