"""The grammar of formulas: R's precedence, lme4's bars, the dot, and what a Formula answers."""

from __future__ import annotations

import copy
import pickle

import pytest

from bayesmixed.errors import FormulaError
from bayesmixed.formula.formula import Formula
from bayesmixed.formula.parser import parse, parse_expression
from bayesmixed.formula.syntax import Binary, Call, Name, Node, Number, Parenthesis, String, Unary, deparse


def grouped(node: Node) -> str:
    """An expression with every operation in square brackets, to show who binds tighter."""
    match node:
        case Binary(operator, left, right):
            return f"[{grouped(left)}{operator}{grouped(right)}]"
        case Unary(operator, operand):
            return f"[{operator}{grouped(operand)}]"
        case Parenthesis(inner):
            return grouped(inner)
    return deparse(node)


# checked against R: as.list(quote(...)) recursively
PRECEDENCE = [
    ("-a^b", "[-[a^b]]"),
    ("a^b^c", "[a^[b^c]]"),
    ("2^-1", "[2^[-1]]"),
    ("a^-b^c", "[a^[-[b^c]]]"),
    ("-a:b", "[[-a]:b]"),
    ("a:b^c", "[a:[b^c]]"),
    ("a:b:c", "[[a:b]:c]"),
    ("a %in% b:c", "[a%in%[b:c]]"),
    ("a * b %in% c", "[a*[b%in%c]]"),
    ("a / b * c", "[[a/b]*c]"),
    ("a - b + c", "[[a-b]+c]"),
    ("a + b * c", "[a+[b*c]]"),
    ("a + b < c * d", "[[a+b]<[c*d]]"),
    ("!a == b", "[![a==b]]"),
    ("!a & b", "[[!a]&b]"),
    ("a + !b + c", "[a+[![b+c]]]"),
    ("a | b & c", "[a|[b&c]]"),
    ("a || b | c", "[[a||b]|c]"),
    ("a && b & c", "[[a&&b]&c]"),
    ("a + b | g", "[[a+b]|g]"),
    ("a | b / c", "[a|[b/c]]"),
    ("x**2", "[x^2]"),
    ("- -x", "[-[-x]]"),
    ("-a * b", "[[-a]*b]"),
]


@pytest.mark.parametrize(("text", "expected"), PRECEDENCE)
def test_operators_bind_as_in_r(text, expected):
    assert grouped(parse_expression(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("total.fruits", Name("total.fruits")),
        (".hidden", Name(".hidden")),
        ("_x", Name("_x")),
        ("größe", Name("größe")),
        ("`my col`", Name("my col")),
        ("`a\\`b\\\\c`", Name("a`b\\c")),
        ("1e-3", Number(1e-3, "1e-3")),
        (".5", Number(0.5, ".5")),
        ("2.", Number(2.0, "2.")),
        ("2L", Number(2.0, "2L")),
        ("'it\\'s'", String("it's")),
        ('"a\\n\\"b\\""', String('a\n"b"')),
        ("x # a note", Name("x")),
        ("np.log(x)", Call("np.log", parse_expression("f(x)").arguments)),
        ("as.factor (x)", Call("as.factor", parse_expression("f(x)").arguments)),
    ],
)
def test_words_of_the_grammar(text, expected):
    assert parse_expression(text) == expected


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("poly(x,2,raw=TRUE)", "poly(x, 2, raw = TRUE)"),
        ("bs( x , df = 5 )", "bs(x, df = 5)"),
        ("bs(x, knots=c(1,2.5))", "bs(x, knots = c(1, 2.5))"),
        ("I(a&b|!c)", "I(a & b | !c)"),
        ("I(x>=2)", "I(x >= 2)"),
        ("I(x**2/3)", "I(x^2/3)"),
        ("I(a:b)", "I(a:b)"),
        ("sin(2*pi*t)", "sin(2 * pi * t)"),
        ("relevel(f,ref='b')", 'relevel(f, ref = "b")'),
        ("C(f,contr.sum)", "C(f, contr.sum)"),
        ("cut(x,c(-Inf,0,Inf))", "cut(x, c(-Inf, 0, Inf))"),
        ("f()", "f()"),
        ("`if`+`a b`", "if + `a b`"),
    ],
)
def test_expressions_print_as_r_prints_them(text, printed):
    assert deparse(parse_expression(text)) == printed
    assert parse_expression(printed) == parse_expression(text)


def test_positions_point_into_the_text():
    tree = parse("y ~ a +\n  log(b)")
    assert isinstance(tree, Binary) and isinstance(tree.right, Binary) and isinstance(tree.right.right, Call)
    assert (tree.position, tree.right.position, tree.right.right.position) == (2, 6, 10)
    assert tree.right.right.arguments[0].value.position == 14


