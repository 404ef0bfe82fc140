# How long glmmTMB takes: Rscript run_glmmTMB.R CASE CSV FORMULA FACTORS REPEATS FAMILY prints a JSON line.
suppressMessages(library(glmmTMB))
source(file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))), "timing.R"))
report(
  "glmmTMB",
  function(formula, data, family) glmmTMB(formula, data, family),
  function(family) glmmTMB(cbind(incidence, size - incidence) ~ period + (1 | herd), lme4::cbpp, binomial)
)
