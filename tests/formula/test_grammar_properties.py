"""Laws of the grammar that hold for every formula: round trips, redundancy, order, and no other exception."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bayesmixed.errors import FormulaError
from bayesmixed.formula.formula import Formula
from bayesmixed.formula.parser import parse, parse_expression
from bayesmixed.formula.syntax import Argument, Binary, Call, Name, Number, Parenthesis, String, Unary, deparse
from bayesmixed.formula.terms import expand_terms, summands

LAWS = settings(deadline=None, derandomize=True, max_examples=300)

identifiers = st.one_of(
    st.sampled_from(["x", "total.fruits", ".a", "_b", "größe", "my col", "if", "T", "a`b", "c\\d", "1st", "e\n"]),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5),
)
plain = st.sampled_from(["a", "b", "c", "d", "e"])


def _number(value: float) -> Number:
    return Number(value, repr(value))


leaves = st.one_of(
    identifiers.map(Name),
    st.floats(0, allow_infinity=False, allow_nan=False).map(_number),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6).map(String),
)
operators = st.sampled_from("+ - * / : ^ %in% | || & && < <= > >= == !=".split())


def _grow(inner: st.SearchStrategy) -> st.SearchStrategy:
    guarded = inner.map(Parenthesis)
    operand = st.one_of(leaves, guarded)
    keywords = st.one_of(st.none(), st.sampled_from(["df", "raw"]))
    return st.one_of(
        st.builds(Binary, operators, operand, operand),
        st.builds(Unary, st.sampled_from("-+!"), operand),
        st.builds(
            lambda name, values: Call(name, tuple(values)),
            st.sampled_from(["I", "np.log", "as.factor"]),
            st.lists(st.builds(Argument, inner, keywords), max_size=3, unique_by=lambda a: a.keyword or id(a)),
        ),
    )


expressions = st.recursive(leaves, _grow, max_leaves=12)

words = st.lists(
    st.one_of(st.sampled_from("a b 1 2 log( ( ) , = - + ! ~ | || : * / ^ %in% & == < ' \" ` # \n".split(" ")), plain),
    max_size=12,
).map(" ".join)

pieces = st.sampled_from(["a", "-b", "!c", "(a + b)", "1e-3", "'s'", "f(x, df = 2)", "`a b`", "- -a"])
links = st.sampled_from([*" + | - | * | / | : |^|**| %in% | & | && ".split("|"), " | ", " || "])
chains = st.lists(st.tuples(pieces, links), max_size=8).map(lambda pairs: "".join(a + o for a, o in pairs) + "z")

fixed_sides = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "*", ":", "/", "-"]), inner).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
        inner.map(lambda text: f"({text})^2"),
    ),
    max_leaves=6,
)


def keys(text: str) -> tuple[bool, set[frozenset[str]]]:
    """The terms of a right side as a set, whatever their order and that of their atoms."""
    intercept, terms = expand_terms(summands(parse_expression(text)))
    return intercept, {term.key for term in terms}


@LAWS
@given(expressions)
def test_an_expression_survives_being_printed(node):
    assert parse_expression(deparse(node)) == node


@LAWS
@given(chains)
def test_chains_of_operators_survive_being_printed(text):
    assert parse_expression(deparse(parse_expression(text))) == parse_expression(text)


@LAWS
@given(st.one_of(st.text(max_size=30), words, words.map("y ~ {}".format)))
def test_any_text_is_a_formula_or_a_formula_error(text):
    try:
        formula = Formula(text)
    except FormulaError as error:
        assert str(error)  # noqa: PT017 either answer is right
    else:
        assert Formula(*formula.texts) == formula


@LAWS
@given(fixed_sides)
def test_redundant_parentheses_change_no_terms(text):
    assert keys(f"(({text}))") == keys(text)


@LAWS
@given(fixed_sides, fixed_sides)
def test_sums_interactions_and_crossings_commute(one, other):
    for operator in ("+", ":", "*"):
        assert keys(f"({one}) {operator} ({other})") == keys(f"({other}) {operator} ({one})")


@LAWS
@given(fixed_sides, fixed_sides, fixed_sides)
def test_interactions_distribute_over_sums(one, other, third):
    assert keys(f"({one}):(({other}) + ({third}))") == keys(f"({one}):({other}) + ({one}):({third})")


@LAWS
@given(fixed_sides, fixed_sides)
def test_crossing_is_both_and_their_interaction(one, other):
    assert keys(f"({one}) * ({other})") == keys(f"({one}) + ({other}) + ({one}):({other})")


@LAWS
@given(fixed_sides)
def test_a_sum_less_itself_is_empty_and_twice_itself_is_itself(text):
    assert keys(f"({text}) - ({text})") == (True, set())
    assert keys(f"({text}) + ({text})") == keys(text)


@LAWS
@given(fixed_sides)
def test_terms_come_by_degree_and_once(text):
    _, terms = expand_terms(summands(parse_expression(text)))
    degrees = [len(term.atoms) for term in terms]
    assert degrees == sorted(degrees) and len({term.key for term in terms}) == len(terms)


@LAWS
@given(st.permutations(["x", "a:b", "(1 | g)", "offset(w)", "(x || h)", "0"]))
def test_summands_of_a_formula_may_come_in_any_order(parts):
    side = Formula("y ~ " + " + ".join(parts)).predictors["mu"]
    assert not side.intercept and {term.name for term in side.terms} == {"x", "a:b"}
    assert {bar.text for bar in side.bars} == {"(1 | g)", "(1 + x || h)"} and side.offsets == (Name("w"),)


@LAWS
@given(st.lists(identifiers, min_size=1, unique=True))
def test_any_column_name_can_be_written(columns):
    assume(not {"y", "."} & set(columns))
    formula = Formula("y ~ .").expand_dot(["y", *columns])
    assert formula.variables() == ("y", *columns)
    assert parse(formula.texts[0]) == parse(str(formula))