BARS = [
    ("(x | g)", ["(1 + x | g)"]),
    ("(1 + x | g)", ["(1 + x | g)"]),
    ("(x || g)", ["(1 + x || g)"]),
    ("(0 + x || g)", ["(0 + x || g)"]),
    ("(1 | a/b)", ["(1 | a)", "(1 | a:b)"]),
    ("(1 | a/b/c)", ["(1 | a)", "(1 | a:b)", "(1 | a:b:c)"]),
    ("(x | a/(b + c))", ["(1 + x | a)", "(1 + x | a:b)", "(1 + x | a:c)"]),
    ("(1 | a:b:c)", ["(1 | a:b:c)"]),
    ("(1 | (a:b))", ["(1 | a:b)"]),
    ("(1 | b %in% a)", ["(1 | b:a)"]),
    ("(1 | a*b)", ["(1 | a)", "(1 | b)", "(1 | a:b)"]),
    ("(x || a + b)", ["(1 + x || a)", "(1 + x || b)"]),
    ("(1 | a/b + c)", ["(1 | a)", "(1 | a:b)", "(1 | c)"]),
    ("(1 | g) + (0 + x | g)", ["(1 | g)", "(0 + x | g)"]),
    ("(1 | g) + (1 | g)", ["(1 | g)", "(1 | g)"]),
    ("(0 + f | g)", ["(0 + f | g)"]),
    ("(x - 1 | g)", ["(0 + x | g)"]),
    ("(-1 + x | g)", ["(0 + x | g)"]),
    ("(f:x | g)", ["(1 + f:x | g)"]),
    ("(a * b | g)", ["(1 + a + b + a:b | g)"]),
    ("(1 | factor(g))", ["(1 | factor(g))"]),
    ("(1 | interaction(a, b))", ["(1 | interaction(a, b))"]),
    ("(1 | factor(a):b)", ["(1 | factor(a):b)"]),
    ('(0 + dummy(f, "B") | g)', ['(0 + dummy(f, "B") | g)']),
    ("(I(a | b) | g)", ["(1 + I(a | b) | g)"]),
    ("(poly(x, 2) | g)", ["(1 + poly(x, 2) | g)"]),
    ("((1 | g))", ["(1 | g)"]),
    ("(x + (1 | g) + (1 | h))", ["(1 | g)", "(1 | h)"]),
    ("cs(0 + f | g)", ["cs(0 + f | g)"]),
    ("diag(x | g)", ["diag(1 + x | g)"]),
    ("us(x | g)", ["(1 + x | g)"]),
    ("ar1(0 + t | a/b)", ["ar1(0 + t | a)", "ar1(0 + t | a:b)"]),
    ("diag((x | g))", ["diag(1 + x | g)"]),
    ("(1 | a) + (1 | b) - (1 | a)", ["(1 | b)"]),
    ("(x || g) - diag(1 + x | g)", []),
    ("(1 | b:a) + (x | a:b)", ["(1 | b:a)", "(1 + x | b:a)"]),
]


@pytest.mark.parametrize(("right", "expected"), BARS, ids=[right for right, _ in BARS])
def test_bars_expand(right, expected):
    assert [bar.text for bar in Formula(f"y ~ z + {right}").bars] == expected


@pytest.mark.parametrize("right", [right for right, _ in BARS if right != "(x + (1 | g) + (1 | h))"])
def test_bars_leave_the_fixed_side_alone(right):
    assert Formula(f"y ~ z + {right}").terms == ("1", "z")


def test_double_bar_is_diagonal_and_remembered():
    double, named = Formula("y ~ (f || g)").bars[0], Formula("y ~ diag(f | g)").bars[0]
    assert (double.covariance, double.double, named.covariance, named.double) == ("diag", True, "diag", False)
    assert Formula("y ~ cs(f | g)").bars[0].covariance == "cs"


def test_logical_or_inside_calls_is_no_bar():
    formula = Formula("y ~ I(a | b) + factor(a | c) + ifelse(a | b, 1, 0)")
    assert formula.bars == () and formula.terms[1:] == ("I(a | b)", "factor(a | c)", "ifelse(a | b, 1, 0)")


def test_nested_bar_equals_the_written_out_pair():
    assert Formula("y ~ (x | a/b)").bars == Formula("y ~ (x | a) + (x | a:b)").bars


def test_atoms_of_bars_do_not_reorder_fixed_interactions():
    assert Formula("y ~ (b | g) + a:b").terms == ("1", "a:b")


def test_a_formula_answers_what_it_says():
    formula = Formula("cbind(s, n - s) ~ a * log(x) + offset(log(h)) + (x | g/k) + (1 | item)")
    assert formula.response == "cbind(s, n - s)"
    assert formula.terms == ("1", "a", "log(x)", "a:log(x)")
    assert [deparse(node) for node in formula.predictors["mu"].offsets] == ["log(h)"]
    assert formula.groups == ("g", "g:k", "item")
    assert formula.variables() == ("s", "n", "a", "x", "h", "g", "k", "item")


@pytest.mark.parametrize("left", ["log(y)", "cbind(a, b)", "prop(s, n)", "y | trials(n)", "I(y/2)", "a + b", "1"])
def test_left_sides_stay_expressions(left):
    formula = Formula(f"{left} ~ x")
    assert formula.response == left and formula.response_node == parse_expression(left)


