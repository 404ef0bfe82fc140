"""How is the site built? Sphinx's settings; what is made at build time is in `_site/`."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from _site import code_links, equations, gallery, generated, outside, tutorials  # noqa: E402
from _site.reference import members  # noqa: E402

import bayesmixed  # noqa: E402

project = "bayesmixed"
author = "The bayesmixed developers"
copyright = "The bayesmixed developers; text and code under the MIT licence"
release = version = bayesmixed.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "numpydoc",
    "myst_nb",
    "sphinx_design",
    "sphinx_copybutton",
]
exclude_patterns = [
    "conf.py",
    "gallery.py",
    "_site",
    "_static",
    "from/programs",
    "tutorials/build.py",
    "**.ipynb",
    *(f"tutorials/{name}.md" for name in tutorials.SOURCES),  # pages for readers of the repository
]
default_role = "code"
nitpicky = True
nitpick_ignore_regex = [("py:.*", ".*")]  # names in signatures that other packages define; those in text are literals
suppress_warnings = [
    "ref.python",  # `Power` of a signature is one of two classes
]

# Markdown and notebooks
nb_custom_formats = {".py": "_site.tutorials.executed"}
nb_execution_mode = "off"  # `_site.tutorials` runs them, and keeps what they print
nb_merge_streams = True
myst_enable_extensions = ["amsmath", "attrs_block", "attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
mathjax_path = equations.PATH

# Reference
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 88
python_use_unqualified_type_names = True
add_module_names = False
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
toc_object_entries_show_parents = "hide"

# HTML
html_theme = "pydata_sphinx_theme"
html_title = f"bayesmixed {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_sidebars = {name: [] for name in ("index", "messages", "changelog", "speed/index", "search")}  # no section
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
html_theme_options: dict[str, Any] = {
    "logo": {"text": "bayesmixed"},
    "header_links_before_dropdown": 6,
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "navbar_align": "left",
    "navbar_end": ["theme-switcher", "navbar-icon-links"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "icon_links": [
        {"name": "Repository", "url": outside.ADDRESS, "icon": "fa-brands fa-github"},
    ],
}


def setup(app: Any) -> None:
    """What happens before pages are read, as they are read, and before they are written."""
    logging.getLogger("sphinx.sphinx.directives.other").addFilter(_is_no_empty_glob)
    app.connect("autodoc-process-docstring", members.on_docstring, priority=400)  # before numpydoc
    app.connect("builder-inited", equations.copy)
    app.connect("builder-inited", lambda app: generated.write(HERE))
    app.connect("builder-inited", lambda app: tutorials.run_all())
    app.connect("env-get-outdated", generated.outdated)
    app.connect("env-get-outdated", tutorials.outdated)
    app.connect("source-read", gallery.on_source_read)
    app.connect("source-read", outside.on_source_read)
    app.connect("doctree-resolved", code_links.link)


def _is_no_empty_glob(record: logging.LogRecord) -> bool:
    """Contents lists may end with `*` for pages to come; Sphinx gives this warning no type to leave out."""
    return getattr(record, "subtype", "") != "empty_glob"
