"""The colours of lines: neighbours differ for every eye, in both themes, and what is drawn looks like its legend.

Everything is read from the style sheets and from the modules that draw, and nothing is repeated here.
"""

import itertools
import math
import re

import pytest

from tests.supervision.running import PROJECT

STATIC = PROJECT / "metrics" / "static" / "metrics"
THEMES = {"light": r':root, \[data-theme="light"\]', "dark": r'^\[data-theme="dark"\]'}
PAPERS = {"light": r"^:root", "dark": r'^:root\[data-theme="dark"\]'}
# For eyes that lack a cone: the matrices of Machado, Oliveira and Fernandes (2009).
EYES = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}
LEAST_DIFFERENCE = 14
# Less than this nobody sees.
SAME = 2


def properties(file, selector):
    """The colours that a rule of a style sheet sets, each as three parts from 0 to 1."""
    block = re.search(rf"{selector} {{(.*?)}}", (STATIC / file).read_text(), re.DOTALL | re.MULTILINE)[1]
    return {name: rgb(value) for name, value in re.findall(r"--(\w+): #([0-9a-f]{3}(?:[0-9a-f]{3})?);", block)}


def rgb(text):
    digits = text if len(text) == 6 else "".join(one * 2 for one in text)
    return tuple(int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4))


def panels():
    """The colours of the lines of each panel, and the form in which they are drawn."""
    text = (STATIC / "js" / "panels.js").read_text()
    for function in re.findall(r"^function \w+\(\) {\n.*?^}", text, re.DOTALL | re.MULTILINE):
        if name := re.search(r'\bid: "(\w+)"', function):
            lines = function.partition("lines: [")[2].partition("\n    ]")[0]
            yield name[1], re.search(r'form: "(\w+)"', function)[1], re.findall(r'color: "--(\w+)"', lines)


def alphas():
    """How much of a fill and of a band is seen, from 0 to 1."""
    text = (STATIC / "js" / "chart.js").read_text()
    names, values = re.search(r"const \[(.*?)\] = \[(.*?)\];", text).groups()
    digits = [value.strip(' "') or "ff" for value in values.split(",")]
    return dict(zip(names.split(", "), (int(value, 16) / 255 for value in digits), strict=True))


def over(color, paper, alpha):
    """What is seen of a colour over a background, as a browser composites it."""
    return tuple(alpha * one + (1 - alpha) * other for one, other in zip(color, paper, strict=True))


def seen(color, eye):
    """A colour as somebody sees it, in Björn Ottosson's OKLab, its lightness from 0 to 1."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color]
    through = [max(0.0, sum(w * p for w, p in zip(row, linear, strict=True))) for row in EYES[eye]]
    long, medium, short = (
        sum(w * p for w, p in zip(row, through, strict=True)) ** (1 / 3)
        for row in ((0.4122, 0.5363, 0.0514), (0.2119, 0.6807, 0.1074), (0.0883, 0.2817, 0.63))
    )
    return (
        0.2105 * long + 0.7936 * medium - 0.0041 * short,
        1.978 * long - 2.4286 * medium + 0.4506 * short,
        0.0259 * long + 0.7828 * medium - 0.8087 * short,
    )


def difference(one, other, eye="normal"):
    """Delta E in OKLab, times 100."""
    return 100 * math.dist(seen(one, eye), seen(other, eye))


def palette(theme):
    return properties("colors.css", THEMES[theme]), properties("dashboard.css", PAPERS[theme])["paper"]


def test_the_panels_are_read_as_they_are():
    found = {name: (form, colors) for name, form, colors in panels()}
    assert found["cpu"] == ("stack", ["blue", "orange", "violet", "yellow"])
    assert found["network"] == ("mirror", ["green", "violet"])
    assert len(found) == 9


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("theme", THEMES)
def test_lines_of_one_chart_differ_for_every_eye(theme, eye):
    """All of a chart and not only the next ones: where nothing waits for a disk, steal lies on system."""
    known, _paper = palette(theme)
    derived = re.findall(r'"--(\w+)"', re.search(r"COLORS = \[(.*?)\]", (STATIC / "js" / "looks.js").read_text())[1])
    charts = {**{name: colors for name, _form, colors in panels()}, "derived": derived}
    assert len(derived) == 6
    close = {
        (chart, one, other): round(difference(known[one], known[other], eye), 1)
        for chart, colors in charts.items()
        for one, other in itertools.combinations(dict.fromkeys(colors), 2)
        if difference(known[one], known[other], eye) < LEAST_DIFFERENCE
    }
    assert close == {}


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("theme", THEMES)
def test_bands_differ_too_as_they_lie_on_the_background(theme, eye):
    known, paper = palette(theme)
    drawn = {name: over(color, paper, alphas()["BAND"]) for name, color in known.items()}
    close = {
        (chart, one, other): round(difference(drawn[one], drawn[other], eye), 1)
        for chart, form, colors in panels()
        for one, other in itertools.combinations(colors, 2)
        if form != "stack" and difference(drawn[one], drawn[other], eye) < LEAST_DIFFERENCE
    }
    assert close == {}


@pytest.mark.parametrize("theme", THEMES)
def test_what_is_filled_has_the_colour_of_the_legend(theme):
    known, paper = palette(theme)
    for _chart, form, colors in panels():
        for name in colors if form in ("stack", "mirror") else ():
            assert difference(over(known[name], paper, alphas()["FILL"]), known[name]) < SAME, name


@pytest.mark.parametrize("panel", ["cpu", "memory", "disk", "network"])
@pytest.mark.parametrize("theme", THEMES)
def test_a_filled_chart_shows_the_colours_of_its_legend_in_a_browser(desktop, open_page, theme, panel):
    """With bands, for a point of an hour is a mean."""
    page = open_page(desktop + "?range=1h", color_scheme=theme)
    page.locator(f"#panel-{panel}").scroll_into_view_if_needed()
    page.wait_for_function("(panel) => document.querySelector(`#panel-${panel} canvas`)", arg=panel)
    swatch = "getComputedStyle(document.querySelector(`#panel-${panel} .swatch`)).backgroundColor"
    legend = [int(part) for part in re.findall(r"\d+", page.evaluate(f"(panel) => {swatch}", panel))[:3]]
    share = page.evaluate(
        """([panel, legend]) => {
          const canvas = document.querySelector(`#panel-${panel} canvas`);
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          let [same, filled] = [0, 0];
          for (let place = 0; place < data.length; place += 4) {
            const near = legend.every((part, index) => Math.abs(data[place + index] - part) <= 3);
            if (data[place + 3] === 255 && near) same += 1;
            if (data[place + 3] > 0) filled += 1;
          }
          return same / filled;
        }""",
        [panel, legend],
    )
    assert share > 0.05