def test_one_sided_formula_has_no_response():
    formula = Formula("~ x + (1 | g)")
    assert formula.response is None and formula.response_node is None and str(formula) == "~ x + (1 | g)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("y ~ sin(2 * pi * t) + I(x > 0 & TRUE) + poly(x, 2, raw = T)", ("y", "t", "x")),
        ("y ~ T + F + (T | pi)", ("y", "T", "F", "pi")),
        ("y ~ a + b - b + offset(w)", ("y", "a", "w")),
        ("y ~ C(f, contr.sum) + C(g, Sum)", ("y", "f", "g")),
        ("y ~ .", ("y",)),
        ("log(`my y`) ~ 1 + (0 + f | interaction(a, b):c)", ("my y", "f", "a", "b", "c")),
    ],
)
def test_variables_are_the_columns_needed(text, expected):
    assert Formula(text).variables() == expected


DOTS = [
    ("y ~ .", "y ~ a + b + c + g"),
    ("y ~ . + (1 | g)", "y ~ a + b + c + (1 | g)"),
    ("y ~ . - b + (1 | g)", "y ~ a + c - b + (1 | g)"),
    ("y ~ .^2 + (c | g)", "y ~ (a + b)^2 + (c | g)"),
    ("y ~ .:a + (1 | g)", "y ~ (b + c):a + (1 | g)"),
    ("y ~ a * (. - b) + (1 | g)", "y ~ a * (c - b) + (1 | g)"),
    ("y ~ a + . + (1 | g)", "y ~ a + (b + c) + (1 | g)"),
    ("log(y) ~ . + offset(log(a)) - g", "log(y) ~ b + c + offset(log(a)) - g"),
    ("y ~ .:. + (b | g)", "y ~ (a + c):(a + c) + (b | g)"),
    ("~ -. + a + b", "~ -(y + c + g) + a + b"),
]


@pytest.mark.parametrize(("text", "expected"), DOTS, ids=[text for text, _ in DOTS])
def test_dot_is_every_column_not_used_elsewhere(text, expected):
    formula = Formula(text)
    expanded = formula.expand_dot(["y", "a", "b", "c", "g"])
    assert formula.predictors["mu"].dot and not expanded.predictors["mu"].dot
    assert str(expanded) == expected and expanded.text == expected and expanded == Formula(expected)


def test_dot_takes_names_that_need_backticks():
    assert Formula("y ~ .").expand_dot(["y", "my col", "a`b"]).variables() == ("y", "my col", "a`b")


def test_dot_reads_all_predictors():
    expanded = Formula("y ~ x", "sigma ~ .").expand_dot(["y", "x", "z"])
    assert str(expanded) == "y ~ x\nsigma ~ z"


def test_without_a_dot_nothing_changes():
    formula = Formula("y ~ x + (1 | g)")
    assert formula.expand_dot(["y", "x", "g", "z"]) is formula


def test_dot_without_columns_left_says_so():
    with pytest.raises(FormulaError, match="stands for no column"):
        Formula("y ~ .").expand_dot(["y"])
    with pytest.raises(FormulaError, match="name every column by a text"):
        Formula("y ~ .").expand_dot(["y", 3])


def test_further_parameters_have_formulas_of_their_own():
    formula = Formula("y ~ x + (1 | g)", "sigma ~ z + (1 | h)", "zi ~ 1")
    assert list(formula.predictors) == ["mu", "sigma", "zi"]
    assert [term.name for term in formula.predictors["sigma"].terms] == ["z"]
    assert formula.predictors["zi"].intercept and formula.predictors["zi"].terms == ()
    assert formula.groups == ("g", "h") and formula.terms == ("1", "x") and len(formula.bars) == 1
    assert formula.variables() == ("y", "x", "g", "z", "h")
    assert repr(formula) == "Formula('y ~ x + (1 | g)', 'sigma ~ z + (1 | h)', 'zi ~ 1')"


def test_a_factor_keeps_its_first_spelling_over_all_parameters():
    assert Formula("y ~ (1 | a:b)", "sigma ~ (1 | b:a)").groups == ("a:b",)


def test_formulas_print_back_and_compare_by_meaning():
    formula = Formula("y~x+(1+x|g) # slopes\n + poly( z,2 )")
    assert str(formula) == "y ~ x + (1 + x | g) + poly(z, 2)"
    assert Formula(*formula.texts) == formula and hash(Formula(*formula.texts)) == hash(formula)
    assert formula == Formula("y ~ 1 + x + poly(z, 2) + (x | g)") and formula != Formula("y ~ x + (x | g)")


def test_formulas_cannot_be_changed():
    with pytest.raises(AttributeError):
        Formula("y ~ x").text = "y ~ z"


def test_sums_of_thousands_of_columns():
    # deeper than Python's recursion limit, read, printed, compared, pickled and copied all the same
    names = [f"x{number}" for number in range(3000)]
    formula = Formula("y ~ " + " + ".join(names) + " + (1 | g)")
    assert formula.terms == ("1", *names) and formula == Formula("y ~ . + (1 | g)").expand_dot(["y", *names, "g"])
    assert pickle.loads(pickle.dumps(formula)) == formula == copy.deepcopy(formula)
