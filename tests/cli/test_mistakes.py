"""What a user gets wrong: one message, exit code 2, nothing on standard output, no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from .typed import FORMULA, Shell

FIT = ("fit", FORMULA, "sleepstudy", "--method", "ml")
FILES = {
    "empty.csv": b"",
    "blank.csv": b"\n\n  \n",
    "names.csv": b"a,b\n",
    "prose.csv": b"This is a text, with commas\nand lines of, many, different,\nlengths, all of them\n",
    "picture.csv": bytes(range(256)) * 4,
    "headless.csv": b"1,2.5,3\n4,5,6\n",
    "twice.csv": b"a,b,a\n4,5,6\n",
    "quote.csv": b'a,b\n"1,2\n',
    "damaged.xlsx": b"hello",
    "damaged.parquet": b"hello",
    "damaged.dta": b"hello",
    "damaged.sav": b"hello",
    "damaged.csv.gz": b"hello",
    "damaged.nc": b"hello",
    "table.rds": b"hello",
    "table.unknown": b"hello",
    "own.csv": b"y,x,g\n1,2,a\n2,3,a\n3,4,b\n4,7,b\n",
}

MISTAKES = {
    "no command": (("ft",), "Did you mean 'fit'?"),
    "an unknown option": ((*FIT, "--familiy", "poisson"), "--family"),
    "no table": (("fit", FORMULA), "TABLE"),
    "no formula": (("fit",), "FORMULA"),
    "the table before the formula": (("fit", "own.csv", FORMULA), "the formula comes first"),
    "a formula without quotes": (("fit", "y", "~", "x", "own.csv"), "in quotes"),
    "a formula that does not end": (("fit", "Reaction ~ Days + (1 | Subject", "sleepstudy"), "parenthesis"),
    "a formula without bars around a factor": (("fit", "Reaction ~ Days + (1 Subject)", "sleepstudy"), "(1 | Subject)"),
    "an unknown column": (("fit", "Reaction ~ Dayz + (1 | Subject)", "sleepstudy"), "Did you mean 'Days'?"),
    "an unknown factor": ((*FIT, "--factor", "subject"), "Did you mean 'Subject'?"),
    "an unknown family": ((*FIT, "--family", "gausian"), "Did you mean 'gaussian'"),
    "an unknown link": ((*FIT, "--link", "lgo"), "log"),
    "an unknown method": (("fit", FORMULA, "sleepstudy", "--method", "lmer"), "Write --method reml"),
    "an unknown preset": (("fit", FORMULA, "sleepstudy", "--method", "nuts", "--priors", "brm"), "'brms'"),
    "a method twice": ((*FIT, "--method", "ML"), "--method ml is there twice"),
    "reml of counts": (
        ("fit", "incidence ~ 1 + (1 | herd)", "cbpp", "--family", "poisson", "--method", "reml"),
        "--method ml",
    ),
    "a seed that is no number": ((*FIT, "--seed", "one"), "--seed"),
    "a negative seed": ((*FIT, "--seed", "-1"), "--seed"),
    "an option of another method": ((*FIT, "--chains", "2"), "--chains is an option of --method nuts, not of ml"),
    "no draws": (("fit", FORMULA, "sleepstudy", "--method", "nuts", "--draws", "0"), "draws must be"),
    "a constant without a value": ((*FIT, "--constant", "sigma"), "NAME=VALUE"),
    "a constant that is no number": ((*FIT, "--constant", "sigma=big"), "'big' is no number"),
    "an unknown contrast": (("fit", "size ~ period", "cbpp", "--contrasts", "period=smu"), "'sum'"),
    "weights that are no column": ((*FIT, "--weights", "wieghts"), "wieghts"),
    "a folder that does not exist": ((*FIT, "--save", "none/fit.nc"), "there is no folder 'none'"),
    "a folder to save to": ((*FIT, "--save", "folder"), "is a folder"),
    "a report that is no page": ((*FIT, "--report", "report.pdf"), "report.html"),
    "a fit that is no netcdf": ((*FIT, "--save", "fit.rds"), "fit.nc"),
    "a file that does not exist": (("fit", FORMULA, "onw.csv"), "Did you mean 'own.csv'"),
    "a data set that does not exist": (("fit", FORMULA, "sleepstdy"), "Did you mean 'sleepstudy'?"),
    "a file in no folder": (("fit", FORMULA, "none/own.csv"), "no folder 'none'"),
    "a folder in place of a file": (("fit", FORMULA, "folder"), "is a folder"),
    "an empty file": (("fit", FORMULA, "empty.csv"), "is empty"),
    "a blank file": (("fit", FORMULA, "blank.csv"), "is empty"),
    "names of columns alone": (("fit", FORMULA, "names.csv"), "no rows"),
    "a text that is no table": (("fit", FORMULA, "prose.csv"), "more values than there are names"),
    "a file that is no text": (("fit", FORMULA, "picture.csv"), "is no text"),
    "a table without names": (("fit", FORMULA, "headless.csv"), "names of the columns"),
    "a name twice": (("fit", FORMULA, "twice.csv"), "more than one column 'a'"),
    "a quote that does not end": (("fit", FORMULA, "quote.csv"), "no table"),
    "a damaged excel file": (("fit", FORMULA, "damaged.xlsx"), "cannot be read as an Excel file"),
    "a damaged parquet file": (("fit", FORMULA, "damaged.parquet"), "cannot be read as a parquet file"),
    "a damaged stata file": (("fit", FORMULA, "damaged.dta"), "cannot be read as a Stata file"),
    "a damaged spss file": (("fit", FORMULA, "damaged.sav"), "cannot be read as an SPSS file"),
    "a damaged packed file": (("fit", FORMULA, "damaged.csv.gz"), "cannot be unpacked"),
    "a file of r": (("fit", FORMULA, "table.rds"), "write.csv"),
    "a file of no known end": (("fit", FORMULA, "table.unknown"), "--sep"),
    "a fit in place of a table": (("fit", FORMULA, "damaged.nc"), "is a saved fit"),
    "a separator of two characters": (("fit", FORMULA, "own.csv", "--sep", ";;"), "not one character"),
    "an unknown encoding": (("fit", FORMULA, "own.csv", "--encoding", "utf-9"), "no encoding 'utf-9'"),
    "a sheet of a text file": (("fit", FORMULA, "damaged.dta", "--sheet", "one"), "--sheet is of Excel files"),
    "a separator of a binary file": (("fit", FORMULA, "damaged.dta", "--sep", ","), "--sep is of text files"),
    "a damaged fit": (("summary", "damaged.nc"), "'damaged.nc'"),
    "a fit that does not exist": (("summary", "fit.nc"), "There is no file 'fit.nc'"),
    "a table in place of a fit": (("report", "own.csv"), "is not a saved fit"),
    "a formula in place of a fit": (("diagnose", "y ~ x", "own.csv"), "A saved fit is wanted"),
    "a formula without a table": (("simulate", "y ~ x"), "FORMULA TABLE"),
    "parameters without values": (("simulate", "y ~ x", "own.csv", "--set", "Intercept"), "NAME=VALUE"),
    "parameters that are no numbers": (("simulate", "y ~ x", "own.csv", "--set", "x=a"), "is no number"),
    "parameters in no file": (("simulate", "y ~ x", "own.csv", "--params", "p.json"), "no file 'p.json'"),
    "parameters in a file that is no json": (("simulate", "y ~ x", "own.csv", "--params", "own.csv"), "as JSON"),
    "no replicates": (("simulate", "y ~ x", "own.csv", "-n", "0", "--set", "Intercept=1"), "n must be"),
    "an unknown data set": (("data", "show", "slepstudy"), "Did you mean 'sleepstudy'?"),
    "a data set that is not shipped": (("data", "export", "InstEval"), "not shipped"),
    "a file that is there": (("data", "export", "sleepstudy", "own.csv"), "--overwrite"),
    "a shell that is none": (("completion", "dash"), "bash"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_message(mistake: str, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BAYESMIXED_DATA", raising=False)
    if mistake == "a damaged spss file":
        pytest.importorskip("pyreadstat")
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()
    arguments, words = MISTAKES[mistake]
    assert words in shell(*arguments).mistake


def test_what_cannot_be_written_is_told_before_anything_is_fitted(shell: Shell, tmp_path: Path) -> None:
    answer = shell("fit", "nothing of this is read", "nor this", "--save", "none/fit.nc")
    assert "there is no folder 'none'" in answer.mistake


def test_no_permission_to_write_is_told(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import bayesmixed.cli.table.writing as writing

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "locked/sleep.csv")

    monkeypatch.setattr(writing, "write", refuse)
    assert shell("data", "export", "sleepstudy").mistake == "locked/sleep.csv: Permission denied."


def test_what_is_said_in_python_is_said_in_options(shell: Shell) -> None:
    from bayesmixed.cli.wording import typed

    assert typed('Use model.fit("nuts", seed=1).') == "Use --method nuts --seed 1."
    assert typed('write model.fit(bm.MAP(criterion="reml")).') == "write --method map --criterion reml."
    assert typed('or pass check="warn" to') == "or pass --check warn to"
    assert typed("no column 'a'. Other names can be given as namespace={'a': ...}.") == "no column 'a'."
