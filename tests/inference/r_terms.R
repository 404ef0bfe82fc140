# Writes r_terms.json: what R's lmerTest says of the terms of made-up unbalanced data, for tests/inference/test_terms.py.
# Run in the repository's root: Rscript tests/inference/r_terms.R > tests/inference/r_terms.json
# (R 4.2.2, lme4 1.1-31, lmerTest 3.1-3, pbkrtest 0.5.2, nlme 3.1-162)
suppressMessages({library(lmerTest); library(jsonlite)})
options(warn = -1)
tightly <- lmerControl(optimizer = "nloptwrap", optCtrl = list(xtol_abs = 1e-10, ftol_abs = 1e-10))

i <- 0:89  # the same rows are made in the test
d <- data.frame(
  a = c("a1", "a2", "a3")[(i * 7) %% 11 %% 3 + 1], b = c("b1", "b2")[(i * 5) %% 7 %% 2 + 1],
  c = c("c1", "c2", "c3")[(i * 3) %% 13 %% 3 + 1], g = factor((i * 13) %% 17 %% 10),
  x = ((i * 29) %% 31) / 10, z = ((i * 11) %% 23) / 7, stringsAsFactors = TRUE)
effects <- c(0.9, -0.6, 0.3, -1.1, 0.5, 1.3, -0.2, -0.9, 0.7, -0.4)
d$y <- sin(1.7 * i) + 0.5 * (d$a == "a2") - 0.8 * (d$b == "b2") * d$x + effects[(i * 13) %% 17 %% 10 + 1]
one_empty <- droplevels(subset(d, !(a == "a3" & b == "b2")))
four_empty <- droplevels(subset(one_empty, !(a == "a1" & b == "b1" & c == "c3")))

M <- list(
  crossed = lmer(y ~ a * b + x + (1 | g), d, control = tightly),
  covariates = lmer(y ~ a * x + b * x + (1 | g), d, control = tightly),
  one_empty = lmer(y ~ a * b + x + (1 | g), one_empty, control = tightly),
  four_empty = lmer(y ~ a * b * c + (1 | g), four_empty, control = tightly),
  cellmeans = lmer(y ~ 0 + a + (1 | g), d, control = tightly),
  poly = lmer(y ~ poly(x, 2) * b + z + (1 | g), d, control = tightly),
  slopes = lmer(y ~ a * b + (x | g), d, control = tightly),
  weighted = lmer(y ~ a * b + x + (1 | g), d, weights = z + 1, control = tightly),
  sums = lmer(y ~ a * b + x + (1 | g), d, control = tightly, contrasts = list(a = "contr.sum", b = "contr.helmert")))

table_of <- function(r) list(rows = rownames(r), num_df = r$NumDF, den_df = r$DenDF, statistic = r$`F value`)
of_fit <- function(m) suppressMessages(list(
  "1" = table_of(anova(m, type = 1)), "2" = table_of(anova(m, type = 2)), "3" = table_of(anova(m, type = 3)),
  drop1 = table_of(drop1(m, ddf = "Satterthwaite")),
  kenward_roger = table_of(anova(m, type = 3, ddf = "Kenward-Roger"))))
aov_of <- function(m) {
  r <- anova(m)
  list(rows = rownames(r), df = r$Df, squares = r$`Sum Sq`, statistic = r$`F value`, p = r$`Pr(>F)`)
}
found <- lapply(M, of_fit)
found$aov <- aov_of(lm(y ~ a * b + x, d))
found$aov_weighted <- aov_of(lm(y ~ a * b + x, d, weights = z + 1))
library(nlme)
d$outer <- factor(i %/% 15); d$inner <- factor(i %/% 5)
d$u <- (i %/% 15)^2 %% 5; d$w <- factor((i %/% 5) %% 4)
lme_of <- function(m) {
  r <- anova(m)
  list(rows = rownames(r), num_df = r$numDF, den_df = r$denDF, statistic = r$`F-value`)
}
ctl <- lmeControl(msTol = 1e-12, tolerance = 1e-12, maxIter = 500, msMaxIter = 500, returnObject = TRUE)
found$nlme <- list(
  two_levels = lme_of(lme(y ~ u + w + b + x, random = ~ 1 | outer/inner, data = d, method = "ML", control = ctl)),
  one_level = lme_of(lme(y ~ z + a * x, random = ~ 1 | g, data = d, method = "ML", control = ctl)))
cat(toJSON(found, digits = 9, auto_unbox = TRUE, na = "null"))
