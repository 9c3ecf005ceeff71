"""How the documentation becomes a site: `make docs` builds it into build/docs, warnings are errors.

Sphinx, since it reads docstrings of numpydoc's kind and tables of our own without a detour; MkDocs 1.x and Material
for MkDocs are in maintenance only. MyST lets the pages stay Markdown, which is read as it is in a repository, too.
"""

import sys
from pathlib import Path

import mltasks

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "mltasks"
author = "the contributors of mltasks"
version = release = mltasks.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "declared"]
html_theme = "furo"
html_title = "mltasks"
html_show_copyright = False  # the license is in the package
exclude_patterns = ["_ext", "_figures/*.csv"]
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
autodoc_typehints = "none"  # the parameters' own lines say what they take
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False
