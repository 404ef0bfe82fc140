# Writes r_emmeans.json: what R's emmeans says of models of the bundled data, for tests/effects/test_emmeans.py.
# Run in the repository's root: Rscript tests/effects/r_emmeans.R > tests/effects/r_emmeans.json
# (R 4.2.2, lme4 1.1-31, glmmTMB 1.1.5, emmeans 1.8.4, mvtnorm 1.1-3)
suppressMessages({library(lme4); library(glmmTMB); library(emmeans); library(jsonlite)})
emm_options(lmer.df = "asymptotic")
options(warn = -1)
data_of <- function(name) read.csv(file.path("bayesmixed/data/sets", paste0(name, ".csv")))
tightly <- lmerControl(optimizer = "nloptwrap", optCtrl = list(xtol_abs = 1e-10, ftol_abs = 1e-10))

warp <- data_of("warpbreaks"); warp$wool <- factor(warp$wool); warp$tension <- factor(warp$tension, c("L", "M", "H"))
cake <- data_of("cake"); cake$recipe <- factor(cake$recipe); cake$temperature <- factor(cake$temperature)
sal <- data_of("Salamanders"); sal$mined <- factor(sal$mined, c("yes", "no"))
sal$spp <- factor(sal$spp, c("GP", "PR", "DM", "EC-A", "EC-L", "DES-L", "DF"))
ara <- data_of("Arabidopsis"); ara$amd <- factor(ara$amd); ara$nutrient <- factor(ara$nutrient)
ara$status <- factor(ara$status); ara$y <- log(ara$total.fruits + 1)
owls <- data_of("Owls"); owls$FoodTreatment <- factor(owls$FoodTreatment); owls$SexParent <- factor(owls$SexParent)
cbpp <- data_of("cbpp"); cbpp$period <- factor(cbpp$period)
con <- data_of("Contraception"); con$livch <- factor(con$livch); con$urban <- factor(con$urban)
con$use <- as.integer(con$use == "Y")

M <- list(
  warp = lm(breaks ~ wool * tension, warp),
  empty = lm(breaks ~ wool * tension, subset(warp, !(wool == "B" & tension == "H"))),
  cake = lmer(angle ~ recipe * temp + (1 | recipe:replicate), cake, control = tightly),
  cake_f = lmer(angle ~ recipe + temperature + (1 | recipe:replicate), cake, control = tightly),
  sleep = lmer(Reaction ~ Days + I(Days^2) + (Days | Subject), data_of("sleepstudy"), control = tightly),
  ara = lmer(y ~ nutrient * amd + status + (1 | popu), ara, control = tightly),
  sal = glmmTMB(count ~ mined * cover + spp + (1 | site), sal, poisson),
  owls = glmmTMB(SiblingNegotiation ~ FoodTreatment * SexParent + offset(logBroodSize) + (1 | Nest), owls, poisson),
  cbpp = glmmTMB(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial),
  some = lmer(angle ~ temperature + (1 | recipe:replicate), cake[(seq_len(270)^2 + 5 * seq_len(270)) %% 13 < 3, ],
              control = tightly),
  con = glmmTMB(use ~ age + I(age^2) + urban + livch + (1 | district), con, binomial)
)

kept <- function(e) {
  t <- as.data.frame(e); n <- names(t)
  pick <- function(...) { found <- intersect(c(...), n); if (length(found)) t[[found[1]]] else NULL }
  trend <- grep("\\.trend$", n, value = TRUE)
  Filter(Negate(is.null), list(
    df = if (all(is.finite(t$df))) t$df else NULL, estimate = pick("emmean", "estimate", "rate", "prob", "response", "ratio", "odds.ratio", "prediction", trend),
    se = pick("SE"), lower = pick("lower.CL", "asymp.LCL"), upper = pick("upper.CL", "asymp.UCL"),
    statistic = pick("t.ratio", "z.ratio"), p = pick("p.value")))
}
both <- function(e, ...) kept(summary(e, infer = c(TRUE, TRUE), ...))
means <- function(e, ...) kept(summary(e, infer = c(TRUE, FALSE), ...))

warp_e <- emmeans(M$warp, ~ tension | wool); warp_t <- emmeans(M$warp, ~ tension)
cake_e <- emmeans(M$cake_f, ~ temperature); sal_e <- emmeans(M$sal, ~ spp); own <- list(own = c(1, -0.5, -0.5))
some_e <- emmeans(M$some, ~ temperature, lmer.df = "satterthwaite")
out <- list(
  warp_within = means(warp_e), warp_over = means(warp_t), warp_all = means(emmeans(M$warp, ~ 1)),
  warp_within_tukey = both(pairs(warp_e)), warp_holm = both(pairs(warp_t), adjust = "holm"),
  warp_bonferroni = both(pairs(warp_t), adjust = "bonferroni"), warp_mvt = both(pairs(warp_t), adjust = "mvt"),
  warp_control = both(contrast(warp_t, "trt.vs.ctrl", ref = 2), adjust = "mvt"),
  warp_own = both(contrast(warp_t, own)), empty = means(emmeans(M$empty, ~ wool * tension)),
  cake_at = means(emmeans(M$cake, ~ recipe | temp, at = list(temp = c(180, 220)))),
  cake_trend = means(emtrends(M$cake, ~ recipe, var = "temp")),
  cake_trend_pairs = both(pairs(emtrends(M$cake, ~ recipe, var = "temp"))),
  cake_steps = both(contrast(cake_e, "consec"), adjust = "mvt"), cake_pairs = both(pairs(cake_e)),
  some_means = means(some_e), some_tukey = both(pairs(some_e)), some_mvt = both(pairs(some_e), adjust = "mvt"),
  some_fdr = both(pairs(some_e), adjust = "fdr"),
  some_control = both(contrast(some_e, "trt.vs.ctrl", ref = 2), adjust = "mvt"),
  some_kr = both(pairs(emmeans(M$some, ~ temperature, lmer.df = "kenward-roger"))),
  sleep_mean = means(emmeans(M$sleep, ~ Days)),
  sleep_trend = means(emtrends(M$sleep, ~ Days, var = "Days", at = list(Days = c(0, 9)), delta.var = 1e-6)),
  ara_equal = means(emmeans(M$ara, ~ amd | nutrient)),
  ara_proportional = means(emmeans(M$ara, ~ amd | nutrient, weights = "proportional")),
  ara_overall = means(emmeans(M$ara, ~ 1, weights = "proportional")),
  sal_rates = means(sal_e, type = "response"), sal_ratios = both(pairs(sal_e), type = "response", adjust = "holm"),
  sal_at = means(emmeans(M$sal, ~ mined * cover, at = list(cover = c(-1, 1)))),
  sal_trend = both(emtrends(M$sal, ~ mined, var = "cover")),
  owls_rates = means(emmeans(M$owls, ~ FoodTreatment | SexParent), type = "response"),
  owls_unit = means(emmeans(M$owls, ~ FoodTreatment | SexParent, offset = 0), type = "response"),
  cbpp_prob = means(emmeans(M$cbpp, ~ period), type = "response"),
  cbpp_odds = both(pairs(emmeans(M$cbpp, ~ period)), type = "response"),
  con_prob = means(emmeans(M$con, ~ livch), type = "response"),
  con_control = both(contrast(emmeans(M$con, ~ livch), "trt.vs.ctrl"), adjust = "mvt", type = "response")
)
cat(toJSON(out, digits = 10, na = "null", auto_unbox = FALSE, pretty = FALSE), "\n")
