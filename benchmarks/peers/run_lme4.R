# How long lme4 takes: Rscript run_lme4.R CASE CSV FORMULA FACTORS REPEATS FAMILY prints a JSON line.
suppressMessages(library(lme4))
source(file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))), "timing.R"))
report(
  "lme4",
  function(formula, data, family) {
    if (family == "gaussian") lmer(formula, data, REML = FALSE) else glmer(formula, data, family)
  },
  function(family) {
    if (family == "gaussian") lmer(Reaction ~ Days + (Days | Subject), sleepstudy, REML = FALSE)
    else glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial)
  }
)
