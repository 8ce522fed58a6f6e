"""Figures of the browser as PDF."""

import re
import zlib
from base64 import b64decode

import pytest

from tests.evo.web.conftest import refused

SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 100" width="85mm">
<g transform="translate(20,10)">
<path d="M0,0L10,5H20V9h-3v2C1,2 3,4 5,6Z" fill="none" stroke="rgb(0, 114, 178)" stroke-width="2px"/></g>
<line x1="0" x2="10" y1="5" y2="5" stroke="rgba(0, 0, 0, 0.5)" stroke-dasharray="4px, 3px"/>
<circle cx="5" cy="5" r="3" fill="rgb(213, 94, 0)" stroke="none"/>
<rect x="1" y="2" width="30" height="4" fill="rgb(1, 2, 3)"/>
<text x="10" y="50" transform="rotate(-90)" fill="rgb(0, 0, 0)" font-size="10px" text-anchor="middle">a$b</text>
</svg>"""


def made(lab, svg=SVG, mm=85):
    return b64decode(lab.answer("figure/pdf", {"svg": svg, "mm": mm})["pdf"])


def drawn(content):
    """The drawing operators of a PDF."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL)
    plain = [zlib.decompress(one) for one in streams if one[:1] == b"\x78"]
    return b"\n".join(plain).decode("latin-1")


@pytest.mark.long
@pytest.mark.parametrize("mm", [85, 174])
def test_a_figure_is_a_pdf_of_lines_and_text_at_the_size_of_a_column(shared, mm):
    content = made(shared, mm=mm)
    assert content.startswith(b"%PDF")
    width, height = map(float, re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+)", content).groups())
    assert (width, height) == pytest.approx((mm / 25.4 * 72, mm / 25.4 * 36), abs=0.01)
    assert b"/Subtype /Image" not in content
    assert b"/Type /Font" in content
    operators = drawn(content)
    assert re.search(r" 0 0\.447\d* 0\.698\d* RG ", operators)  # the stroke of the path
    assert re.search(r" c$", operators, re.MULTILINE)  # a curve is a curve
    assert re.search(r"BT.*T[jJ].*ET", operators, re.DOTALL)


def test_what_is_hidden_and_the_same_figure_again(shared):
    hidden = SVG.replace("<circle", '<circle visibility="hidden"')
    assert made(shared) == made(shared) != made(shared, hidden)


@pytest.mark.parametrize(
    ("svg", "mm", "said"),
    [
        (SVG, 5000, "mm: a width from"),
        (SVG, True, "mm: a width from"),
        (None, 85, "svg: must be a drawing"),
        ("<svg", 85, "svg: cannot be read"),
        ("<svg/>", 85, "needs a viewBox"),
        ('<svg viewBox="0 0 0 1"/>', 85, "needs a viewBox"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><svg viewBox="0 0 1 1"/>', 85, "without a DOCTYPE"),
        (
            '<svg viewBox="0 0 9 9"><path d="M0,0A1,1 0 0 0 2,2"/></svg>',
            85,
            "is not drawn as the lab draws",
        ),
        ('<svg viewBox="0 0 9 9"><g opacity="x"><line/></g></svg>', 85, "is not drawn as the lab draws"),
    ],
)
def test_what_is_no_figure_is_refused_in_one_line(shared, svg, mm, said):
    assert said in refused(shared, "figure/pdf", {"svg": svg, "mm": mm})[0]
