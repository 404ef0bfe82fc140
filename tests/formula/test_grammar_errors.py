"""What formulas refuse: by name, with a caret under the spot, and with what to type instead."""

from __future__ import annotations

import pytest

from bayesmixed.errors import FormulaError
from bayesmixed.formula.formula import Formula
from bayesmixed.formula.parser import parse_expression

# formula; what stands at the caret ("" is the end of the text); a piece of the remedy
REFUSALS = [
    ("y ~ d$x", "$x", "write the column's name alone"),
    ("y ~ d@x", "@x", "write the column's name alone"),
    ("y ~ x[1]", "[1]", "select rows of the table beforehand"),
    ("y ~ bs(x, knots = [1, 2])", "[1, 2])", "c(1, 2)"),
    ("y ~ {x + 1}", "{x + 1}", "I(x + 1)"),
    ("y ~ a %o% b", "%o% b", "make a column of it beforehand"),
    ("y ~ a % b", "% b", "make a column of it beforehand"),
    ("y ~ mgcv::s(x)", "::s(x)", "without its package"),
    ("y ~ x; z", "; z", "a text of its own"),
    ("y ~ x | g", "| g", "write (x | g)"),
    ("y ~ 1 + x | g", "| g", "write 1 + (x | g), or (1 + x | g)"),
    ("y ~ x || g", "|| g", "write (x || g)"),
    ("y ~ z + (x ||| g)", "||| g)", "write (x | g) for correlated effects"),
    ("y ~ x) + w", ") + w", "closes nothing"),
    ("y ~ x z", "z", "write `+` there"),
    ("y ~ 2x", "x", "an operator is missing"),
    ("y ~ x (1 | g)", "x (1 | g)", "write x + (...)"),
    ("y ~ (1 | g) (1 | h)", "(1 | h)", "write `+` there"),
    ("y ~ x ~ z", "~ z", "one `~`"),
    ("y ~ ~ z", "~ z", "one `~`"),
    ("y ~ ", "~ ", "write ~ 1"),
    ("y", "", "needs a `~`"),
    ("y ~ x +", "", "ends after `+`"),
    ("y ~ x * / z", "/ z", "between `*` and `/`"),
    ("y ~ * z", "* z", "between `~` and `*`"),
    ("* z ~ y", "* z ~ y", "before `*`"),
    ("y ~ ()", "()", "empty"),
    ("y ~ (x", "(x", "never closed"),
    ("y ~ log(x", "(x", "never closed"),
    ("y ~ x + (1 | g", "(1 | g", "never closed"),
    ('y ~ relevel(f, "b)', '"b)', "never closed"),
    ("y ~ `my col", "`my col", "never closed"),
    ("y ~ ``", "``", "`my col`"),
    ('y ~ relevel(f, "\\d")', '\\d")', "\\\\ for a backslash"),
    ("y ~ (a, b)", ", b)", "c(a, b)"),
    ("y ~ log(x, )", ")", "between `,` and `)`"),
    ("y ~ poly(x, degree = 2, degree = 3)", "degree = 3)", "keep one"),
    ("y ~ poly(x + 1 = 2)", "= 2)", "write == to compare"),
    ("y ~ `my f`(x)", "`my f`(x)", "plain name"),
    ("y ~ x == 2", "== 2", "write I(x == 2)"),
    ("y ~ a:(x | b > 2)", "| b > 2)", "only ever added"),
    ("y ~ !x", "!x", "write I(!x)"),
    ("y ~ a & b", "& b", "write I(a & b)"),
    ("y ~ I(a < b < c)", "< c)", "a < b & b < c"),
    ("y = x", "= x", "write y ~ x"),
    ("y <- x", "<- x", "paste the formula only"),
    ("fit <- lmer(y ~ x)", "<- lmer(y ~ x)", "paste the formula only"),
    ("lmer(y ~ x + (1 | g), data = d)", "lmer(y ~ x + (1 | g), data = d)", "paste the formula only"),
    ("lmer(formula = y ~ x)", "lmer(formula = y ~ x)", "without lmer(...)"),
    ("y ~ x + (1|g), data = d", ", data = d", "paste the formula only"),
    ("y ~ (a + b)^x", "^x", "whole number"),
    ("y ~ (a + b)^1.5", "^1.5", "I(x^2)"),
    ("y ~ (a + b)^0", "^0", "whole number"),
    ("y ~ (a + b)^-1", "^-1", "whole number"),
    ("y ~ x + 2", "2", "only 1 and 0"),
    ("y ~ 2 * x", "2 * x", "no interactions"),
    ("y ~ x:1", "1", "no interactions"),
    ('y ~ "x"', '"x"', "write x"),
    ("y ~ (1 | )", ")", "write (1 | g)"),
    ("y ~ (| g)", "| g)", "nothing stands left of the bar"),
    ("y ~ (0 | g)", "| g)", "no columns"),
    ("y ~ (x - x - 1 | g)", "| g)", "no columns"),
    ("y ~ (1 | 1)", "1)", "not a grouping factor"),
    ("y ~ (1 | a - b)", "- b)", "cannot stand right of a bar"),
    ('y ~ (1 | "g")', '"g")', "write g"),
    ("y ~ x * (1 | g)", "| g)", "only ever added"),
    ("y ~ (x + (1 | g))^2", "| g))^2", "only ever added"),
    ("y ~ ((1 | a) | b)", "| a) | b)", "a bar inside a bar"),
    ("y ~ (x | ID | g)", "| ID | g)", "`|ID|` is not supported"),
    ("y ~ (x |ID| g)", "|ID| g)", "`|ID|` is not supported"),
    ("y ~ diag(x || g)", "|| g)", "write diag(x | g)"),
    ("y ~ (. | g)", ". | g)", "fixed side only"),
    ("y ~ (1 | .)", ".)", "fixed side only"),
    ("y ~ log(.)", ".)", "name the column"),
    ("y ~ offset(.)", ".)", "name the column"),
    (". ~ x", ". ~ x", "not a response"),
    ("log(.) ~ x", ".) ~ x", "not a response"),
    ("y ~ (x|g) - (1|g)", "|g)", "bars before it: (1 + x | g)"),
    ("y ~ (offset(x) | g)", "offset(x) | g)", "outside bars"),
    ("y ~ x:offset(z)", "offset(z)", "a term of its own"),
    ("y ~ offset(a, b)", "offset(a, b)", "offset(log(hours))"),
    ("y ~ x - offset(z)", "offset(z)", "leave it out"),
    ("y ~ (1 | gr(g, by = z))", "gr(g, by = z))", "write the grouping factor alone"),
    ("y ~ (1 | mm(a, b))", "mm(a, b))", "multiple membership"),
    ("y ~ (s(x) | g)", "s(x) | g)", "bs(x, df = 5)"),
    ("y ~ s(x) + (1 | g)", "s(x) + (1 | g)", "bs(x, df = 5)"),
    ("y ~ t2(x, z)", "t2(x, z)", "bs(x, df = 5)"),
    ("y ~ mo(x) * z", "mo(x) * z", "ordered column"),
    ("y ~ x + Error(g)", "Error(g)", "(1 | block)"),
    ("y ~ x + y", "y", "leave it out on the right"),
    ("y ∼ x", "∼ x", "type ~"),
    ("y ~ x − 1", "− 1", "type -"),
    ("y ~ “x”", "“x”", 'type "'),
    ("y ~ x + €", "€", "backticks"),
]


