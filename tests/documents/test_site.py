"""Is the site whole: every public name in a group, every page in a contents list, every link to something?"""

from __future__ import annotations

import inspect
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import bayesmixed as bm
from bayesmixed.degrees.methods import METHODS
from bayesmixed.priors import PRESETS

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s#]+)")
OF_MAXIMA = set("loglik deviance aic bic criterion n_parameters theta".split())  # which draws refuse
TOCTREE = re.compile(r"^```\{toctree\}\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module", autouse=True)
def _the_folder_of_the_site_is_importable() -> Iterator[None]:
    for module in ("nbformat", "numpydoc", "PIL"):
        pytest.importorskip(module, reason="the site is made where the extra 'docs' is installed")
    sys.path.insert(0, str(DOCS))
    yield
    sys.path.remove(str(DOCS))
    for name in [name for name in sys.modules if name.split(".")[0] == "_site"]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    from _site import generated

    pages: dict[str, str] = generated.pages()
    return pages


def written() -> dict[str, str]:
    """Text of the pages of the repository by path below docs/; tutorials are their Python."""
    ignored = ("reference/", "results/", "guide/gallery.md", "messages.md", "changelog.md")
    pages = [path for path in DOCS.rglob("*.md") if not path.with_suffix(".py").is_file()]
    pages += [path for path in (DOCS / "tutorials").glob("*.py") if path.name != "build.py"]
    found = {path.relative_to(DOCS).as_posix(): path.read_text(encoding="utf-8") for path in sorted(pages)}
    return {name: text for name, text in found.items() if not name.startswith(ignored)}


def listed(pages: dict[str, str]) -> set[str]:
    """Pages that contents lists name, without their endings."""
    known = {name.rsplit(".", 1)[0] for name in pages}
    found: set[str] = set()
    for name, text in pages.items():
        folder = Path(name).parent
        for block in TOCTREE.findall(text):
            entries = [line.strip() for line in block.splitlines() if line.strip() and not line.startswith(":")]
            for entry in entries:
                pattern = os.path.normpath(folder / entry)
                found |= {page for page in known if Path(page).match(pattern) and page.count("/") == pattern.count("/")}
    return found


def test_the_settings_can_be_read() -> None:
    pytest.importorskip("sphinx")
    settings = runpy.run_path(str(DOCS / "conf.py"))
    assert settings["release"] == bm.__version__
    assert settings["nitpicky"] and callable(settings["setup"])


def test_every_public_name_is_in_a_group_of_the_reference() -> None:
    from _site.reference import groups

    assert groups.missing() == [], "name it in docs/_site/reference/groups.py"
    assert set(groups.grouped()) - set(groups.FITS) <= set(bm.__all__)
    assert len(groups.grouped()) == len(set(groups.grouped()))


def test_every_public_name_has_a_page_and_every_group_a_table_of_its_names(made: dict[str, str]) -> None:
    from _site.reference import groups

    names = {*bm.__all__, *groups.FITS, *(f"plot.{name}" for name in bm.plot.__all__ if name.islower())} - {"plot"}
    pages = {name.removeprefix("reference/api/").removesuffix(".rst") for name in made if "/api/" in name}
    assert {name for name in names if not name.endswith("_frame")} <= pages
    for group in groups.GROUPS:
        assert all(f"api/{name}" in made[f"reference/{group.slug}.md"] for name in group.names if name != "plot")


def test_what_verbs_return_is_documented_with_its_members(made: dict[str, str]) -> None:
    text = "\n".join(made.values())
    for name in bm.__all__:
        value = getattr(bm, name)
        if not inspect.isfunction(value) or "bayesmixed" not in value.__module__:
            continue
        for kind in re.findall(r"\b[A-Z]\w+", str(inspect.signature(value).return_annotation)):
            if kind not in ("Iterator", "None", "DataFrame", "Path", "Fit", "Any"):
                assert re.search(rf"autoclass:: bayesmixed\.[\w.]*\b{kind}\n", text), f"bm.{name} returns {kind}"


@pytest.mark.parametrize("name", ["Model", "PointFit", "DrawsFit"])
def test_every_member_is_documented(name: str, made: dict[str, str]) -> None:
    from _site.reference import groups

    kind = groups.value(name)
    public = {member for member in dir(kind) if not member.startswith("_")}
    page = made[f"reference/api/{name}.rst"]
    documented = set(re.findall(rf"^\.\. auto\w+:: bayesmixed[\w.]*\.{name}\.(\w+)$", page, re.MULTILINE))
    refused = OF_MAXIMA if name == "DrawsFit" else set()
    assert public - {"sampled"} - refused <= documented


