"""Sphinx: `make docs` builds this folder into build/docs. `generate.py` makes the pages in `reference/` from the code."""

import sys
from pathlib import Path

import evo

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

project, author, release = "evocircuits", "the authors of evocircuits", evo.__version__
copyright = author
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon", "sphinx_copybutton", "generate"]
exclude_patterns = ["*.py", "reference/tables/*"]
suppress_warnings = ["mystnb.unknown_mime_type"]

myst_enable_extensions = ["deflist", "colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "force"  # the notebooks run in every build, in empty folders
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True

default_role = "code"  # what stands between single backticks in a docstring
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say them
python_maximum_signature_line_length = 100
python_use_unqualified_type_names = True
napoleon_google_docstring = False
napoleon_use_rtype = False
autosummary_generate = False

html_theme = "furo"
html_title = f"evocircuits {release}"
html_theme_options = {"navigation_with_keys": True}
html_static_path = ["static"]
html_css_files = ["style.css"]
copybutton_prompt_text = "$ "
