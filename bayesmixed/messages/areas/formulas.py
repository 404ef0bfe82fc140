"""Formulas that cannot be read, or ask for something that has no meaning."""

from __future__ import annotations

from ..topic import refusal

TOPICS = (
    refusal(
        "formula-text",
        "A formula that cannot be read",
        "Something is missing or one too many: a tilde, a parenthesis, an operator. The caret under the formula shows "
        "where.",
        'A formula is a text such as `"y ~ x + (1 | g)"`: response, tilde, terms joined by +, bars in parentheses.',
    ),
    refusal(
        "characters",
        "A character that has no place in a formula",
        "Text processors put other quotes, dashes and spaces in; `$`, `&&` and the like belong to other languages.",
        "Type the plain character; a column whose name has spaces or signs goes between backticks: `` `my col` ``.",
    ),
    refusal(
        "operators",
        "An operator where it has no meaning",
        "Outside of calls + - * / : ^ and %in% combine terms, inside of calls they calculate; numbers, comparisons and "
        "logic work inside of calls only.",
        "Write arithmetic as `I(x + z)`, a condition as `I(x > 2)`, all interactions up to two factors as "
        "`(a + b + c)^2`.",
    ),
    refusal(
        "dot",
        "The dot in a formula",
        "`.` stands for all other columns of the table, on the fixed side only, and in `replace(formula=...)` for what "
        "was there.",
        "Name the columns where it cannot stand: in bars, in calls, on the left.",
    ),
    refusal(
        "bars",
        "A bar that cannot be read",
        "`(columns | factor)` are random effects: on the left what varies (1 for an intercept), on the right a "
        "grouping factor or a combination of several, all in parentheses of their own.",
        "`(1 | g)`, `(1 + x | g)` with correlations, `(1 + x || g)` without, `(1 | a/b)` for b within a.",
    ),
    refusal(
        "covariance-structure",
        "A covariance structure that does not exist",
        "A name in front of a bar says how the effects of its columns vary together.",
        "`diag(x | g)`, `cs(x | g)`, `us(x | g)`; the message lists those that there are and their options.",
    ),
    refusal(
        "offset",
        "An offset in a place where it cannot be",
        "`offset(...)` adds one known expression to the predictor, as a term of its own.",
        '`y ~ x + offset(log(hours))`, or `bm.Model(..., offset="log(hours)")`.',
    ),
    refusal(
        "refused-function",
        "A term of another program",
        "Smooths, structures and autocorrelation of other packages have no meaning here.",
        "The message says what takes its place, such as `bs(x, 5)` for a smooth curve.",
    ),
    refusal(
        "update",
        "Nothing there to change",
        "`. ~ . - x` removes a term from a formula that has it.",
        "Print the formula, `model.formula`, and name one of its terms as it is written there.",
    ),
    refusal(
        "parameter-formulas",
        "A formula for another parameter",
        '`bm.Formula("y ~ x", "sigma ~ z")` gives parameters formulas of their own: one each, of parameters that the '
        "family has, without random effects so far.",
        "The message names the parameters that may have one.",
    ),
    refusal(
        "nonlinear",
        "A mean that is not linear",
        "Nonlinear means are not available.",
        "Write a mean that is linear in its coefficients: `poly(x, 2)`, `bs(x, 5)`, `log(x)` and link functions bend "
        "it.",
    ),
    refusal(
        "arguments-in-formula",
        "A function in a formula with arguments that it cannot take",
        "The function's own complaint follows the call's text.",
        "Names of arguments are R's: `bs(x, df=5)`, `poly(x, degree=2)`, `cut(x, breaks=c(0, 1, 2))`.",
    ),
    refusal(
        "no-such-function",
        "A function that a formula does not know",
        "Formulas reach the built-in functions and what the model was given, nothing else of Python.",
        'Give it: `bm.Model(..., namespace={"f": f})`, or make a column of it.',
    ),
    refusal(
        "namespace",
        "A function of yours in a formula",
        "What `namespace=` holds must be functions that return one number or text per row.",
        "Try it on the column: `f(data['x'])` should have as many values as rows.",
    ),
    refusal(
        "conditions",
        "A condition that cannot be judged",
        "Comparisons need two numbers, or a factor and one of its levels, with one value per row or a list.",
        '`f == "a"`, `x > 2`, `f %in% c("a", "b")`; levels have an order only in ordered categoricals.',
    ),
)
