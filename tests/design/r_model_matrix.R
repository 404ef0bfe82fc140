# Writes r_model_matrix.json: what R's model.matrix makes of formulas, for tests/formula/test_columns.py and
# test_transforms.py. Run as: Rscript r_model_matrix.R > r_model_matrix.json   (R 4.2.2, splines 4.2.2, lme4 1.1-31)
# A matrix is kept as its column names and, per column, sum(sqrt(row) * value): rows in another order would show.
suppressMessages({library(splines); library(lme4)})
options(warn = -1)

n <- 24
d <- data.frame(
  x = round(sin(1:n) * 3 + (1:n) / 10, 3), z = round(cos((1:n) * 1.7), 3) + 2, k = rep(1:4, 6),
  f = rep(c("b", "a", "c"), each = 8), h = rep(c("u", "v"), 12), o = rep(c("lo", "mid", "hi", "top"), 6),
  g = rep(1:6, 4), y = 1:n, stringsAsFactors = FALSE
)
new <- data.frame(
  x = c(-4, -1, 0, 2.5, 6.5), z = c(1.2, 2, 2.5, 3.4, .5), k = c(1, 2, 3, 4, 4), f = c("a", "b", "c", "a", "a"),
  h = c("u", "v", "v", "u", "u"), o = c("lo", "top", "hi", "mid", "mid"), g = c(1, 2, 6, 6, 3), stringsAsFactors = FALSE
)
typed <- function(t) {
  t$fc <- factor(t$f, levels = c("c", "a", "b"))
  t$oo <- factor(t$o, levels = c("lo", "mid", "hi", "top"), ordered = TRUE)
  t$b <- t$x > 1
  t
}
text <- function(values) paste(sapply(values, deparse), collapse = ", ")
numbers <- function(values) paste(formatC(values, digits = 15, format = "g", width = 1), collapse = ", ")
sums <- function(M) numbers(colSums(sqrt(seq_len(nrow(M))) * M))
columns <- function(t) paste(sapply(names(t), function(c) {
  sprintf('"%s": [%s]', c, if (is.character(t[[c]])) text(t[[c]]) else numbers(t[[c]]))
}), collapse = ", ")

fixed <- c(
  "x", "0 + f", "f", "fc", "b", "oo", "I(x > 0)", "x + I(x^2)", "f * h", "f * x", "f:h", "f:x", "x:f", "x:f + f:h",
  "0 + f + h", "0 + x + x:f", "0 + x + h + x:f", "f * h - f", "f * h * x", "f * h * x - f:h:x", "h/f", "h/x", "f + f:h",
  "h + f:h", "h %in% f", "(f + h + x)^2", "scale(x)", "scale(x, scale = FALSE)", "scale(x, center = FALSE)",
  "scale(x, center = 1, scale = 2)", "poly(x, 2)", "poly(x, 3) * h", "poly(x, 2, raw = TRUE)", "poly(x, degree = 2)",
  "poly(log(z), 2)", "poly(x, 1)", "bs(x)", "bs(x, df = 5)", "bs(x, df = 6, intercept = TRUE)",
  "bs(x, knots = c(-1, 1))", "bs(x, knots = 1, degree = 2)", "bs(x, df = 5, Boundary.knots = c(-5, 7))", "ns(x)",
  "ns(x, df = 3)", "ns(x, df = 4, intercept = TRUE)", "ns(x, knots = c(-1, 1))",
  "ns(x, df = 3, Boundary.knots = c(-2, 3))", "ns(log(z), df = 3):f", "factor(k)", "as.factor(k) * x",
  'relevel(factor(f), ref = "b")', 'relevel(fc, "a")', "interaction(f, h)", "C(fc, contr.sum)", "C(fc, contr.helmert)",
  "C(oo, contr.treatment)", "C(oo, contr.sum)", "C(fc, contr.treatment, base = 2)", "C(factor(k), contr.poly)",
  "cut(x, 3)", "cut(x, breaks = c(-10, -1, 0.5, 10))", "cut(x, c(-Inf, 0, 1.23456, Inf), right = FALSE)",
  'cut(x, c(-10, 0, 10), labels = c("low", "high"))', "ifelse(x > 0, x, 0)", 'ifelse(f == "a", "yes", "no")',
  'ifelse(x > 0 & z < 2 | h == "u", 1, 0)', "log(z, 2) + log10(z) + log1p(z) + exp(z) + sqrt(z)",
  "sin(2 * pi * x/5) + cos(2 * pi * x/5)", "pmin(x, 1) + pmax(x, z)", "abs(x) + floor(x) + ceiling(x) + round(z, 1)",
  "as.numeric(b) + as.numeric(fc)", "x:z + oo:x", "as.integer(x)", "factor(k, levels = c(4, 3, 2, 1))",
  'factor(k, labels = c("one", "two", "three", "four"))', "I(-x^2)", "f:h:b", "x:f:h + f:h:b", "b:h", "oo:f", "f:oo + h",
  'I(oo > "mid")', 'I(fc != "a" | !b)', 'dummy(fc, "b")', "dummy(fc)"
)
d <- typed(d); given <- typed(new)
cases <- sapply(fixed, function(s) {
  frame <- model.frame(as.formula(paste("y ~", s)), d, drop.unused.levels = TRUE)
  terms <- delete.response(terms(frame))
  X <- model.matrix(terms, frame)
  # R forgets the contrasts of C() and builds cut(x, 3) anew on new data
  again <- if (grepl("C(", s, fixed = TRUE) || s == "cut(x, 3)") "null" else {
    frame <- model.frame(terms, given, xlev = .getXlevels(terms, frame))
    sprintf("[%s]", sums(model.matrix(terms, frame, contrasts.arg = attr(X, "contrasts"))))
  }
  sprintf('  {"formula": %s, "names": [%s], "sums": [%s], "new": %s}', deparse(s), text(colnames(X)), sums(X), again)
})
bars <- c("(1 | g)", "(x | g)", "(f | g)", "(0 + f | g)", "(f:x | g)", "(f * h | g)", "(f + f:h | g)", "(oo | g)",
          "(x - 1 | g)", "(poly(x, 2) | g)", "(1 | g:h)", "(1 | h:g)", '(0 + dummy(fc, "b") | k)', "(b | k)")
groups <- sapply(bars, function(s) {
  control <- lmerControl(check.nobs.vs.nRE = "ignore", check.nobs.vs.nlev = "ignore", check.nobs.vs.rankZ = "ignore")
  part <- lFormula(as.formula(paste("y ~", s)), d, control = control)$reTrms
  f <- part$flist[[1]]
  sprintf('  {"bar": %s, "columns": [%s], "levels": [%s], "codes": [%s]}', deparse(s), text(part$cnms[[1]]),
          text(levels(f)), numbers(as.integer(f) - 1))
})
drop <- c("fc", "oo", "b")
cat('{"data": {', columns(d[setdiff(names(d), drop)]), '},\n "new": {', columns(new), '},\n "cases": [\n',
    paste(cases, collapse = ",\n"), '],\n "bars": [\n', paste(groups, collapse = ",\n"), "]}\n", sep = "")
