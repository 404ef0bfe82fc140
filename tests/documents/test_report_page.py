"""The page of a fit, and pages in notebooks, as a browser shows them: no wider than its window, without complaints."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from browsing import CHROMIUM, seen

import bayesmixed as bm
from bayesmixed.messages import Told
from bayesmixed.page import Page, Section, addresses
from bayesmixed.page.html import document

WINDOWS = (390, 1400)  # a telephone, a screen
VOID = {"meta", "img", "br", "link", "hr", "input"}

browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


def rows(n: int = 240) -> np.random.Generator:
    return np.random.default_rng(n)


def sleep() -> Any:
    return bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy"))


def posterior() -> Any:
    return sleep().fit(bm.NUTS(draws=100, tune=200, chains=2), seed=1)


def cbpp() -> Any:
    return bm.Model("prop(incidence, size) ~ period + (1 | herd)", bm.load_data("cbpp"), family="binomial").fit("ml")


def long_names() -> Any:
    random = rows()
    table = pd.DataFrame(
        {
            "reaction_time_in_the_second_session": random.normal(300, 40, 240)
            + np.repeat(random.normal(0, 30, 12), 20),
            "experimental_condition_of_the_participant": np.tile(
                ["control </td><script>alert(1)</script> & nothing else at all", 'a drug "x"', "no | bar %"], 80
            ),
            "hospital_and_ward_of_the_participant": np.repeat([f"ward {i} of the hospital" for i in range(12)], 20),
        }
    )  # fmt: skip
    response, condition, ward = table
    return bm.Model(f"{response} ~ {condition} + (1 | {ward})", table).fit("reml")


def japanese() -> Any:
    random = rows()
    people = np.repeat([a + b for a in ("田中", "鈴木", "佐藤") for b in ("太郎", "花子", "一郎", "美咲")], 20)
    table = pd.DataFrame({"条件": np.tile(["対照", "投薬", "プラセボ"], 80), "被験者": people})
    table["反応時間"] = random.normal(300, 40, 240) + np.repeat(random.normal(0, 30, 12), 20)
    return bm.Model("反応時間 ~ 条件 + (1 | 被験者)", table).fit("reml")


def three_factors() -> Any:
    random = rows()
    table = pd.DataFrame({name: random.choice(list("pqr"), 240) for name in "ab"})
    codes = {factor: random.integers(0, n, 240) for factor, n in (("g1", 20), ("g2", 8), ("g3", 5))}
    table = table.assign(**{factor: [f"level {code}" for code in found] for factor, found in codes.items()})
    table["y"] = random.normal(size=240) + random.normal(size=20)[codes["g1"]] + random.normal(size=8)[codes["g2"]]
    return bm.Model("y ~ a * b + (1 | g1) + (1 | g2) + (1 | g3)", table).fit("reml")


class Elements(HTMLParser):
    """Every element with its attributes; every one that is opened is closed in turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@browser
@pytest.mark.parametrize(
    "make",
    [
        lambda: sleep().fit("reml"),
        long_names,
        pytest.param(japanese, marks=pytest.mark.slow),
        pytest.param(three_factors, marks=pytest.mark.slow),
        pytest.param(cbpp, marks=pytest.mark.slow),
        pytest.param(posterior, marks=pytest.mark.slow),
    ],
    ids=["sleepstudy", "long names", "japanese", "three factors", "cbpp", "posterior"],
)
def test_a_page_is_no_wider_than_its_window_and_complains_of_nothing(make: Callable[[], Any], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib").use("agg")
    text = make().to_html(tmp_path / "fit.html").read_text(encoding="utf-8")
    found = seen(text, tmp_path, WINDOWS)
    assert found.widths == {window: window for window in WINDOWS} and found.console == []
    Elements(text)


@browser
def test_pages_in_notebooks_are_no_wider_than_their_cell(tmp_path: Path) -> None:
    fit, wide = sleep().fit("reml"), long_names()
    means = bm.emmeans(wide, "experimental_condition_of_the_participant")
    results = [wide, wide.model, means, bm.diagnose(wide, refit=False), bm.side_by_side(*[fit] * 8)]
    results += [bm.icc(fit), bm.anova(fit), bm.multi_start(fit, 1), bm.residual_checks(fit, seed=1)]
    body = "".join(result._repr_html_() for result in results)
    found = seen(document("Pages", body), tmp_path, WINDOWS)
    assert found.widths == {window: window for window in WINDOWS} and found.console == []


def test_a_page_says_what_its_parts_are_and_leads_to_each(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib").use("agg")
    fit = sleep().fit("reml")
    text = fit.to_html(tmp_path / "fit.html").read_text(encoding="utf-8")
    found = Elements(text)
    headings = ["Report", "Summary", "Diagnosis", "Effects", "Coefficients", "Shares of variance", "Residuals"]
    assert all(f"<h2>{heading}</h2>" in text for heading in [*headings, "Predictive check", "Model and priors"])
    anchors = {f"#{attributes['id']}" for attributes in found.of("section")}
    links = {str(attributes["href"]) for attributes in found.of("a")}
    assert anchors and anchors == {link for link in links if link.startswith("#")}
    assert all(link.startswith(f"{addresses.documentation()}messages.html#") for link in links - anchors)
    assert f"bayesmixed {bm.__version__}" in text and len(found.of("time")) == 1
    assert found.of("html") == [{"lang": "en"}] and "prefers-color-scheme: dark" in text
    assert all(attributes["alt"] for attributes in found.of("img")) and len(found.of("img")) == 6
    assert all(attributes["scope"] in ("row", "col") for attributes in found.of("th"))
    assert not found.of("script") and not found.of("link")


def test_each_table_scrolls_by_itself() -> None:
    html = bm.icc(sleep().fit("reml"))._repr_html_()
    assert html.count('<div class="wide"') == html.count("<table") == 1


def test_decimals_of_a_column_agree_and_what_all_levels_share_is_said_once(tmp_path: Path) -> None:
    fit = bm.Model("Reaction ~ Days + (1 | Subject)", bm.load_data("sleepstudy")).fit("reml")
    text = fit.to_html(tmp_path / "fit.html").read_text(encoding="utf-8")
    table = text.split("Coefficients of each level of Subject</h2>")[1].split("</section>")[0]
    cells = [part.split("</td>")[0] for part in table.split("<td>")[2:]]
    assert len(cells) == 18 and {len(cell.split(".")[1]) for cell in cells} == {3}
    assert f"In every row: Days = {fit.fixef()['Days']:.3f}." in table


def test_levels_whose_names_are_code_are_shown_as_they_are(tmp_path: Path) -> None:
    fit = long_names()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        text = fit.to_html(tmp_path / "fit.html").read_text(encoding="utf-8")
    assert "<script>" not in text and "&lt;script&gt;alert(1)" in text
    assert "<script>" not in bm.emmeans(fit, "experimental_condition_of_the_participant")._repr_html_()


def test_a_sentence_that_knows_its_topic_leads_to_what_is_written_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Page((Section("", lines=(Told("boundary", "The sd of g is 0."), "Another line.")),))
    monkeypatch.setattr(addresses, "documentation", lambda: "https://example.org/en/")
    links = Elements(told._repr_html_()).of("a")
    assert [link["href"] for link in links] == ["https://example.org/en/messages.html#boundary"]
    monkeypatch.setattr(addresses, "documentation", lambda: "")
    assert not Elements(told._repr_html_()).of("a")
