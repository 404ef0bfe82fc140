# Seconds a replicate of bootMer, and of PBmodcomp where a smaller model is given.
suppressMessages({library(lme4); library(pbkrtest); library(jsonlite)})
given <- commandArgs(trailingOnly = TRUE)  # CSV, formula, smaller formula or "", factors, family, replicates
data <- read.csv(given[1])
for (name in strsplit(given[4], ",")[[1]]) data[[name]] <- factor(data[[name]])
n <- as.integer(given[6])
fitted <- function(formula) {
  if (given[5] == "gaussian") lmer(as.formula(formula), data, REML = FALSE)
  else glmer(as.formula(formula), data, family = given[5])
}
seconds <- function(expression) unname(sum(system.time(expression)[c("user.self", "sys.self")]))
suppressMessages(suppressWarnings({
  large <- fitted(given[2])
  estimates <- function(fit) c(fixef(fit), getME(fit, "theta"), sigma(fit))
  boot <- seconds(found <- bootMer(large, estimates, nsim = n, seed = 1))
  test <- NA
  if (nzchar(given[3])) {
    small <- fitted(given[3])
    test <- seconds(PBmodcomp(large, small, nsim = n, seed = 1)) / n
  }
}))
version <- as.character(packageVersion("lme4"))
answer <- list(engine = "lme4", version = version, replicate = boot / n, test = test, sd = unname(apply(found$t, 2, sd)))
cat(toJSON(answer, auto_unbox = TRUE, digits = 8, na = "null"), "\n")
