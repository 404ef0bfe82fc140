# Surrogate-data cases and the table of published numbers
source(file.path(Sys.getenv("REFROOT", "tests/reference"), "src", "lib.R")); source(file.path(ROOT, "src", "lib2.R"))
P <- "public"; std <- function(M) list(ddf = ddf_block(M$REML), performance = perf_block(M$REML))
lmm("lmm_yu_example2_surrogate", P, "yu_example2_SURROGATE", "res ~ treatment_idx + (1 | midx)", "SYNTHETIC stand-in for Yu, Example 2 (reproduces the quoted LM and ML results)", c("lmm", "published", "kr_satterthwaite"), nl = list(fixed = res ~ treatment_idx, random = ~ 1 | midx),
    extras = function(M) c(std(M), list(satterthwaite_at_ML = tab(coef(summary(lmerTest::as_lmerModLmerTest(M$ML)))))))
glmm("glmm_waterlick_surrogate", P, "waterlick_SURROGATE", "lick ~ dff + (1 | mouseID)", "SYNTHETIC stand-in for Yu, Example 4 waterlick_sim (Laplace slope 0.06235, SE 0.01986)", c("glmm", "binomial", "agq", "published", "lrt", "drop1", "parametric_bootstrap"), "binomial", nAGQ = c(0, 1, 7, 25), agq = 25,
     extras = function(M) { mb <- glmer(lick ~ dff + (1 | mouseID), .D, family = binomial); ms <- update(mb, . ~ . - dff); list(drop1 = drop1_block(M$nAGQ1), lrt = lrt_block(update(M$nAGQ1, . ~ . - dff), M$nAGQ1), parametric_bootstrap = pb_block(mb, ms, 200), odds_ratio_wald = { b <- fixef(M$tmb)$cond[2]; s <- sqrt(vcov(M$tmb)$cond[2, 2]); I1(num(exp(c(b, b - 1.96 * s, b + 1.96 * s)) - 1)) }) })
case("lm_yu_example1", P, "yu_example1", "res ~ treatment_idx", "Yu, Example 1: ordinary linear model (no random effects)", c("lm", "published"), body = function() { .D <<- read_ref("yu_example1"); m <- lm(res ~ treatment_idx, .D)
  list(fits = list(list(engine = "stats::lm", version = RVERS, call = dep1(m$call), estimator = "OLS", n = nobs(m), fixed = fx_block(coef(m), vcov(m)), sigma = sigma(m), logLik = num(logLik(m)), AIC = AIC(m), BIC = BIC(m), df = attr(logLik(m), "df"), anova = tab(anova(m))))) })
