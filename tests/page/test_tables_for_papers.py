"""Tables for papers: LaTeX that compiles, Markdown that keeps its columns, digits that are those printed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.page import Page, Section

pytest.importorskip("jinja2")
pytest.importorskip("tabulate")

ODD = '50 % of_a & b #1 $x$ {y} ~z^2 | <w> \\v [u] "t"'
PREAMBLE = r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{booktabs}\begin{document}"
NUMBER = re.compile(r"\d+\.\d+")


@pytest.fixture(scope="module")
def fit() -> Any:
    return bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")


@pytest.fixture(scope="module")
def results(fit: Any) -> list[Any]:
    cake = bm.Model("angle ~ recipe + temp + (1 | recipe:replicate)", bm.load_data("cake")).fit("reml")
    return [
        *(fit.summary(ddf="satterthwaite"), bm.side_by_side(fit, cake), bm.side_by_side(fit, level=0.9), bm.icc(fit)),
        *(bm.emmeans(cake, "recipe"), bm.emmeans(cake, "recipe").contrast(), bm.anova(cake), bm.diagnose(fit)),
        *(bm.confint(fit), bm.multi_start(fit, 1), bm.pp_check(fit, n=50, seed=1), bm.slopes(fit, "Days"), odd()),
        *(fit.model.prior_summary(), bm.r2(fit), fit.coefficients),
    ]


def odd() -> Page:
    table = pd.DataFrame({ODD: [ODD, "[b]"], "p (x)": ["-0.50", "1.20e-05"], " ": ["", "<0.005"]}, index=["[a]", ODD])
    return Page((Section(ODD, table, (ODD, "", "[c] again")), Section("Code", lines=("x_1 %", "  y"), verbatim=True)))


def printed(result: Any) -> list[str]:
    """The numbers with decimals of the printed page."""
    return NUMBER.findall(str(result))


def test_numbers_have_the_digits_that_are_printed(results: list[Any]) -> None:
    for result in results:
        plain = re.sub(
            r"\$\\times 10\^\{(-?)(\d+)\}\$", lambda found: f"e{found[1]}{int(found[2]):02d}", result.to_latex()
        )
        for text in (plain, result.to_markdown(), re.sub(r"(?s)<style>.*?</style>|<[^>]*>", " ", result.to_html())):
            shown = re.sub(r"style=\"[^\"]*\"|linewidth|p\{0\.5.*?\}", "", text)
            assert set(NUMBER.findall(shown)) == set(printed(result))
            assert not Counter(NUMBER.findall(shown)) - Counter(printed(result))  # what all rows share is said once


def test_latex_has_one_table_with_rules_a_caption_and_notes_for_every_table(results: list[Any]) -> None:
    for result in results:
        text = result.to_latex()
        tables = [section for section in result.page.sections if section.table is not None and len(section.table)]
        counts = [text.count(mark) for mark in (r"\begin{table}", r"\end{table}", r"\toprule", r"\bottomrule")]
        assert counts == [len(tables)] * 4
        assert text.count(r"\caption{") == sum(bool(section.heading) for section in tables)


def test_names_are_escaped_in_latex() -> None:
    text = odd().to_latex()
    name = (
        r"50 \% of\_a \& b \#1 \$x\$ \{y\} \textasciitilde{}z\textasciicircum{}2 \textbar{} \textless{}w\textgreater{} "
        r"\textbackslash{}v [u] ''t''"
    )
    assert text.count(name) == 5
    assert "{[}a] & " in text and "{[}b]" in text and "$-$0.50" in text and r"1.20$\times 10^{-5}$" in text


def test_what_begins_a_row_of_latex_does_not_belong_to_the_row_above() -> None:
    """A star or a bracket behind the end of a row would be taken for a form of that end, and not be printed."""
    found = Page((Section("", pd.DataFrame({"x": ["0.5", "2.0"]}, index=["*a", "[b]"])),)).to_latex()
    assert "\n{*}a & 0.5" in found and "\n{[}b] & 2.0" in found


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX is installed")
def test_latex_compiles(results: list[Any], tmp_path: Path) -> None:
    body = "\n\\clearpage\n".join(result.to_latex() for result in results)
    (tmp_path / "paper.tex").write_text(f"{PREAMBLE}\n{body}\n\\end{{document}}\n", encoding="utf-8")
    ran = subprocess.run(
        ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "paper.tex"], cwd=tmp_path, capture_output=True
    )
    assert ran.returncode == 0, ran.stdout.decode(errors="replace")[-2000:]
    assert (tmp_path / "paper.pdf").stat().st_size > 0


def test_every_row_of_a_table_in_markdown_has_as_many_cells_as_its_head() -> None:
    lines = [line for line in odd().to_markdown().splitlines() if line.startswith("|")]
    assert len(lines) == 4 and len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1
    assert r"50 % of\_a \& b \#1 \$x\$ \{y\} \~z^2 \| \<w\> \\v \[u\]" in lines[0]


def test_side_by_side_keeps_its_notes_everywhere_and_has_no_stars(fit: Any) -> None:
    table = bm.side_by_side(fit, fit.model.replace(formula="Reaction ~ 1 + (Days | Subject)").fit("ml"))
    for text in (table.to_latex(), table.to_markdown(), table.to_html(), table._repr_html_(), str(table)):
        assert "Estimate (standard error)" in text and "REML: Reaction" in text
    assert "*" not in str(bm.side_by_side(fit)) and "*" not in bm.side_by_side(fit).to_markdown()


def test_intervals_of_side_by_side_are_those_of_the_fits(fit: Any) -> None:
    post = fit.model.fit(bm.Laplace(draws=400), seed=1)
    table = bm.side_by_side(fit, post, level=0.95)
    wald, quantiles = fit.coefficients.loc["Days"], post.coefficients.loc["Days"]
    assert table.loc["Days", ("REML", "lower")] == pytest.approx(wald["lower"])
    assert table.loc["Days", ("REML", "upper")] == pytest.approx(wald["upper"])
    assert table.loc["Days", ("Laplace", "lower")] == pytest.approx(quantiles["lower"])
    assert f"{wald['estimate']:.2f} [{wald['lower']:.2f}, {wald['upper']:.2f}]" in str(table)
    assert pd.isna(table.loc["sigma", ("REML", "lower")]) and not pd.isna(table.loc["sigma", ("Laplace", "upper")])
    with pytest.raises(bm.errors.FitError, match=r"level=0\.95 for 95 %"):
        bm.side_by_side(fit, level=95)


@pytest.mark.parametrize(("verb", "ending"), [("to_latex", "tex"), ("to_markdown", "md"), ("to_html", "html")])
def test_a_table_is_written_where_one_asks(fit: Any, verb: str, ending: str, tmp_path: Path) -> None:
    page = fit.summary()
    text = getattr(page, verb)(tmp_path / f"table.{ending}")
    assert text == getattr(page, verb)()
    written = (tmp_path / f"table.{ending}").read_text(encoding="utf-8")
    assert written == text + "\n" or (written.startswith("<!DOCTYPE html>") and "251.405" in written)
    with pytest.raises(bm.errors.FitError, match=rf'{verb}\("table\.{ending}"\)'):
        getattr(page, verb)(tmp_path / "nowhere" / "table")


def test_one_table_of_a_page_is_asked_for_by_its_heading(fit: Any) -> None:
    only = fit.summary().only("Fixed effects", "Random effects")
    assert [section.heading for section in only.sections] == ["Random effects:", "Fixed effects:"]
    with pytest.raises(bm.errors.FitError, match="Did you mean 'Fixed effects:'"):
        fit.summary().only("Fixd effects")
    with pytest.raises(bm.errors.FitError, match="No heading begins with"):
        fit.summary().only(["Fixed effects"])


@pytest.mark.parametrize(("verb", "module"), [("to_latex", "jinja2"), ("to_markdown", "tabulate")])
def test_a_missing_library_is_named_with_what_installs_it(verb: str, module: str, tmp_path: Path) -> None:
    code = (
        "import sys, pandas as pd\n"
        f"sys.modules[{module!r}] = None\n"
        "from bayesmixed.page import Page, Section\n"
        f"Page((Section('a', pd.DataFrame({{'x': ['1.5']}})),)).{verb}()\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    last = ran.stderr.strip().splitlines()[-1]
    assert last == (
        f'bayesmixed.errors.BayesMixedError: {verb} needs {module}. Install it with: pip install "bayesmixed[tables]"'
    )
