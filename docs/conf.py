"""Sphinx: `make docs` builds this folder into build/docs. Pages in `reference/` are made from the code by `generate.py`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from circuits.version import __version__

project, author, release = "evocircuits", "the authors of evocircuits", __version__
copyright = author
extensions = ["myst_parser", "sphinx_copybutton", "generate"]
exclude_patterns = ["generate.py"]
myst_enable_extensions = ["deflist", "colon_fence"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"evocircuits {release}"
html_theme_options = {"navigation_with_keys": True}