def test_no_member_of_what_is_public_is_without_words(made: dict[str, str]) -> None:
    rows = re.findall(r"^   \* - :py:attr:`~([\w.]+)`\n     -(.*)$", "\n".join(made.values()), re.MULTILINE)
    assert len(rows) > 400
    assert [name for name, words in rows if not words.strip()] == []


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("families", {*bm.families.FAMILIES, *bm.links.LINKS}),
        ("priors", set(PRESETS)),
        ("covariances", set(bm.covariance.STRUCTURES)),
        ("degrees-of-freedom", set(METHODS)),
        ("data-sets", set(bm.list_data()["name"])),
    ],
)
def test_tables_have_every_entry_of_their_registry(page: str, names: set[str], made: dict[str, str]) -> None:
    rows = re.findall(r'^(?:\||###) `"?([^`"]+)"?`(?: \||$)', made[f"reference/{page}.md"], re.MULTILINE)
    assert names <= set(rows)


def test_every_picture_has_a_thumbnail_that_leads_to_its_call(made: dict[str, str]) -> None:
    from _site import gallery

    text = (DOCS / gallery.PAGE).read_text(encoding="utf-8")
    pictures = [match["name"] for match in gallery.PICTURE.finditer(text)]
    placed = gallery.with_places(text)
    for name in pictures:
        assert f"thumbnails/{name}.png" in made["guide/gallery.md"]
        assert f"#{gallery.place(name)}\n" in made["guide/gallery.md"]
        between = placed[placed.index(f"({gallery.place(name)})=") : placed.index(f"images/{name}.png")]
        assert between.count("```python") == 1


def test_every_page_is_in_a_contents_list(made: dict[str, str]) -> None:
    pages = {**written(), **made}
    assert {name.rsplit(".", 1)[0] for name in pages} - {"index"} == listed(pages) & {
        name.rsplit(".", 1)[0] for name in pages
    }


@pytest.mark.parametrize("name", sorted(written()))
def test_links_between_pages_lead_to_pages(name: str, made: dict[str, str]) -> None:
    for target in LINK.findall(written()[name]):
        if "://" in target or target.startswith("mailto:"):
            continue
        path = Path(os.path.normpath((DOCS / name).parent / target))
        inside = path.relative_to(DOCS).as_posix() if path.is_relative_to(DOCS) else ""
        known = {each.rsplit(".", 1)[0] for each in made}
        assert path.exists() or (inside and inside.rsplit(".", 1)[0] in known) or inside in known, target


def test_links_that_leave_the_folder_lead_to_tables_or_to_the_repository() -> None:
    from _site.outside import ADDRESS, rewritten

    folder = DOCS / "guide"
    lead = {
        "[a](../../benchmarks/results/robust.md)": "[a](/results/robust.md)",
        "[t](../../benchmarks/results)": "[t](/results/index.md)",
        "[b](../../README.md#use)": f"[b]({ADDRESS}/blob/main/README.md#use)",
        "[c](power.md)": "[c](power.md)",
        "[d](../decisions)": "[d](../decisions/index.md)",
        "![e](../../x.png)": "![e](../../x.png)",
    }
    for text, expected in lead.items():
        assert rewritten(text, folder) == expected


def test_a_broken_link_and_a_missing_anchor_are_found(tmp_path: Path) -> None:
    from _site import links

    (tmp_path / "a.html").write_text('<a href="b.html#there">x</a><a href="https://elsewhere.org/y">z</a>')
    (tmp_path / "b.html").write_text('<p id="there"><img src="none.png"><a href="a.html#nowhere"></a></p>')
    assert list(links.broken(tmp_path)) == [
        "b.html:1: 'none.png': no such file",
        "b.html:1: 'a.html#nowhere': no such anchor",
    ]


def test_runs_are_kept_when_docstrings_change_and_not_when_code_does(tmp_path: Path) -> None:
    from _site import tutorials

    texts = ['"""Old."""\nx = 1  # as it was\n', '"""New."""\nx = 1\n', '"""New."""\nx = 2\n']
    codes = []
    for text in texts:
        path = tmp_path / "module.py"
        path.write_text(text)
        codes.append(tutorials._code(path))
    assert codes[0] == codes[1] != codes[2]


def test_the_quick_commands_name_the_site() -> None:
    assert "make docs" in (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert "make docs" in (REPOSITORY / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_site_is_built_without_a_warning_and_its_links_lead_somewhere(tmp_path: Path) -> None:
    pytest.importorskip("pydata_sphinx_theme")
    from _site import links

    target = tmp_path / "html"
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "html", "-W", "--keep-going", "-n", "-d"]
    built = subprocess.run(
        [*command, str(tmp_path / "doctrees"), str(DOCS), str(target)], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    assert list(links.broken(target)) == []
    assert 'id="bayesmixed.Model.fit"' in (target / "reference" / "api" / "Model.html").read_text(encoding="utf-8")
