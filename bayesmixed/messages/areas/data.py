"""Tables, columns, levels, responses and values that a model cannot take."""

from __future__ import annotations

from ..topic import refusal, warning

TOPICS = (
    refusal(
        "not-a-table",
        "Data that are no table",
        "Data are a table with named columns: of pandas, polars, pyarrow, or a dict of columns of one length.",
        "`pandas.DataFrame(...)` makes one of arrays and records.",
    ),
    refusal(
        "no-such-column",
        "A column that is not there",
        "The name is not a column of the table (or not one that can be used here); the message names the nearest ones.",
        "See `data.columns`. Names with spaces go between backticks in a formula.",
    ),
    refusal(
        "name-taken",
        "A name that stands for two things",
        "Two columns, or a column and a parameter, have one name.",
        "Rename the column: `data.rename(columns={...})`.",
    ),
    refusal(
        "column-type",
        "A column of a type that has no place in a model",
        "Durations, complex numbers, lists, or values of several types in one column.",
        "Make it numbers, `data['x'].dt.total_seconds()`, or texts, `data['x'].astype(str)`.",
    ),
    refusal(
        "one-number-per-row",
        "One number per row is needed",
        "An expression gave several columns, another number of rows, a text or nothing where each row needs one value.",
        "Look at the expression by itself; name one column of several.",
    ),
    refusal(
        "missing-values",
        "A value that is missing or infinite",
        'Rows with missing values are left out (`missing="drop"`) or refused (`missing="error"`); what appears only '
        "when an expression is computed, as log(0), is refused.",
        "Correct the value, drop the row, or change the expression.",
    ),
    refusal(
        "no-rows",
        "No rows to fit",
        "After rows with missing values or weights of zero are left out, none or one is left.",
        "Look at `data.isna().sum()`: a column without values takes all rows away.",
    ),
    refusal(
        "constant-column",
        "A column that does not vary",
        "A column with one value has nothing to say about a response, and cannot be scaled.",
        "Leave it out of the formula.",
    ),
    refusal(
        "too-many-columns",
        "A formula with too many columns",
        "Crossing factors multiplies their levels; tables of billions of numbers cannot be fitted.",
        "Cross fewer factors, or make a grouping factor of the one with many levels: `(1 | f)`.",
    ),
    refusal(
        "single-level",
        "A factor with one level",
        "Nothing differs within it: it has no effect, and no variance between levels.",
        "Leave it out of the formula.",
    ),
    refusal(
        "no-such-level",
        "A level that is not there",
        "The value is none of the levels of the factor, or new data have a level that the fit did not see.",
        "The message names the levels. For new levels of grouping factors: `fit.predict(new, "
        'new_levels="population")`.',
    ),
    refusal(
        "grouping-factor",
        "A grouping factor that cannot group",
        "A grouping factor's values are labels; these have a form that has none.",
        "Make it a column of texts or whole numbers.",
    ),
    refusal(
        "no-such-group",
        "A grouping factor that is not in the model",
        "The name is none of the factors behind the model's bars.",
        "`model.design.groups` lists them; `a:b` names combinations.",
    ),
    refusal(
        "contrasts",
        "Contrasts that do not fit the factor",
        "Contrasts are a name, or a matrix with a row per level and at most one column fewer, independent of each "
        "other and of the intercept; only factors have them.",
        '`contrasts={"f": "sum"}`, `("treatment", "b")` for another reference, or a DataFrame whose rows are levels.',
    ),
    refusal(
        "changed-column",
        "New data of another type than the fitted ones",
        "A column that held numbers in the fit holds texts now, or the reverse.",
        "Read the new table as the first one was read.",
    ),
    refusal(
        "given-values",
        "Values that do not belong to the rows",
        "Weights, offsets, trials and the like are a column's name, an expression, a number, or one number per row in "
        "the order of the table; arrays are not known for new rows.",
        "Make them a column of the table and give its name.",
    ),
    refusal(
        "weights",
        "Weights that cannot be",
        "Weights are 0 or more, and not all 0.",
        "Correct them; a row with weight 0 is left out.",
    ),
    refusal(
        "no-response",
        "A model without a response",
        "To fit, or to compare with data, the formula needs a left side and the table its values.",
        'Write `"y ~ x + (1 | g)"`, and build the model from a table with that column.',
    ),
    refusal(
        "constant-response",
        "A response that does not vary",
        "All rows have one value: there is nothing to model.",
        "Look at the column, and at which rows were kept.",
    ),
    refusal(
        "response-form",
        "A left side that cannot be read",
        "The response is a column, an expression, `prop(s, n)`, `cbind(s, f)`, or `y | trials(n)`.",
        "`cbind(incidence, size - incidence) ~ ...`, or `prop(incidence, size) ~ ...`.",
    ),
    refusal(
        "response-out-of-range",
        "A response that the family cannot have",
        "Counts are whole numbers, proportions lie within 0 and 1, durations above 0: each family says what it takes.",
        "Correct the row that the message names, or take a family for such responses.",
    ),
    refusal(
        "trials",
        "Out of how many",
        "Successes need a number of trials: whole numbers, in every row, for families of successes only.",
        "`fit.predict(new, trials=10)`, a column's name, or `prop(s, n)` on the left side. Where new rows do not say, "
        "one trial each is assumed, with a warning.",
    ),
    refusal(
        "changed-response",
        "A model whose table is not that of its response",
        "`with_response` exchanged the response without changing the table, so that the formula cannot be read again.",
        "Change the model first: `model.replace(...).with_response(y)`.",
    ),
    refusal(
        "data-sets",
        "A data set that is not there",
        "The name is none of the classic data sets, or the file is not as it was when it was made.",
        "`bm.list_data()` shows those that there are.",
    ),
    warning(
        "outside-the-knots",
        "Values outside of a spline's knots",
        "Beyond its boundary knots a B-spline continues its last polynomial, which soon goes anywhere.",
        "Give `Boundary.knots=` that cover the values, or use `ns()`, which continues straight.",
    ),
    refusal(
        "text-of-a-table",
        "A text file that is no table",
        "A table in a text file has the names of its columns in its first line, one separator, one decimal sign and "
        "one encoding.",
        "`--sep ';'`, `--decimal ','`, `--encoding utf-16` and `--na .` say what cannot be guessed; spreadsheet "
        "programs export it as CSV.",
    ),
    refusal(
        "kind-of-file",
        "A file of a kind that is not read",
        "The end of a file's name says what it is: csv, tsv, parquet, feather, xlsx, sav, dta.",
        "Rename it, or export the table as CSV.",
    ),
)
