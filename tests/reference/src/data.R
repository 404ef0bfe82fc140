# Exports every data set to data/*.csv (+ schema.json with column types and factor level order).
Sys.setenv(REFROOT = Sys.getenv("REFROOT", "tests/reference"))
source(file.path(Sys.getenv("REFROOT"), "src", "lib.R"))
suppressMessages({library(mlmRev); library(MASS); library(ordinal)})
SCH <- list()
put <- function(name, d, source, licence, note = "", gz = FALSE) {
  d <- as.data.frame(d); class(d) <- "data.frame"; rownames(d) <- NULL
  for (a in setdiff(names(attributes(d)), c("names", "row.names", "class"))) attr(d, a) <- NULL
  cols <- list()
  for (cn in names(d)) {
    x <- d[[cn]]
    if (is.factor(x)) { x <- droplevels2(x); cols[[cn]] <- list(type = "factor", ordered = is.ordered(x), levels = I(levels(x))); d[[cn]] <- as.character(x) }
    else if (is.logical(x)) { cols[[cn]] <- list(type = "integer"); d[[cn]] <- as.integer(x) }
    else if (is.character(x)) cols[[cn]] <- list(type = "string")
    else { x <- as.vector(unclass(x)); attributes(x) <- NULL
      if (all(is.na(x) | x == round(x)) && max(abs(x), na.rm = TRUE) < 1e9) { x <- as.integer(round(x)); cols[[cn]] <- list(type = "integer") } else cols[[cn]] <- list(type = "number")
      d[[cn]] <- x }
    if (anyNA(x)) cols[[cn]]$missing <- sum(is.na(x))
  }
  file <- paste0(name, ".csv", if (gz) ".gz" else "")
  fmt <- d; for (cn in names(fmt)) if (is.double(fmt[[cn]])) fmt[[cn]] <- ifelse(is.na(d[[cn]]), NA, vapply(d[[cn]], function(v) { s <- format(v, digits = 15); if (as.numeric(s) != v) s <- format(v, digits = 17); s }, ""))
  q <- vapply(d, is.character, NA)
  con <- if (gz) gzfile(file.path(DATA, file), "w") else file(file.path(DATA, file), "w", encoding = "UTF-8")
  write.table(fmt, con, sep = ",", row.names = FALSE, quote = if (any(q)) which(q) else FALSE, qmethod = "double", na = "NA", col.names = TRUE)
  close(con)
  SCH[[name]] <<- list(file = file, rows = nrow(d), cols = ncol(d), source = source, licence = licence, note = note, columns = cols)
}
droplevels2 <- function(x) x      # keep unused levels out only where they matter (none here)
E <- function(n, p) { e <- new.env(); data(list = n, package = p, envir = e); get(n, e) }
G2 <- "GPL (>= 2), as the package"
for (n in c("sleepstudy", "Dyestuff", "Dyestuff2", "Penicillin", "Pastes", "cake", "cbpp", "grouseticks", "VerbAgg", "Arabidopsis")) put(n, E(n, "lme4"), paste0("R lme4 ", pv("lme4")), G2)
put("InstEval", E("InstEval", "lme4"), paste0("R lme4 ", pv("lme4")), G2, gz = TRUE)
nn <- c("Orthodont", "Oxboys", "Machines", "Rail", "Pixel", "Soybean", "Ovary", "BodyWeight", "Oats", "ergoStool", "Assay", "Gasoline", "Dialyzer", "Wafer")
for (n in nn) put(n, E(n, "nlme"), paste0("R nlme ", pv("nlme")), G2, "grouped-data attributes dropped; factor order as in nlme (often ordered by response)")
for (n in c("Loblolly", "Orange", "Theoph", "Indometh", "ChickWeight", "warpbreaks")) put(n, E(n, "datasets"), paste0("R datasets ", RVERS), "GPL-2 | GPL-3 (R)")
for (n in c("Salamanders", "Owls", "epil2")) put(n, E(n, "glmmTMB"), paste0("R glmmTMB ", pv("glmmTMB")), "AGPL-3, as the package")
for (n in c("epil", "bacteria")) put(n, E(n, "MASS"), paste0("R MASS ", pv("MASS")), "GPL-2 | GPL-3")
for (n in c("wine", "soup")) put(n, E(n, "ordinal"), paste0("R ordinal ", pv("ordinal")), G2)
for (n in c("Contraception", "Exam", "guImmun", "guPrenat", "Hsb82", "ScotsSec", "egsingle", "Socatt")) put(n, E(n, "mlmRev"), paste0("R mlmRev ", pv("mlmRev")), G2)
put("Chem97", E("Chem97", "mlmRev"), paste0("R mlmRev ", pv("mlmRev")), G2, gz = TRUE)
## data sets of repositories
F <- file.path(ROOT, "src", "fetched")
e <- new.env(); lazyLoad(file.path(F, "c16"), envir = e); d <- e$obj.lmer@frame; attr(d, "terms") <- NULL; attr(d, "formula") <- NULL
d <- data.frame(res = d$res, treatment_idx = d$treatment_idx, midx = factor(d$midx))
put("yu_example1", d, "GitHub yu-zhaoxia/MM_in_Neuroscience, model frame inside the knitr cache _bookdown_files/mm-in-neuroscience_cache/html/unnamed-chunk-16_02e4fa66*.rdb", "CC0-1.0", "pCREB immunoreactivity; 1200 neurons, 24 mice, 5 groups (1 baseline,2 24h,3 48h,4 72h,5 1wk). Equals Example1.txt of that repository")
M <- "GitHub bbolker/mixedmodels-misc"
e <- new.env(); load(file.path(F, "Banta.RData"), e); put("banta", e$dat.tf, paste0(M, " talks/data/Banta.RData (dat.tf)"), "no licence file in repository; same data as lme4::Arabidopsis (GPL>=2)", "as lme4::Arabidopsis with different factor order of amd/status and the id column X")
e <- new.env(); load(file.path(F, "culcita.RData"), e); put("culcita", e$culcita_dat, paste0(M, " data/culcita.RData"), "no licence file in repository (McKeon et al. 2012 data)", "predation 0/1 by block and symbiont treatment")
e <- new.env(); load(file.path(F, "gopherdat2.RData"), e); g <- e$Gdat; g$year <- as.integer(g$year); put("gopher", g, paste0(M, " data/gopherdat2.RData"), "no licence file in repository (Ozgul et al. 2009 data)", "gopher tortoise shells")
put("toenail", read.csv(file.path(F, "toenail.csv")), paste0(M, " talks/data/toenail.csv"), "no licence file in repository (De Backer et al. 1998; also HSAUR3/mice)", "onycholysis, 294 patients, 1908 visits")
e <- new.env(); load(file.path(F, "starling.RData"), e); put("starling", e$dataf, paste0(M, " talks/data/starling.RData"), "no licence file in repository", "starling mass by month and roost")
dd <- data.frame(f = gl(5, 5)); dd$y <- suppressMessages(simulate(~ 1 + (1 | f), newdata = dd, family = gaussian, seed = 101, newparams = list(theta = 1, beta = 0, sigma = 1))[[1]])
put("sim5x5", dd, "simulated: set.seed(101), lme4::simulate", "CC0", "5 groups x 5 observations; R 4.2.2 RNG defaults")
## own simulations for families without a classic public data set
set.seed(20240611); n <- 400; gg <- gl(25, 16); hh <- factor(rep(1:8, length.out = n)); x <- round(rnorm(n), 4)
eta <- 0.3 + 0.6 * x + rnorm(25, sd = .7)[gg] + rnorm(8, sd = .4)[hh]; mu <- plogis(eta); phi <- 9
put("sim_beta", data.frame(y = round(pmin(pmax(rbeta(n, mu * phi, (1 - mu) * phi), 1e-4), 1 - 1e-4), 6), x = x, g = gg, h = hh), "simulated by src/data.R (seed 20240611)", "CC0", "beta response, crossed random intercepts, phi=9")
set.seed(20240612); n <- 300; gg <- gl(20, 15); t <- rep(1:15, 20); x <- round(runif(n), 4); b <- MASS::mvrnorm(20, c(0, 0), matrix(c(.25, .06, .06, .09), 2))
mu <- exp(1 + .5 * x + b[gg, 1] + b[gg, 2] * x); put("sim_gamma", data.frame(y = round(rgamma(n, shape = 4, rate = 4 / mu), 5), x = x, time = t, g = gg), "simulated by src/data.R (seed 20240612)", "CC0", "gamma response, log link, random slopes, shape 4")
set.seed(20240613); ng <- 40; nt <- 10; gg <- gl(ng, nt); tt <- rep(1:nt, ng); trt <- factor(rep(c("a", "b"), each = ng * nt / 2)); u <- as.vector(replicate(ng, as.vector(arima.sim(list(ar = .7), nt, sd = .8))))
put("sim_ar1", data.frame(y = round(2 + .1 * tt + .5 * (trt == "b") + u + rnorm(ng * nt, sd = .5), 5), count = rpois(ng * nt, exp(.5 + .05 * tt + .3 * (trt == "b") + .6 * u)), time = tt, trt = trt, g = gg), "simulated by src/data.R (seed 20240613)", "CC0", "AR(1) latent process within 40 groups, gaussian and poisson responses")
set.seed(20240614); n <- 600; gg <- gl(30, 20); it <- factor(rep(1:20, 30)); x <- round(rnorm(n), 4); z <- 1.1 * x + rnorm(30, sd = .9)[gg] + rnorm(20, sd = .5)[it] + rlogis(n)
put("sim_ordinal", data.frame(y = cut(z, c(-Inf, -1.5, 0, 1.2, 2.5, Inf), labels = c("1", "2", "3", "4", "5"), ordered_result = TRUE), x = x, g = gg, item = it), "simulated by src/data.R (seed 20240614)", "CC0", "5-category ordinal, crossed random intercepts")
sr <- file.path(ROOT, "src", "surrogates.rds")
if (file.exists(sr)) { S <- readRDS(sr)
  put("yu_example2_SURROGATE", S$ex2, "SYNTHETIC (src/surrogates.R)", "CC0", "not the authors' data: built so that the LM and LME numbers published for Example 2 come out (mouse x treatment counts are the real ones)")
  put("waterlick_SURROGATE", S$waterlick, "SYNTHETIC (src/surrogates.R)", "CC0", "not the authors' data: 512 trials, 8 mice, 216 correct, Laplace fit gives the quoted slope 0.06235 (SE 0.01986)") }
write_json(SCH, file.path(DATA, "schema.json"), auto_unbox = TRUE, pretty = TRUE)
for (n in names(SCH)) { s <- SCH[[n]]; cat(sprintf("%-16s %6d x %2d %s\n", n, s$rows, s$cols, s$file)) }
