"""What a report asks to be cited: the software, the study, and the papers of the methods that the fit used."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

import bayesmixed as bm
from bayesmixed.citations.papers import PAPERS
from bayesmixed.citations.studies import study
from bayesmixed.data.catalogue import catalogue
from bayesmixed.degrees.methods import METHODS, reference
from bayesmixed.engines import ENGINES
from bayesmixed.errors import FitError

SINGLE = "Reaction ~ Days + (1 | Subject)"
CORRELATED = "Reaction ~ Days + (Days | Subject)"


@cache
def sleep(formula: str = CORRELATED) -> bm.Model:
    return bm.Model(formula, bm.load_data("sleepstudy"))


@cache
def disease() -> bm.Model:
    return bm.Model("prop(incidence, size) ~ period + (1 | herd)", bm.load_data("cbpp"), family="binomial")


def keys(fit: object, **options: object) -> list[str]:
    return bm.cite(fit, **options).frame["key"].tolist()  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("model", [sleep, disease], ids=["linear", "generalized"])
def test_every_engine_names_papers_that_are_known(name: str, model: object) -> None:
    assert set(ENGINES[name]().papers(model())) <= set(PAPERS)  # type: ignore[operator]


def test_every_paper_is_named_by_something() -> None:
    engines = [ENGINES[name](**more) for name in ENGINES for more in ({}, {"quadrature": 5}) if _takes(name, more)]
    named = {key for engine in engines for model in (sleep(), disease()) for key in engine.papers(model)}
    named |= {key for method in METHODS for key in reference(sleep().fit("reml"), method).papers}
    assert named | {"nakagawa2017"} == set(PAPERS)


def _takes(name: str, options: dict[str, int]) -> bool:
    return set(options) <= set(getattr(ENGINES[name], "__dataclass_fields__", {}))


@pytest.mark.parametrize(
    ("model", "method", "papers"),
    [
        (sleep(), "reml", ["bates2015", "patterson1971", "kuznetsova2017", "nakagawa2017"]),
        (disease(), "ml", ["bates2015", "tierney1986", "nakagawa2017"]),
        (disease(), bm.ML(quadrature=5), ["bates2015", "pinheiro2006", "nakagawa2017"]),
        (sleep(), "map", ["bates2015", "chung2013", "nakagawa2017"]),
        (sleep(), bm.MAP(priors="model"), ["bates2015", "nakagawa2017"]),
        (sleep(), bm.Laplace(draws=50), ["tierney1986", "vehtari2024", "lewandowski2009", "nakagawa2017"]),
        (sleep(SINGLE), bm.Laplace(draws=50), ["tierney1986", "vehtari2024", "nakagawa2017"]),
    ],
    ids=["REML", "Laplace ML", "quadrature", "MAP", "MAP with priors", "correlations", "no correlation"],
)
def test_the_papers_are_those_of_what_was_used(model: bm.Model, method: object, papers: list[str]) -> None:
    found = keys(model.fit(method, seed=1))  # type: ignore[arg-type]
    assert found[0] == "bayesmixed" and found[1] == model.frame.attrs["name"] and found[2:] == papers


def test_degrees_of_freedom_bring_their_paper() -> None:
    assert "kenward1997" in keys(sleep().fit("reml"), ddf="kenward-roger")
    with pytest.raises(FitError, match="Draws need none"):
        bm.cite(sleep().fit(bm.Laplace(draws=50), seed=1), ddf="kenward-roger")


def test_a_users_own_table_has_no_study() -> None:
    own = bm.load_data("sleepstudy")
    own.attrs = {}
    fit = bm.Model(SINGLE, own).fit("ml")
    assert bm.cite(fit).of("data") == []
    assert bm.report(fit).references.startswith("To cite: this software and Bates et al., 2015; ")


def test_a_loaded_fit_knows_its_study(tmp_path: Path) -> None:
    fit = sleep().fit("reml")
    assert bm.cite(bm.load(fit.save(tmp_path / "fit.nc"))).bibtex == bm.cite(fit).bibtex


def test_a_report_names_software_study_and_methods() -> None:
    said = bm.report(sleep().fit("reml"))
    assert said.references == (
        "To cite: this software, Belenky et al., 2003 for the data and Bates et al., 2015; Patterson & Thompson, 1971; "
        "Kuznetsova et al., 2017; Nakagawa et al., 2017 for the methods. As BibTeX: bm.cite(fit)."
    )
    assert f"bayesmixed {bm.__version__}" in said.software and said.references in said.text


@pytest.mark.parametrize("entry", catalogue().values(), ids=lambda entry: entry.name)
def test_every_data_set_is_cited_in_full(entry: object) -> None:
    found = study({"name": entry.name, "citation": entry.citation})  # type: ignore[attr-defined]
    assert found is not None
    words = re.findall(r"\w+", entry.citation)  # type: ignore[attr-defined]
    assert set(words) - {"and", "eds"} <= set(re.findall(r"\w+", found.text))


@pytest.mark.parametrize("paper", PAPERS.values(), ids=PAPERS)
def test_bibtex_is_balanced_and_has_what_its_type_needs(paper: object) -> None:
    text = paper.bibtex  # type: ignore[attr-defined]
    assert text.count("{") == text.count("}") and text.isascii()
    fields = dict(re.findall(r"^  (\w+) = \{(.*)\},$", text, re.MULTILINE))
    assert {"author", "year", "title"} <= set(fields)
    assert "journal" in fields or text.startswith("@misc")


def test_the_software_alone_and_what_is_no_fit() -> None:
    assert keys(None) == ["bayesmixed"]
    assert f"Version {bm.__version__}" in str(bm.cite()) and "github.com" in str(bm.cite())
    with pytest.raises(FitError, match=r"cite is of a fit, not of 'sleepstudy': write bm.cite\(model"):
        bm.cite("sleepstudy")  # type: ignore[arg-type]
    assert "<details>" in bm.cite()._repr_html_()
