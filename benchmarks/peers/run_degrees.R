# How long R's degrees of freedom take: Rscript run_degrees.R CSV FORMULA FACTORS METHOD prints a JSON line.
# Satterthwaite by lmerTest, Kenward-Roger by pbkrtest: one adjusted covariance, then each coefficient.
suppressMessages({
  library(lme4)
  library(lmerTest)
  library(pbkrtest)
})
arguments <- commandArgs(trailingOnly = TRUE)
data <- read.csv(arguments[1])
for (name in strsplit(arguments[3], ",")[[1]]) data[[name]] <- factor(data[[name]])
seconds_of <- function(begin) as.numeric(Sys.time() - begin, units = "secs")
begin <- Sys.time()
fit <- suppressWarnings(lme4::lmer(as.formula(arguments[2]), data))
fit_seconds <- seconds_of(begin)
begin <- Sys.time()
if (arguments[4] == "kenward-roger") {
  adjusted <- vcovAdj(fit)
  rows <- diag(length(fixef(fit)))
  df <- sapply(seq_len(nrow(rows)), function(i) Lb_ddf(rows[i, ], vcov(fit), adjusted))
  se <- sqrt(diag(as.matrix(adjusted)))
  package <- "pbkrtest"
} else {
  coefficients <- suppressMessages(summary(as_lmerModLmerTest(fit)))$coefficients
  df <- coefficients[, "df"]
  se <- coefficients[, "Std. Error"]
  package <- "lmerTest"
}
seconds <- seconds_of(begin)
numbers <- function(values) paste(sprintf("%.10g", values), collapse = ", ")
cat(sprintf(
  '{"version": "%s %s, %s", "fit_seconds": %.6g, "seconds": %.6g, "df": [%s], "se": [%s]}\n',
  package, packageVersion(package), R.version.string, fit_seconds, seconds, numbers(df), numbers(se)
))
