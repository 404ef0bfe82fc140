"""What does a notebook keep of an analysis: pages as HTML, each picture once, bars of progress at their end?"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from browsing import CHROMIUM

import bayesmixed as bm
from bayesmixed.engines.machine.bars import BAR

DOCS = Path(__file__).resolve().parents[2] / "docs"
NOTEBOOKS = DOCS / "tutorials" / "notebooks"
TUTORIALS = sorted(path for path in (DOCS / "tutorials").glob("*.py") if path.name != "build.py")
REMAKE = """
import json
from _site import notebooks
print(json.dumps({path.stem: notebooks.notebook(path) for path in notebooks.SOURCES.values()}))
"""
WITHOUT_WIDGETS = "import sys\nsys.modules['ipywidgets'] = None  # as if it were not installed"
CELLS = {
    "model": "import bayesmixed as bm\nsleep = bm.load_data('sleepstudy')\n"
    "model = bm.Model('Reaction ~ Days + (1 | Subject)', sleep)\nmodel",
    "nuts": "post = model.fit(bm.NUTS(draws=60, tune=60, chains=2), seed=1)",
    "laplace": "approximate = model.fit(bm.Laplace(draws=200), seed=1)",
    "fit": "fit = model.fit('ml')\nfit",
    "verb": "bm.anova(fit)",
    "beside": "bm.side_by_side(fit, post)",
    "pages": "bm.anova(fit), bm.icc(fit)",
    "other tuples": "1, 2",
    "mixed": "[bm.anova(fit), 'between', fit.coefficients]",
    "picture": "bm.plot.caterpillar(fit)",
    "pictures": "bm.plot.caterpillar(fit)\nbm.plot.qq(fit);",
    "offered": "from IPython.core.completer import provisionalcompleter\ndef offered(text):\n"
    "    with provisionalcompleter():\n"
    "        return [one.text for one in get_ipython().Completer.completions(text, len(text))]\n"
    "{text: offered(text) for text in ('bm.', 'bm.plot.', 'bm.errors.', 'post.', 'model.')}",
    "replicates": "replicates = bm.bootstrap(fit, n=40, seed=1, progress=True)",
}


@cache
def outputs(widgets: bool) -> dict[str, list[Any]]:
    """What each cell of an analysis leaves in the notebook, bars of progress shown as they are by default."""
    for module in ("nbformat", "nbclient", "ipykernel", "matplotlib"):
        pytest.importorskip(module, reason="notebooks are run where the extra 'docs' is installed")
    import nbclient
    import nbformat

    cells = [] if widgets else [WITHOUT_WIDGETS]
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in [*cells, *CELLS.values()]])
    nbclient.NotebookClient(made, timeout=300, kernel_name="python3").execute()
    return {name: cell.outputs for name, cell in zip(CELLS, made.cells[len(cells) :], strict=True)}


@pytest.fixture(params=[False, pytest.param(True, marks=pytest.mark.slow)], ids=["without widgets", "with widgets"])
def kept(request: pytest.FixtureRequest) -> dict[str, list[Any]]:
    return outputs(request.param)


def test_nothing_is_written_to_stderr(kept: dict[str, list[Any]]) -> None:
    assert [output for found in kept.values() for output in found if output.output_type == "stream"] == []


@pytest.mark.parametrize(("cell", "total"), [("nuts", 240), ("laplace", None)])
def test_a_bar_of_progress_is_kept_as_its_end_with_its_time(
    kept: dict[str, list[Any]], cell: str, total: int | None
) -> None:
    [bar] = kept[cell]
    count = rf"{total}/{total}" if total else r"(\d+)/\1"
    assert BAR in bar.metadata
    assert re.fullmatch(rf"sampling: 100%\|\S+\| {count} \[\d\d:\d\d<00:00, .*it/s\]", bar.data["text/plain"])
    assert 'value="1.0000"' in bar.data["text/html"] and "100 %" in bar.data["text/html"]


def test_pages_are_kept_as_html_beside_their_text(kept: dict[str, list[Any]]) -> None:
    tables = {"fit": ("251.405", "180 rows"), "verb": ("Satterthwaite", "Satterthwaite"), "beside": ("251.4", "251.4")}
    for cell, (in_html, in_text) in tables.items():
        [page] = kept[cell]
        assert in_html in page.data["text/html"] and "<table" in page.data["text/html"]
        assert in_text in page.data["text/plain"]
    assert "Subject" in kept["model"][0].data["text/html"] and "rows=180" in kept["model"][0].data["text/plain"]


def test_several_pages_in_one_value_keep_their_html(kept: dict[str, list[Any]]) -> None:
    """The first such value as well: the notebook learns to show it while it is shown."""
    [pages] = kept["pages"]
    assert pages.data["text/html"].count("<table") >= 2 and "ICC" in pages.data["text/html"]
    assert pages.data["text/plain"].startswith("(") and "Satterthwaite" in pages.data["text/plain"]
    [mixed] = kept["mixed"]
    assert mixed.data["text/html"].count("<table") >= 2 and "between" in mixed.data["text/html"]


LINES = """<script>addEventListener("load", () => {
const heights = [...document.querySelectorAll(".bayesmixed dt")].map((name) => name.getBoundingClientRect().height)
document.body.append("names:" + JSON.stringify(heights) + ";") })</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="no browser is installed")
def test_names_of_a_page_stand_on_one_line_each_in_the_style_of_jupyter(tmp_path: Path) -> None:
    kept = outputs(False)
    import nbconvert
    import nbformat

    cell = nbformat.v4.new_code_cell("fit", outputs=kept["fit"])
    html = nbconvert.HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))[0]
    page = tmp_path / "notebook.html"
    page.write_text(html.replace("</body>", f"{LINES}</body>"), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    shown = subprocess.run(
        [str(CHROMIUM), *options, page.as_uri()], capture_output=True, text=True, timeout=120, check=True
    ).stdout
    heights = json.loads(re.findall(r"names:(\[[^]]*\]);", shown)[-1])
    assert heights and max(heights) < 40, "a name is broken into its letters"


def test_a_tuple_without_pages_is_shown_as_ever(kept: dict[str, list[Any]]) -> None:
    assert [dict(output.data) for output in kept["other tuples"]] == [{"text/plain": "(1, 2)"}]


def test_a_picture_is_kept_once(kept: dict[str, list[Any]]) -> None:
    assert [set(output.data) - {"text/plain"} for output in kept["picture"]] == [{"image/png"}]
    assert sum("image/png" in output.data for output in kept["pictures"]) == 2


def test_names_are_offered_after_a_dot_and_no_modules_or_private_ones(kept: dict[str, list[Any]]) -> None:
    offered = ast.literal_eval(kept["offered"][0].data["text/plain"])
    assert set(offered["bm."]) == set(bm.__all__)
    assert set(offered["bm.plot."]) == set(bm.plot.__all__) and set(offered["bm.errors."]) == set(bm.errors.__all__)
    assert {"idata", "predict", "summary"} <= set(offered["post."]) and "aic" not in offered["post."]
    assert {"fit", "priors", "replace"} <= set(offered["model."])


def test_no_output_needs_a_widget(kept: dict[str, list[Any]]) -> None:
    """So that a page reads alike in JupyterLab, VS Code, Colab and where a notebook is only looked at."""
    kinds = {kind for found in kept.values() for output in found for kind in output.get("data", {})}
    assert kinds == {"text/plain", "text/html", "image/png"}


@cache
def remade() -> dict[str, Any]:
    """The notebook of each tutorial, made from its source now."""
    pytest.importorskip("jupytext", reason="notebooks are made where the extra 'docs' is installed")
    done = subprocess.run([sys.executable, "-c", REMAKE], capture_output=True, text=True, cwd=DOCS, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("source", TUTORIALS, ids=lambda path: path.stem)
def test_a_notebook_is_its_tutorial_without_output(source: Path) -> None:
    kept = json.loads((NOTEBOOKS / f"{source.stem}.ipynb").read_text(encoding="utf-8"))
    for cell in kept["cells"]:
        cell["source"] = "".join(cell["source"])
    assert kept == remade()[source.stem], "run `make notebooks`"
    code = [cell for cell in kept["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert "# %pip install" in code[0]["source"]


def test_every_tutorial_has_a_notebook_and_nothing_else_has() -> None:
    assert {path.stem for path in NOTEBOOKS.iterdir()} == {path.stem for path in TUTORIALS}


@pytest.mark.parametrize("source", TUTORIALS, ids=lambda path: path.stem)
def test_links_of_a_notebook_do_not_depend_on_where_it_lies(source: Path) -> None:
    kept = json.loads((NOTEBOOKS / f"{source.stem}.ipynb").read_text(encoding="utf-8"))
    text = "".join("".join(cell["source"]) for cell in kept["cells"] if cell["cell_type"] == "markdown")
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    assert links and all(link.startswith("https://") for link in links)
    for page in (link for link in links if "/latest/" in link):
        kept_at = page.split("/latest/")[1].split("#")[0].removesuffix(".html")
        assert any((DOCS / f"{kept_at}{ending}").is_file() for ending in (".md", ".py")), page


@pytest.mark.slow
def test_a_notebook_runs_as_it_is_and_writes_nothing_to_stderr(tmp_path: Path) -> None:
    for module in ("nbclient", "ipykernel", "matplotlib"):
        pytest.importorskip(module, reason="notebooks are run where the extra 'docs' is installed")
    import nbclient
    import nbformat

    ran = nbformat.read(NOTEBOOKS / "sleepstudy.ipynb", as_version=4)
    nbclient.NotebookClient(ran, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in ran.cells for output in cell.get("outputs", [])]
    assert [output for output in outputs if output.get("name") == "stderr"] == []
    bars = [output.data["text/plain"] for output in outputs if BAR in output.get("metadata", {})]
    assert bars and all("100%" in bar for bar in bars)
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 5
