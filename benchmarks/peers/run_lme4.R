# How long lme4 takes: Rscript run_lme4.R CASE CSV FORMULA FACTORS REPEATS prints a JSON line.
# A case that is timed once takes long, and so its untimed call is on sleepstudy instead.
suppressMessages(library(lme4))
arguments <- commandArgs(trailingOnly = TRUE)
case <- arguments[1]
formula <- as.formula(arguments[3])
repeats <- as.integer(arguments[5])
data <- read.csv(arguments[2])
for (name in strsplit(arguments[4], ",")[[1]]) data[[name]] <- factor(data[[name]])
seconds_of_one_fit <- function() {
  begin <- Sys.time()
  fitted <<- lmer(formula, data, REML = FALSE)
  as.numeric(Sys.time() - begin, units = "secs")
}
if (repeats > 1) seconds_of_one_fit() else lmer(Reaction ~ Days + (Days | Subject), sleepstudy, REML = FALSE)
seconds <- replicate(repeats, seconds_of_one_fit())
cat(sprintf(
  '{"peer": "lme4", "version": "%s", "case": "%s", "seconds": %.9g, "loglik": %.12g, "repeats": %d, "runtime": "%s, BLAS %s"}\n',
  packageVersion("lme4"), case, median(seconds), as.numeric(logLik(fitted)), repeats,
  R.version.string, basename(extSoftVersion()[["BLAS"]])
))
