# clubSandwich's robust tests of one small unbalanced data set: Rscript r_clubsandwich.R > r_clubsandwich.json
# (run in this folder; R packages lme4, nlme, clubSandwich, jsonlite)
suppressPackageStartupMessages({library(lme4); library(nlme); library(clubSandwich); library(jsonlite)})
d <- read.csv("unbalanced_schools.csv", stringsAsFactors = TRUE)
d$v <- 1 / d$w
answer <- function(fit) {
  found <- list(fixef = as.list(fixef(fit)))
  for (type in c("CR0", "CR2")) {
    V <- vcovCR(fit, cluster = d$school, type = type)
    t <- as.data.frame(coef_test(fit, vcov = V, test = "Satterthwaite"))
    w <- Wald_test(fit, constraints = constrain_zero(2:length(fixef(fit))), vcov = V, test = "HTZ")
    found[[type]] <- list(se = t$SE, df = t$df_Satt, F = w$Fstat, num_df = w$df_num, den_df = w$df_denom)
  }
  found
}
control <- lmerControl(optimizer = "nloptwrap", optCtrl = list(xtol_abs = 1e-10, ftol_abs = 1e-12))
fits <- list(
  slopes = lmer(y ~ x + treated + (x | school), d, control = control),
  nested = lmer(y ~ x + treated + (1 | school) + (1 | room), d, REML = FALSE, control = control),
  weighted = lme(y ~ x * treated, d, ~ 1 | school, weights = varFixed(~ v), control = lmeControl(tolerance = 1e-12))
)
versions <- list(lme4 = as.character(packageVersion("lme4")), clubSandwich = as.character(packageVersion("clubSandwich")))
cat(toJSON(list(versions = versions, fits = lapply(fits, answer)), auto_unbox = TRUE, digits = 10, pretty = TRUE), "\n")
