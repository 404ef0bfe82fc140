# What the engines in R share: read the table, one untimed call, the median of the timed ones, a JSON line.
# CASE CSV FORMULA FACTORS REPEATS FAMILY on the command line; `fit(formula, data, family)` gives the model, `family`
# being R's. A case that is timed once takes long, and so its untimed call, `warm()`, is on a small model instead.
report <- function(peer, fit, warm) {
  arguments <- commandArgs(trailingOnly = TRUE)
  case <- arguments[1]
  formula <- as.formula(arguments[3])
  repeats <- as.integer(arguments[5])
  family <- switch(arguments[6], bernoulli = "binomial", arguments[6])
  data <- read.csv(arguments[2])
  for (name in strsplit(arguments[4], ",")[[1]]) data[[name]] <- factor(data[[name]])
  one_fit <- function() {
    begin <- Sys.time()
    model <- fit(formula, data, family)
    c(seconds = as.numeric(Sys.time() - begin, units = "secs"), loglik = as.numeric(logLik(model)))
  }
  suppressWarnings({
    invisible(if (repeats > 1) one_fit() else warm(family))
    rounds <- replicate(repeats, one_fit())
  })
  cat(sprintf(
    '{"peer": "%s", "version": "%s", "case": "%s", "seconds": %.9g, "loglik": %.12g, "repeats": %d, "runtime": "%s, BLAS %s"}\n',
    peer, packageVersion(peer), case, median(rounds["seconds", ]), rounds["loglik", 1], repeats,
    R.version.string, basename(extSoftVersion()[["BLAS"]])
  ))
}
