# How long lme4 takes: Rscript run_lme4.R CASE CSV FORMULA FACTORS REPEATS prints a JSON line.
# A case that is timed once takes long, and so its untimed call is on sleepstudy instead.
suppressMessages(library(lme4))
arguments <- commandArgs(trailingOnly = TRUE)
case <- arguments[1]
formula <- as.formula(arguments[3])
repeats <- as.integer(arguments[5])
data <- read.csv(arguments[2])
for (name in strsplit(arguments[4], ",")[[1]]) data[[name]] <- factor(data[[name]])
one_fit <- function() {
  begin <- Sys.time()
  model <- lmer(formula, data, REML = FALSE)
  c(seconds = as.numeric(Sys.time() - begin, units = "secs"), loglik = as.numeric(logLik(model)))
}
invisible(if (repeats > 1) one_fit() else lmer(Reaction ~ Days + (Days | Subject), sleepstudy, REML = FALSE))
rounds <- replicate(repeats, one_fit())
cat(sprintf(
  '{"peer": "lme4", "version": "%s", "case": "%s", "seconds": %.9g, "loglik": %.12g, "repeats": %d, "runtime": "%s, BLAS %s"}\n',
  packageVersion("lme4"), case, median(rounds["seconds", ]), rounds["loglik", 1], repeats,
  R.version.string, basename(extSoftVersion()[["BLAS"]])
))