## ---- published numbers
D <- read_ref("yu_example1"); rows <- list(); nt <- 0
q <- function(src, what, quoted, computed, note = NULL) rows[[length(rows) + 1]] <<- list(source = src, quantity = what, quoted = I1(quoted), computed = if (is.null(computed)) NULL else I1(num(computed)), max_abs_diff = if (is.null(computed)) NULL else max(abs(quoted - num(computed))), note = note)
S3 <- "Yu (Example 1)"
lm1 <- lm(res ~ treatment_idx, D); q(S3, "LM coefficients", c(1.02619, .78286, .81353, .16058, -.36047), coef(lm1)); q(S3, "LM standard errors", c(.03997, .05868, .07551, .07349, .06266), sqrt(diag(vcov(lm1)))); q(S3, "LM residual standard error", .7553, sigma(lm1)); q(S3, "LM F", 108.1, anova(lm1)[1, 4])
m <- lme(res ~ treatment_idx, D, random = ~ 1 | midx, method = "ML", control = LMEC()); s <- summary(m)
q(S3, "ML AIC, BIC, logLik", c(2272.961, 2308.592, -1129.481), c(AIC(m), BIC(m), logLik(m))); q(S3, "ML sd midx, residual", c(.4545821, .5995347), c(as.numeric(VarCorr(m)[1:2, 2])))
q(S3, "ML coefficients", c(1.0008500, .8191952, .8427397, .1896571, -.3202969), fixef(m)); q(S3, "ML standard errors as printed by nlme (x sqrt(N/(N-p)))", c(.1750995, .2577129, .3200466, .3197681, .2713859), s$tTable[, 2])
q(S3, "ML standard errors, lme4 convention", c(.1750995, .2577129, .3200466, .3197681, .2713859), sqrt(diag(vcov(m))), "differs by the factor sqrt(1200/1195): nlme adjustSigma")
q(S3, "containment df", c(1176, 19, 19, 19, 19), s$tTable[, 3]); q(S3, "t values", c(5.7158919, 3.1787124, 2.6331777, .5931081, -1.1802269), s$tTable[, 4]); q(S3, "p values", c(1.382236e-08, 4.944475e-03, 1.638113e-02, 5.601033e-01, 2.524757e-01), s$tTable[, 5])
a <- anova(m); q(S3, "anova F", c(179.66421, 5.89455), a[, 3]); q(S3, "standardised residual quantiles", c(-2.5410173, -.5737059, -.1133680, .4733263, 8.8578521), quantile(resid(m, type = "pearson")))
icc1 <- function(y, g) { g <- factor(g); n <- table(g); k <- length(n); N <- sum(n); a <- anova(lm(y ~ g)); n0 <- (N - sum(n^2) / N) / (k - 1); (a[1, 3] - a[2, 3]) / (a[1, 3] + (n0 - 1) * a[2, 3]) }
q(S3, "ICC by group (ANOVA estimator)", c(.6209487, .3300633, .017803, .628109, .5369458), sapply(split(D, D$treatment_idx), function(z) icc1(z$res, z$midx)))
q(S3, "cells per group", c(357, 309, 139, 150, 245), table(D$treatment_idx))
mr <- lmerTest::lmer(res ~ treatment_idx + (1 | midx), D); W <- "Yu (MM_in_Neuroscience)"
q(W, "REML criterion/AIC(nlme)/BIC(nlme)", c(2264.466, 2278.466, 2314.067), { z <- lme(res ~ treatment_idx, D, random = ~ 1 | midx, control = LMEC()); c(-2 * logLik(z), AIC(z), BIC(z)) })
q(W, "REML coefficients", c(1.0006729, .8194488, .8429473, .1898432, -.3199877), fixef(mr)); q(W, "REML SE", c(.1963782, .2890372, .3588556, .3586083, .3043369), sqrt(diag(vcov(mr)))); q(W, "Satterthwaite df", c(18.9893, 18.9831, 19.0571, 19.0046, 19.0164), coef(summary(mr))[, 3]); q(W, "Kenward-Roger df", c(18.9806, 18.9745, 19.0485, 18.9960, 19.0078), coef(summary(mr, ddf = "Kenward-Roger"))[, 3])
q(W, "KR F, ddf, p", c(4.6878, 19.014, .008398), { z <- anova(mr, ddf = "Kenward-Roger"); c(z[1, 5], z[1, 4], z[1, 6]) }); q(W, "ML LRT chisq, p", c(16.48011, .002438), { z <- suppressMessages(anova(lmer(res ~ 1 + (1 | midx), D, REML = FALSE), lmer(res ~ treatment_idx + (1 | midx), D, REML = FALSE))); c(z[2, "Chisq"], z[2, "Pr(>Chisq)"]) })
D2 <- read_ref("yu_example2_SURROGATE"); S2 <- "Yu (Example 2), SURROGATE data built to match"
l2 <- lm(res ~ treatment_idx, D2); q(S2, "LM coefficients", c(.71490545, -.07802047, .00914741, .04971562), coef(l2)); q(S2, "LM SE", c(.01233741, .01701121, .01718859, .01633230), sqrt(diag(vcov(l2))))
m2 <- lmerTest::lmer(res ~ treatment_idx + (1 | midx), D2, REML = FALSE, control = LC()); k2 <- coef(summary(m2)); q(S2, "LME ML coefficients", c(.699786009, -.017490109, .009353984, .029448530), k2[, 1]); q(S2, "LME ML SE", c(.03484986, .01726513, .01657856, .01656107), k2[, 2]); q(S2, "Satterthwaite df", c(4.901964, 1723.485832, 1720.292658, 1719.621372), k2[, 3]); q(S2, "t values", c(20.0800262, -1.0130306, .5642219, 1.7781780), k2[, 4])
q(S2, "implied sd_mouse and sigma (recovered from the quoted SEs and counts)", c(.0651224, .2326849), c(attr(VarCorr(m2)$midx, "stddev"), sigma(m2)), "not quoted; recovered")
DW <- read_ref("waterlick_SURROGATE"); mw <- glmmTMB(lick ~ dff + (1 | mouseID), DW, family = binomial, control = TC()); q("Yu (Example 4 waterlick), SURROGATE data built to match", "slope and SE", c(.06235, .01986), summary(mw)$coefficients$cond[2, 1:2])
q("Yu (Example 4)", "exp(b)-1 and 95% limits from the quoted b, SE", c(.06433480, .02370091, .10658157), exp(c(.06235, .06235 - 1.96 * .01986, .06235 + 1.96 * .01986)) - 1)
q("Bolker (sim5x5)", "simulated data, first five y (R 4.2.2, seed 101); not quoted", num(head(read_ref("sim5x5")$y, 5)), num(head(read_ref("sim5x5")$y, 5)), "no numbers are printed with it: see lmm_sim5x5.json")
wjson(list(note = "Published numbers against recomputed ones; quoted values are rounded as printed.", rows = rows), file.path(ROOT, "results", "published_numbers.json"))
for (r in rows) cat(sprintf("%-45s %-50s %s\n", substr(r$source, 1, 45), substr(r$quantity, 1, 50), if (is.null(r$max_abs_diff)) "quoted only" else signif(r$max_abs_diff, 3)))
