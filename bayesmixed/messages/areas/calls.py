"""Arguments and objects that a function cannot take, whatever it computes."""

from __future__ import annotations

from ..topic import refusal

TOPICS = (
    refusal(
        "unknown-option",
        "A value that the option does not have",
        "The option takes one of a few words, and this is none of them.",
        "The message names the nearest, or all.",
    ),
    refusal(
        "no-such-argument",
        "An argument that the function does not have",
        "The name is unknown, missing, or there are too many; names of other packages are translated.",
        "The message names the nearest; `help(function)` lists all.",
    ),
    refusal(
        "options-together",
        "Options that do not go together",
        "One option makes the other meaningless.",
        "Leave one of them out, as the message says.",
    ),
    refusal(
        "whole-number",
        "A whole number is needed",
        "Numbers of draws, replicates, chains, starts or levels are whole and not too small.",
        "Such as `n=1000`.",
    ),
    refusal(
        "level",
        "A number between 0 and 1 is needed",
        "Levels of intervals, of tests and probabilities are shares, not percentages.",
        "`level=0.95` for 95 %.",
    ),
    refusal("seed", "A seed that is none", "A seed is a whole number, 0 or more.", "`seed=1`."),
    refusal(
        "nothing-named",
        "Nothing was asked for",
        "An empty list, or no name at all, where something is to be named.",
        "Name what you want, or leave the argument out where it has a default.",
    ),
    refusal(
        "labels",
        "Labels for fits",
        "One different name for each fit, in their order.",
        '`bm.side_by_side(a, b, labels=["first", "second"])`.',
    ),
    refusal(
        "needs-a-fit",
        "A fit is needed",
        "This question is of a fit, and something else was given.",
        '`fit = model.fit("reml")` first, then ask with `fit`.',
    ),
    refusal(
        "needs-a-model",
        "A model is needed",
        "This function fits by itself, so that it takes the model.",
        '`bm.Model("y ~ x + (1 | g)", data)`, or `fit.model`.',
    ),
    refusal(
        "needs-several-fits",
        "Several fits are needed",
        "A comparison takes different fits, one after the other.",
        "`bm.anova(small, large)`.",
    ),
    refusal(
        "no-such-member",
        "Something that a fit does not have",
        "The name is no member of a fit; members of other packages' fits are translated.",
        "The message says how it is called here.",
    ),
    refusal(
        "no-such-parameter",
        "A parameter that is not there",
        "The name is none of the parameters that this answer is about.",
        "The message lists them; `fit.coefficients.index` has the coefficients.",
    ),
    refusal(
        "no-random-effects",
        "A model without random effects",
        "This is about how levels differ, and the formula has no bar.",
        "Add one: `+ (1 | g)`.",
    ),
    refusal(
        "optional-library",
        "A library that is not installed",
        "Some answers use a library that is installed with an extra.",
        '`pip install "bayesmixed[plots]"`, or the extra that the message names.',
    ),
    refusal(
        "other-processes",
        "Something that cannot be sent to other processes",
        "With `n_jobs=` functions are sent to other Python processes, which find them by name.",
        "Define the function with `def` at the top of a module, or leave `n_jobs` out.",
    ),
    refusal(
        "path",
        "A file or folder that cannot be used",
        "There is no such file to read, or no such folder to write to.",
        'Give a path in a folder that exists, such as `fit.save("fit.nc")`.',
    ),
    refusal(
        "not-a-saved-fit",
        "A file that is no saved fit",
        "`bm.load` reads what `fit.save` wrote.",
        "Check the path.",
    ),
    refusal(
        "newer-file",
        "A file of a newer version",
        "The file was written by a version with a format, or an engine, that this one does not know.",
        "`pip install --upgrade bayesmixed`.",
    ),
    refusal(
        "own-code",
        "Code of yours that no file holds",
        "Functions, families and prior functions of your own are not stored with a fit.",
        '`bm.load("fit.nc", namespace={"f": f}, family=..., priors=...)`.',
    ),
    refusal(
        "damaged-file",
        "A file that is damaged",
        "What the file says of itself does not agree with what is in it: bytes were changed or lost since `fit.save` "
        "wrote it, so that nothing in it can be relied on.",
        "Take a copy from before, or fit the model again.",
    ),
    refusal(
        "not-in-a-script",
        "A part of a model that a script cannot say",
        "`model.code()` writes each part of a model as text; this one does not say how it is written.",
        "Give its class the method that the message names, or state the prior as one of `bm.priors`.",
    ),
)