@pytest.mark.parametrize(("text", "spot", "remedy"), REFUSALS, ids=[text for text, _, _ in REFUSALS])
def test_refusals_point_at_the_spot_and_name_the_remedy(text, spot, remedy):
    with pytest.raises(FormulaError) as caught:
        Formula(text)
    message, line, caret = str(caught.value).split("\n")
    assert remedy in message
    assert line[4:] == text.rstrip()
    assert text[caret.index("^") - 4 :] == spot


@pytest.mark.parametrize("text", ["", " ", "\n # only a note\n"])
def test_an_empty_formula_says_what_to_write(text):
    with pytest.raises(FormulaError, match="the formula is empty: write y ~ x"):
        Formula(text)


def test_the_line_of_the_spot_is_shown():
    with pytest.raises(FormulaError) as caught:
        Formula("y ~ a + # first\n\tb z + c\n + d")
    assert str(caught.value).split("\n")[1:] == ["     b z + c", "       ^"]


def test_long_lines_are_shown_around_the_spot():
    with pytest.raises(FormulaError) as caught:
        Formula("y ~ " + " + ".join(f"column_{number}" for number in range(100)) + " z + w")
    line, caret = str(caught.value).split("\n")[1:]
    assert len(line) < 110 and line[caret.index("^") :].startswith("z + w")


@pytest.mark.parametrize("text", [None, 3, b"y ~ x", ["y ~ x"]])
def test_only_text_is_a_formula(text):
    with pytest.raises(FormulaError, match="a formula is a text such as"):
        Formula(text)


def test_nonlinear_means_are_refused_until_they_exist():
    with pytest.raises(FormulaError, match="nonlinear means are not available"):
        Formula("y ~ a * exp(-b * t)", "a ~ 1", "b ~ 1", nonlinear=True)


@pytest.mark.parametrize(
    ("others", "message"),
    [
        (["~ z"], "write sigma ~ z"),
        (["log(sigma) ~ z"], "write sigma ~ z"),
        (["mu ~ z"], "mu belongs to the first formula"),
        (["sigma ~ z", "sigma ~ w"], "sigma has a formula already"),
        (["sigma"], "needs a `~`"),
        (["sigma ~ x | g"], r"write \(x \| g\)"),
    ],
)
def test_further_formulas_name_one_parameter_each(others, message):
    with pytest.raises(FormulaError, match=message):
        Formula("y ~ x", *others)


@pytest.mark.parametrize(
    "text",
    [
        "y ~ " + "(" * 500 + "x" + ")" * 500,
        "y ~ " + "log(" * 500 + "x" + ")" * 500,
        "y ~ " + "-" * 500 + "x",
        "y ~ " + "^".join(["x"] * 500),
        "y ~ I(" + " + ".join(["x"] * 500) + ")",
        "y ~ " + "(" * 500,
    ],
)
def test_deep_nesting_is_an_error_of_ours(text):
    with pytest.raises(FormulaError, match="levels"):
        Formula(text)


def test_products_that_explode_are_refused():
    with pytest.raises(FormulaError, match="cross fewer columns"):
        Formula("y ~ " + " * ".join(f"x{number}" for number in range(40)))


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "the expression is empty"), ("a ~ b", "has no `~`"), ("log(a), b", "paste"), ("a b", "operator is missing")],
)
def test_expressions_alone_are_refused_the_same_way(text, message):
    with pytest.raises(FormulaError, match=message):
        parse_expression(text)
