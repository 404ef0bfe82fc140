# What all generator scripts share.  See ../README.md.
Sys.setenv(OMP_NUM_THREADS = "1", OPENBLAS_NUM_THREADS = "1", MKL_NUM_THREADS = "1")
suppressMessages({
  library(lme4); library(nlme); library(glmmTMB); library(jsonlite); library(numDeriv)
})
options(contrasts = c("contr.treatment", "contr.poly"), warn = 1, nwarnings = 200)
ROOT <- Sys.getenv("REFROOT", "tests/reference")
pv <- function(p) as.character(packageVersion(p))
RVERS <- paste(R.version$major, R.version$minor, sep = ".")
num <- function(x) unname(as.numeric(x))
I1 <- function(x) I(x)                       # keep length-1 vectors as JSON arrays
mat <- function(m) { m <- as.matrix(m); dimnames(m) <- NULL; m }
dep1 <- function(x) paste(trimws(deparse(x, width.cutoff = 500L)), collapse = " ")
wjson <- function(x, path) {
  dir.create(dirname(path), showWarnings = FALSE, recursive = TRUE)
  write_json(x, path, digits = NA, auto_unbox = TRUE, pretty = TRUE, null = "null", na = "null")
}

## ---------------------------------------------------------------- data -----
DATA <- file.path(ROOT, "data")
read_ref <- function(name) {                 # read the CSV back with the exported factor levels
  sch <- fromJSON(file.path(DATA, "schema.json"), simplifyVector = FALSE)[[name]]
  f <- file.path(DATA, sch$file)
  d <- read.csv(f, check.names = FALSE, stringsAsFactors = FALSE, na.strings = "NA",
                colClasses = NA, encoding = "UTF-8")
  for (cn in names(sch$columns)) {
    ty <- sch$columns[[cn]]
    if (identical(ty$type, "factor")) {
      d[[cn]] <- factor(as.character(d[[cn]]), levels = unlist(ty$levels), ordered = isTRUE(ty$ordered))
      if (isTRUE(ty$ordered)) d[[cn]] <- as.ordered(d[[cn]])
    }
  }
  d
}

## --------------------------------------------------------- tight optimiser --
## Usable as lmerControl(optimizer = "tightopt"): BOBYQA restarts + Nelder-Mead, then
## Newton steps on Richardson-extrapolated derivatives over parameters not at a bound.
.tight <- new.env(); .tight$polish <- TRUE; .tight$maxnewton <- 6L; .tight$nm <- TRUE; .tight$last <- NULL; .tight$light <- FALSE; .tight$rhobeg <- 0.02
tightopt <- function(fn, par, lower = rep(-Inf, length(par)), upper = rep(Inf, length(par)), control = list(), ...) {
  n <- length(par); lower <- rep_len(lower, n); upper <- rep_len(upper, n)
  f <- function(p) { v <- tryCatch(fn(p), error = function(e) NA_real_); if (!is.finite(v)) 1e100 else v }
  best <- list(par = par, val = f(par)); nf <- 1L
  take <- function(p, v) if (is.finite(v) && v < best$val) best <<- list(par = p, val = v)
  if (isTRUE(.tight$light)) {
    o <- minqa::bobyqa(best$par, f, lower = lower, upper = upper, control = list(rhobeg = .tight$rhobeg, rhoend = 1e-7, maxfun = 3000)); take(o$par, o$fval)
    v <- fn(best$par); .tight$last <- list(par = best$par, fval = v, free = rep(TRUE, n), gmax = NA_real_)
    return(list(par = best$par, fval = v, feval = o$feval, convergence = 0, message = "tightopt-light"))
  }
  for (rep in 1:3) {
    v0 <- best$val
    o <- tryCatch(nloptr::nloptr(best$par, f, lb = lower, ub = upper,
           opts = list(algorithm = "NLOPT_LN_BOBYQA", xtol_rel = 1e-12, xtol_abs = rep(1e-11, n), ftol_abs = 1e-12, maxeval = 20000)),
           error = function(e) NULL)
    if (!is.null(o)) take(o$solution, o$objective)
    if (n > 1) {
      o <- tryCatch(minqa::bobyqa(best$par, f, lower = lower, upper = upper,
             control = list(rhobeg = min(0.02, 0.2 * max(abs(best$par), .02)), rhoend = 1e-9, maxfun = 20000)), error = function(e) NULL)
      if (!is.null(o)) take(o$par, o$fval)
    }
    if (.tight$nm && rep == 1 && n <= 12) {
      o <- tryCatch(lme4::Nelder_Mead(f, best$par, lower = lower, upper = upper,
             control = list(maxfun = 5000, xst = pmax(0.05 * abs(best$par), 0.02), xt = rep(1e-8, n), FtolAbs = 1e-11, FtolRel = 1e-15, XtolRel = 1e-10, warnOnly = TRUE, verbose = 0L)),
             error = function(e) NULL)
      if (!is.null(o)) take(o$par, o$fval)
    }
    if (v0 - best$val < 1e-9) break
  }
  free <- !(is.finite(lower) & best$par - lower < 1e-5)
  ## snap parameters that are essentially at a bound on to it when that is not worse
  snap <- best$par; snap[!free] <- lower[!free]
  vs <- f(snap); if (vs <= best$val + 1e-9) best <- list(par = snap, val = min(vs, best$val))
  gmax <- NA_real_
  if (.tight$polish && any(free)) {
    fr <- function(z) { p <- best$par; p[free] <- z; f(p) }
    for (it in seq_len(.tight$maxnewton)) {
      z <- best$par[free]
      g <- tryCatch(grad(fr, z), error = function(e) NULL); if (is.null(g)) break
      gmax <- max(abs(g)); if (gmax < 1e-8) break
      H <- tryCatch(hessian(fr, z), error = function(e) NULL); if (is.null(H)) break
      st <- tryCatch(-solve(H, g), error = function(e) NULL)
      if (is.null(st) || any(!is.finite(st)) || max(abs(st)) > 0.05 * (1 + max(abs(z)))) break
      pn <- best$par; pn[free] <- z + st
      if (any(pn < lower) || any(pn > upper)) break
      vn <- f(pn)
      ## accept on smaller gradient even if the value only moves within rounding
      if (vn <= best$val + 1e-9 * (1 + abs(best$val)) * 1e-2 + 1e-10) { best <- list(par = pn, val = min(vn, best$val)) } else break
      if (max(abs(st)) < 1e-10) break
    }
    gmax <- tryCatch(max(abs(grad(fr, best$par[free]))), error = function(e) NA_real_)
  }
  v <- fn(best$par)
  .tight$last <- list(par = best$par, fval = v, free = free, gmax = gmax)
  list(par = best$par, fval = v, feval = NA_integer_, convergence = 0, message = "tightopt")
}
LC <- function(...) lmerControl(optimizer = "tightopt", calc.derivs = FALSE,
        check.conv.singular = .makeCC("ignore", tol = 1e-4), check.nobs.vs.nRE = "ignore", check.nobs.vs.nlev = "ignore", ...)
GC <- function(tol = 1e-12, ...) glmerControl(optimizer = "tightopt", calc.derivs = FALSE, tolPwrss = tol,
        check.conv.singular = .makeCC("ignore", tol = 1e-4), check.nobs.vs.nRE = "ignore", check.nobs.vs.nlev = "ignore", ...)
TC <- function() glmmTMBControl(optCtrl = list(iter.max = 5000, eval.max = 10000, rel.tol = 1e-14, x.tol = 1e-14), parallel = 1)

## ------------------------------------------------------------ extraction ---
N_LEVELS <- 40L; N_ROWS <- 10L
re_list <- function(m, condsd = TRUE) {
  rr <- tryCatch(as.data.frame(ranef(m, condVar = condsd)), error = function(e) as.data.frame(ranef(m, condVar = FALSE)))
  if ("component" %in% names(rr)) rr$grpvar <- ifelse(rr$component == "cond", as.character(rr$grpvar), paste0(rr$component, ":", rr$grpvar))
  out <- list()
  for (g in unique(as.character(rr$grpvar))) {
    r <- rr[rr$grpvar == g, ]; lev <- unique(as.character(r$grp)); nl <- length(lev)
    keep <- head(lev, N_LEVELS); o <- list(n_levels = nl, levels = I1(keep))
    for (tm in unique(as.character(r$term))) {
      q <- r[r$term == tm, ]; q <- q[match(keep, q$grp), ]
      o$terms[[tm]] <- list(mode = I1(num(q$condval)), cond_sd = if (!is.null(q$condsd)) I1(num(q$condsd)) else NULL)
    }
    out[[g]] <- o
  }
  out
}
vc_one <- function(v) {
  sdv <- attr(v, "stddev"); co <- attr(v, "correlation"); k <- length(sdv)
  if (is.null(co)) co <- diag(k)
  kk <- min(k, 12L)
  list(terms = I1(names(sdv)), sd = I1(num(sdv)), var = I1(num(sdv)^2),
       cor = if (k > 1) mat(co[seq_len(kk), seq_len(kk)]) else NULL, n_terms = k,
       cor_truncated_to = if (kk < k) kk else NULL)
}
vc_list <- function(vc) { nm <- names(vc); o <- lapply(seq_along(vc), function(i) c(list(group = nm[i]), vc_one(vc[[i]]))); o }
info_crit <- function(m) {
  ll <- logLik(m)
  list(logLik = num(ll), minus2logLik = -2 * num(ll), df = attr(ll, "df"), nobs_for_BIC = attr(ll, "nobs"),
       AIC = num(AIC(m)), BIC = num(BIC(m)))
}
pred_block <- function(m, glm = FALSE, n = N_ROWS) {
  h <- function(x) I1(num(head(x, n)))
  b <- list(rows = "first rows of the model frame (after subset and NA removal)")
  if (!glm) { b$with_re <- h(predict(m)); b$without_re <- h(predict(m, re.form = NA)) }
  else {
    b$link_with_re <- h(predict(m, type = "link")); b$link_without_re <- h(predict(m, type = "link", re.form = NA))
    b$response_with_re <- h(predict(m, type = "response")); b$response_without_re <- h(predict(m, type = "response", re.form = NA))
  }
  b
}
fx_block <- function(est, V) list(names = I1(names(est)), estimate = I1(num(est)), se = I1(sqrt(num(diag(as.matrix(V))))),
                                  vcov = if (length(est) <= 12) mat(V) else NULL)

ex_lmer <- function(m, engine = "lme4::lmer", tl = NULL) {
  reml <- isREML(m)
  o <- list(engine = engine, version = pv(sub("::.*", "", engine)), r_version = RVERS, call = dep1(m@call),
            estimator = if (reml) "REML" else "ML", n = nobs(m), n_groups = as.list(ngrps(m)),
            fixed = fx_block(fixef(m), vcov(m)), random = vc_list(VarCorr(m)), sigma = sigma(m), theta = I1(num(getME(m, "theta"))))
  o <- c(o, info_crit(m))
  if (reml) { o$reml_criterion <- num(REMLcrit(m)); o$ml_deviance_at_reml_estimates <- num(deviance(m, REML = FALSE)) }
  else o$deviance <- num(deviance(m, REML = FALSE))
  o$df_residual <- df.residual(m)
  o$singular <- isSingular(m, tol = 1e-4); o$converged <- TRUE
  o$max_abs_gradient <- if (!is.null(tl)) tl$gmax else NULL
  o$ranef <- re_list(m); o$predictions <- pred_block(m)
  o
}
sat_const <- function(m) {          # -2 * log-likelihood of the saturated model (binomial / poisson)
  r <- m@resp; fam <- family(m)$family; y <- r$y; w <- weights(m, type = "prior")
  if (fam == "binomial") { k <- round(y * w); -2 * sum(dbinom(k, round(w), y, log = TRUE)) }
  else if (fam == "poisson") -2 * sum(w * dpois(y, y, log = TRUE)) else NA_real_
}
ex_glmer <- function(m, devfun = NULL, tl = NULL, nAGQ = 1, engine = "lme4::glmer") {
  fam <- family(m)
  o <- list(engine = engine, version = pv(sub("::.*", "", engine)), r_version = RVERS, call = dep1(m@call),
            estimator = if (nAGQ == 0) "Laplace with fixed effects in the penalised IRLS (nAGQ=0)" else if (nAGQ == 1) "ML, Laplace approximation" else sprintf("ML, adaptive Gauss-Hermite quadrature, %d points", nAGQ),
            nAGQ = nAGQ, family = fam$family, link = fam$link, n = nobs(m), n_groups = as.list(ngrps(m)))
  Vrx <- tryCatch(vcov(m, use.hessian = FALSE), error = function(e) NULL)
  fx <- fixef(m); nth <- length(getME(m, "theta"))
  se_h <- NULL; Vh <- NULL; hmsg <- NULL
  if (!is.null(devfun) && nAGQ > 0) {
    p <- c(num(getME(m, "theta")), num(fx)); fr <- rep(TRUE, length(p))
    if (!is.null(tl) && length(tl$free) == length(p)) { fr <- tl$free; p <- tl$par }
    H <- tryCatch(hessian(function(z) { q <- p; q[fr] <- z; devfun(q) }, p[fr]), error = function(e) NULL)
    devfun(p)
    V <- tryCatch(2 * solve(H), error = function(e) NULL)
    if (!is.null(V) && all(is.finite(diag(V))) && all(diag(V) > 0)) {
      ib <- (sum(fr[seq_len(nth)]) + 1):nrow(V); Vh <- V[ib, ib, drop = FALSE]
    } else hmsg <- "Hessian not positive definite"
  }
  V <- if (!is.null(Vh)) Vh else Vrx
  o$fixed <- fx_block(fx, V)
  o$fixed$se_source <- if (!is.null(Vh)) "inverse of numerical Hessian of the deviance in (theta,beta) (numDeriv)" else "RX factor (conditional on theta)"
  o$fixed$se_rx <- if (!is.null(Vrx)) I1(sqrt(num(diag(as.matrix(Vrx))))) else NULL
  o$random <- vc_list(VarCorr(m)); o$theta <- I1(num(getME(m, "theta")))
  if (useSc <- isTRUE(attr(VarCorr(m), "useSc"))) o$sigma <- sigma(m)
  o <- c(o, info_crit(m)); o$deviance_conditional <- num(deviance(m))
  if (nAGQ > 1) {
    sc <- sat_const(m)
    o$loglik_note <- "lme4 leaves the saturated-model constant out of logLik/AIC/BIC when nAGQ>1; logLik_normalised adds it back and is comparable with Laplace and glmmTMB"
    o$minus2loglik_saturated_constant <- sc
    o$logLik_normalised <- num(logLik(m)) - sc / 2
    o$AIC_normalised <- num(AIC(m)) + sc
  }
  o$singular <- isSingular(m, tol = 1e-4); o$converged <- TRUE; o$hessian_message <- hmsg
  o$max_abs_gradient <- if (!is.null(tl)) tl$gmax else NULL
  o$ranef <- re_list(m); o$predictions <- pred_block(m, TRUE)
  o
}
ex_tmb <- function(m, glm = NULL, ranef = TRUE) {
  fam <- m$modelInfo$family; if (is.null(glm)) glm <- fam$family != "gaussian"
  V <- vcov(m); g <- m$obj$gr(m$fit$par)
  o <- list(engine = "glmmTMB::glmmTMB", version = pv("glmmTMB"), r_version = RVERS, call = dep1(m$call),
            estimator = if (isTRUE(m$modelInfo$REML)) "REML" else if (glm) "ML, Laplace approximation" else "ML",
            family = fam$family, link = fam$link, n = nobs(m), n_groups = lapply(ngr_tmb(m), identity),
            fixed = fx_block(fixef(m)$cond, V$cond))
  if (length(fixef(m)$zi)) o$zi_fixed <- fx_block(fixef(m)$zi, V$zi)
  if (length(fixef(m)$disp) && !is.null(V$disp)) o$disp_fixed <- fx_block(fixef(m)$disp, V$disp)
  else if (length(fixef(m)$disp)) o$disp_fixed <- list(names = I1(names(fixef(m)$disp)), estimate = I1(num(fixef(m)$disp)))
  vc <- VarCorr(m)
  if (length(vc$cond)) o$random <- vc_list(vc$cond)
  if (length(vc$zi)) o$zi_random <- vc_list(vc$zi)
  o$sigma <- tryCatch(num(sigma(m)), error = function(e) NULL)
  th <- m$fit$parfull; o$theta_internal <- I1(num(th[grepl("^theta", names(th))]))
  o$theta_internal_note <- "glmmTMB's own unconstrained parameters (log SDs, then scaled-Cholesky / correlation parameters)"
  tf <- th[names(th) == "thetaf"]; if (length(tf)) o$family_shape_parameters <- I1(num(tf))
  o <- c(o, info_crit(m)); o$df_residual <- df.residual(m)
  o$converged <- m$fit$convergence == 0; o$optimizer_message <- m$fit$message; o$pdHess <- isTRUE(m$sdr$pdHess)
  o$max_abs_gradient <- max(abs(g))
  if (ranef && length(vc$cond)) {
    o$ranef <- tryCatch(re_list(m), error = function(e) NULL)
    o$ranef_note <- "glmmTMB conditional SDs come from TMB::sdreport and include the uncertainty of the fixed parameters, so they exceed lme4's"
  }
  o$predictions <- tryCatch({
    h <- function(x) I1(num(head(x, N_ROWS)))
    b <- list(rows = "first rows of the model frame (after subset and NA removal)",
      link_with_re = h(predict(m, type = "link")), link_without_re = h(predict(m, type = "link", re.form = NA)),
      response_with_re = h(predict(m, type = "response")), response_without_re = h(predict(m, type = "response", re.form = NA)))
    if (length(fixef(m)$zi)) { b$conditional_with_re <- h(predict(m, type = "conditional")); b$zprob <- h(predict(m, type = "zprob")) }
    b }, error = function(e) list(error = conditionMessage(e)))
  o
}
ngr_tmb <- function(m) { fl <- m$modelInfo$reTrms$cond$flist; lapply(fl, nlevels) }
## polish a glmmTMB fit with Newton steps on the AD gradient, then restart there
tmb_tight <- function(m) {
  g <- max(abs(m$obj$gr(m$fit$par))); if (!is.finite(g) || g < 1e-6) return(m)
  p <- m$fit$par; fn <- m$obj$fn; gr <- m$obj$gr
  for (i in 1:4) {
    H <- tryCatch(jacobian(gr, p), error = function(e) NULL); if (is.null(H) || any(!is.finite(H))) break
    st <- tryCatch(-solve((H + t(H)) / 2, as.numeric(gr(p))), error = function(e) NULL)
    if (is.null(st) || max(abs(st)) > 0.5) break
    if (fn(p + st) <= fn(p) + 1e-9) p <- p + st else break
    if (max(abs(gr(p))) < 1e-8) break
  }
  gp <- max(abs(gr(p))); if (!is.finite(gp) || gp >= g) { fn(m$fit$par); return(m) }
  sp <- split(unname(p), factor(names(p), levels = unique(names(p))))
  m2 <- tryCatch(suppressWarnings(update(m, start = sp)), error = function(e) NULL)
  if (!is.null(m2)) m2$call$start <- NULL
  if (is.null(m2) || m2$fit$objective > m$fit$objective + 1e-9 || max(abs(m2$obj$gr(m2$fit$par))) > g) { fn(m$fit$par); return(m) }
  m2
}
ex_lme <- function(m, note = NULL) {
  s <- summary(m)
  o <- list(engine = paste0("nlme::", class(m)[1]), version = pv("nlme"), r_version = RVERS, call = dep1(m$call),
            estimator = m$method, n = m$dims$N, fixed = fx_block(fixef(m), vcov(m)))
  tt <- s$tTable; o$fixed$df <- I1(num(tt[, "DF"])); o$fixed$t <- I1(num(tt[, "t-value"])); o$fixed$p <- I1(num(tt[, "p-value"]))
  if (m$method == "ML") { o$fixed$se_printed_by_summary <- I1(num(tt[, "Std.Error"])); o$fixed$se_note <- "summary.lme multiplies the ML standard errors (and so divides t) by sqrt(N/(N-p)) (adjustSigma=TRUE); se is the unadjusted vcov, comparable with lme4; t and p are the printed (adjusted) ones" }
  rs <- m$modelStruct$reStruct
  o$random <- lapply(rev(names(rs)), function(g) {
    V <- as.matrix(rs[[g]]) * m$sigma^2; s <- sqrt(diag(V)); k <- length(s); co <- suppressWarnings(cov2cor(V))
    list(group = g, terms = I1(colnames(V)), sd = I1(num(s)), var = I1(num(s)^2), cor = if (k > 1) mat(co) else NULL) })
  o$sigma <- m$sigma
  if (!is.null(m$modelStruct$corStruct)) o$corStruct <- list(class = class(m$modelStruct$corStruct)[1], coef = I1(num(coef(m$modelStruct$corStruct, unconstrained = FALSE))))
  if (!is.null(m$modelStruct$varStruct)) o$varStruct <- list(class = class(m$modelStruct$varStruct)[1], coef = as.list(coef(m$modelStruct$varStruct, unconstrained = FALSE)))
  ll <- logLik(m); o$logLik <- num(ll); o$minus2logLik <- -2 * num(ll); o$df <- attr(ll, "df"); o$AIC <- AIC(m); o$BIC <- BIC(m); o$nobs_for_BIC <- attr(ll, "nobs")
  if (m$method == "REML") o$reml_criterion <- -2 * num(ll)
  L <- length(rs)
  o$predictions <- list(with_re = I1(num(head(fitted(m, level = L), N_ROWS))), without_re = I1(num(head(fitted(m, level = 0), N_ROWS))))
  if (inherits(m, "nlme")) o$estimator <- paste0(m$method, ", Lindstrom-Bates linearisation (nlme)")
  o$note <- note; o
}
ex_clmm <- function(m) {
  al <- m$alpha; be <- m$beta; V <- vcov(m); na <- length(al); nb <- length(be)
  sdv <- sqrt(diag(V))
  list(engine = "ordinal::clmm", version = pv("ordinal"), r_version = RVERS, call = dep1(m$call),
       estimator = if (m$nAGQ == 1) "ML, Laplace approximation" else if (m$nAGQ > 1) sprintf("ML, adaptive Gauss-Hermite quadrature, %d points", m$nAGQ) else sprintf("ML, non-adaptive Gauss-Hermite quadrature, %d points", -m$nAGQ), nAGQ = m$nAGQ, link = m$link, threshold = m$threshold, n = num(m$dims$n),
       thresholds = list(names = I1(names(al)), estimate = I1(num(al)), se = I1(num(sdv[seq_len(na)]))),
       fixed = list(names = I1(names(be)), estimate = I1(num(be)), se = I1(num(sdv[na + seq_len(nb)]))),
       parameterisation = "logit P(Y<=j) = theta_j - x'beta - z'u",
       random = lapply(names(m$ST), function(g) { v <- VarCorr(m)[[g]]; c(list(group = g), vc_one(v)) }),
       logLik = num(logLik(m)), minus2logLik = -2 * num(logLik(m)), df = attr(logLik(m), "df"), AIC = AIC(m), BIC = BIC(m),
       max_abs_gradient = max(abs(m$gradient)), condition_number_hessian = tryCatch(num(m$info$cond.H), error = function(e) NULL),
       converged = isTRUE(m$optRes$convergence == 0) || m$optRes$convergence %in% c(0, 1, 2),
       ranef = { rr <- ranef(m, condVar = TRUE); lapply(setNames(names(rr), names(rr)), function(g) { r <- rr[[g]]; k <- head(seq_len(nrow(r)), N_LEVELS)
         cv <- attr(r, "condVar"); list(n_levels = nrow(r), levels = I1(rownames(r)[k]),
            terms = lapply(setNames(seq_along(r), names(r)), function(j) list(mode = I1(num(r[k, j])), cond_sd = tryCatch(I1(sqrt(num(as.matrix(cv)[k, j]))), error = function(e) NULL)))) }) },
       predictions = list(fitted_probability_of_observed_category = I1(num(head(fitted(m), N_ROWS)))))
}

## ----------------------------------------- independent AGQ (scalar random intercept)
agq_ref <- function(y, X, g, family = c("binomial", "poisson"), size = rep(1, length(y)), offset = rep(0, length(y)), k = 25, start, link = "canonical") {
  family <- match.arg(family); g <- as.integer(factor(g)); G <- max(g); gh <- GHrule(k); z <- gh[, 1]; w <- gh[, 2]
  if (link == "canonical") link <- if (family == "binomial") "logit" else "log"
  ll1 <- if (family == "binomial" && link == "probit") function(eta) lchoose(size, y) + y * pnorm(eta, log.p = TRUE) + (size - y) * pnorm(eta, lower.tail = FALSE, log.p = TRUE)
    else if (family == "binomial" && link == "cloglog") function(eta) lchoose(size, y) + ifelse(y > 0, y * log(-expm1(-exp(eta))), 0) - (size - y) * exp(eta)
    else if (family == "binomial") function(eta) dbinom(y, size, plogis(eta), log = TRUE) else function(eta) dpois(y, exp(eta), log = TRUE)
  sc <- if (family == "binomial") function(eta) y - size * plogis(eta) else function(eta) y - exp(eta)
  wt <- if (family == "binomial") function(eta) { p <- plogis(eta); size * p * (1 - p) } else function(eta) exp(eta)
  if (link %in% c("probit", "cloglog")) { hh <- 1e-3
    sc <- function(e) (8 * (ll1(e + hh) - ll1(e - hh)) - (ll1(e + 2 * hh) - ll1(e - 2 * hh))) / (12 * hh)
    wt <- function(e) -(-ll1(e + 2 * hh) + 16 * ll1(e + hh) - 30 * ll1(e) + 16 * ll1(e - hh) - ll1(e - 2 * hh)) / (12 * hh^2) }
  rs <- function(v) as.numeric(rowsum(v, g, reorder = TRUE))
  nll <- function(par) {
    s <- par[1]; e0 <- as.numeric(X %*% par[-1]) + offset; u <- rep(0, G)
    ob <- function(u) rs(ll1(e0 + s * u[g])) - u^2 / 2; cur <- ob(u); tolu <- if (link %in% c("logit", "log")) 1e-13 else 1e-10
    for (it in 1:300) { eta <- e0 + s * u[g]; gr <- s * rs(sc(eta)) - u; h <- s^2 * rs(wt(eta)) + 1; st <- gr / h
      for (hv in 1:60) { nw <- ob(u + st); bad <- !is.finite(nw) | nw < cur - 1e-12 * (1 + abs(cur)); if (!any(bad)) break; st[bad] <- st[bad] / 2 }
      u <- u + st; cur <- ob(u); if (max(abs(st)) < tolu) break }
    h <- s^2 * rs(wt(e0 + s * u[g])) + 1; tau <- 1 / sqrt(h)
    A <- sapply(seq_along(z), function(q) { uq <- u + tau * z[q]; rs(ll1(e0 + s * uq[g])) - uq^2 / 2 + z[q]^2 / 2 + log(w[q]) })
    A <- matrix(A, nrow = G); mx <- apply(A, 1, max)
    -sum(mx + log(rowSums(exp(A - mx))) + log(tau))
  }
  o <- suppressWarnings(nlminb(start, nll, control = list(rel.tol = 1e-14, x.tol = 1e-13, iter.max = 500, eval.max = 1000)))
  p <- o$par
  for (i in 1:3) { gg <- grad(nll, p); H <- hessian(nll, p); st <- tryCatch(-solve(H, gg), error = function(e) 0 * p); if (max(abs(st)) > .1) break; p <- p + st; if (max(abs(st)) < 1e-11) break }
  H <- hessian(nll, p); V <- solve(H)
  list(engine = "independent R implementation of adaptive Gauss-Hermite quadrature (src/lib.R: agq_ref)", k = k, link = link, curvature = "observed information (exact Hessian in u)",
       sd = abs(p[1]), beta = I1(p[-1]), names = I1(colnames(X)), se_beta = I1(sqrt(diag(V))[-1]), se_sd = sqrt(V[1, 1]), logLik = -nll(p), logLik_includes_constants = TRUE, max_abs_gradient = max(abs(grad(nll, p))))
}

## --------------------------------------------------------- inference extras
tab <- function(d) { d <- as.data.frame(d); c(list(rows = I1(rownames(d))), lapply(d, function(x) if (is.numeric(x)) I1(num(x)) else I1(as.character(x)))) }
ddf_block <- function(m) {                    # m: REML lmer fit
  mt <- lmerTest::as_lmerModLmerTest(m)
  o <- list(engine = "lmerTest / pbkrtest", version = list(lmerTest = pv("lmerTest"), pbkrtest = pv("pbkrtest")))
  for (dd in c("Satterthwaite", "Kenward-Roger")) {
    s <- tryCatch(coef(summary(mt, ddf = dd)), error = function(e) NULL)
    if (!is.null(s)) o[[dd]]$coefficients <- tab(s)
    for (ty in c("I", "II", "III")) { a <- tryCatch(anova(mt, type = ty, ddf = dd), error = function(e) NULL)
      if (!is.null(a) && nrow(a)) o[[dd]][[paste0("anova_type_", ty)]] <- tab(a) }
  }
  va <- tryCatch(pbkrtest::vcovAdj(m), error = function(e) NULL)
  if (!is.null(va)) o$kenward_roger_adjusted_vcov <- mat(va)
  o
}
kr_block <- function(big, small) { k <- pbkrtest::KRmodcomp(big, small); s <- k$test
  list(engine = "pbkrtest::KRmodcomp", version = pv("pbkrtest"), small = dep1(formula(small)), table = tab(s), F_scaling = tryCatch(num(k$stats$F.scaling), error = function(e) NULL)) }
profile_block <- function(m, which = NULL, fine = TRUE, signames = FALSE) {
  a <- list(fitted = m, signames = signames, optimizer = "bobyqa", control = list(rhoend = 1e-8)); if (!is.null(which)) a$which <- which
  p1 <- suppressWarnings(do.call(profile, a)); c1 <- suppressWarnings(confint(p1)); c90 <- suppressWarnings(confint(p1, level = 0.9))
  o <- list(engine = "lme4::confint(profile())", version = pv("lme4"), names = I1(rownames(c1)), lower_95 = I1(num(c1[, 1])), upper_95 = I1(num(c1[, 2])), lower_90 = I1(num(c90[, 1])), upper_90 = I1(num(c90[, 2])))
  if (fine) {
    a$delta <- sqrt(qchisq(0.99, 1)) / 16; a$maxpts <- 400; a$alphamax <- 0.02
    p2 <- tryCatch(suppressWarnings(do.call(profile, a)), error = function(e) NULL)
    if (!is.null(p2)) { c2 <- suppressWarnings(confint(p2)); o$fine_grid <- list(delta = a$delta, lower_95 = I1(num(c2[, 1])), upper_95 = I1(num(c2[, 2])))
      o$max_abs_change_fine_vs_default <- max(abs(c2 - c1), na.rm = TRUE) }
  }
  o$note <- "sd_/cor_ rows are standard deviations and correlations; spline interpolation limits accuracy to about max_abs_change_fine_vs_default"
  o
}
lrt_block <- function(m0, m1) { a <- suppressMessages(anova(m0, m1)); c(list(null = dep1(formula(m0)), alternative = dep1(formula(m1))), table = list(tab(a))) }
drop1_block <- function(m) tab(suppressMessages(drop1(m, test = "Chisq")))
perf_block <- function(m) {
  suppressMessages(library(performance))
  i <- tryCatch(suppressWarnings(performance::icc(m)), error = function(e) NULL); r <- tryCatch(suppressWarnings(performance::r2_nakagawa(m)), error = function(e) NULL)
  list(engine = "performance", version = pv("performance"),
       icc = if (is.data.frame(i) || is.list(i)) lapply(as.list(i), num) else NULL,
       r2_nakagawa = if (is.list(r)) list(marginal = num(r$R2_marginal), conditional = num(r$R2_conditional)) else NULL)
}
emm_block <- function(m, specs, ddf = "kenward-roger") {
  suppressMessages(library(emmeans)); emm_options(lmer.df = ddf, pbkrtest.limit = 5000, lmerTest.limit = 5000)
  e <- emmeans(m, specs = specs)
  list(engine = "emmeans", version = pv("emmeans"), specs = dep1(specs), ddf = ddf, emmeans = tab(as.data.frame(e)),
       pairs_tukey = tab(as.data.frame(pairs(e))), pairs_unadjusted = tab(as.data.frame(pairs(e, adjust = "none"))))
}

## ------------------------------------------------------------------ cases --
TODO <- Sys.getenv("REFONLY", ""); FORCE <- nzchar(Sys.getenv("REFFORCE"))
case <- function(id, set, dataset, formula, description, capabilities, body, subset = NULL, prep = NULL, family = "gaussian", link = "identity") {
  path <- file.path(ROOT, "results", paste0(id, ".json"))
  if (nzchar(TODO) && !grepl(TODO, id)) return(invisible())
  if (file.exists(path) && !FORCE) return(invisible())
  t0 <- proc.time()[[3]]; cat(format(Sys.time(), "%H:%M:%S"), id, "... ")
  warns <- character()
  res <- withCallingHandlers(tryCatch(body(), error = function(e) { cat("FAILED:", conditionMessage(e), "\n"); list(.error = conditionMessage(e)) }),
    warning = function(w) { warns <<- c(warns, conditionMessage(w)); invokeRestart("muffleWarning") })
  el <- proc.time()[[3]] - t0
  if (!is.null(res$.error)) { cat(sprintf("%s\t%s\t%s\n", id, set, res$.error), file = file.path(ROOT, "src", "failures.log"), append = TRUE); return(invisible()) }
  out <- c(list(id = id, dataset = dataset, data_file = I1(paste0("data/", sapply(dataset, function(x) SCHEMA[[x]]$file))), subset = subset, preprocessing = if (is.null(prep)) NULL else I1(prep), formula = formula, description = description,
                family = family, link = link, capabilities = I1(capabilities)), res)
  if (length(warns)) out$warnings_seen <- I1(unique(warns))
  out$generator_seconds <- round(el, 1)
  wjson(out, path); cat(sprintf("ok %.1fs%s\n", el, if (length(warns)) paste0(" [", length(unique(warns)), " warnings]") else ""))
}
SCHEMA <- if (file.exists(file.path(DATA, "schema.json"))) fromJSON(file.path(DATA, "schema.json"), simplifyVector = FALSE) else list()

## generic LMM case
lmm <- function(id, set, dataset, formula, description, capabilities, data = NULL, weights = NULL, offset = NULL, contrasts = NULL,
                methods = c("REML", "ML"), tmb = c("REML", "ML"), nl = NULL, extras = NULL, subset = NULL, prep = NULL, polish = TRUE, light = FALSE) {
  case(id, set, dataset, formula, description, capabilities, subset = subset, prep = prep, body = function() {
    .D <<- if (is.null(data)) read_ref(dataset[1]) else data()
    f <- as.formula(formula, env = globalenv()); fits <- list(); M <- list(); DROPPED <- NULL
    .tight$polish <- polish; .tight$light <- light; .tight$rhobeg <- 0.1; on.exit({ .tight$light <- FALSE; .tight$rhobeg <- 0.02; .tight$polish <- TRUE })
    for (me in methods) {
      cl <- as.call(c(list(as.name("lmer"), f, data = as.name(".D"), REML = me == "REML", control = quote(LC())),
                      if (!is.null(weights)) list(weights = as.name(weights)), if (!is.null(offset)) list(offset = as.name(offset)), if (!is.null(contrasts)) list(contrasts = contrasts)))
      m <- eval(cl, globalenv()); tl <- .tight$last; M[[me]] <- m; fits[[length(fits) + 1]] <- ex_lmer(m, tl = tl)
    }
    for (me in tmb) {
      cl <- as.call(c(list(as.name("glmmTMB"), f, data = as.name(".D"), REML = me == "REML", control = quote(TC())),
                      if (!is.null(weights)) list(weights = as.name(weights)), if (!is.null(offset)) list(offset = as.name(offset)), if (!is.null(contrasts)) list(contrasts = contrasts)))
      if (!is.null(weights)) next       # glmmTMB treats weights differently for gaussian (likelihood weights)
      m <- tryCatch(suppressWarnings(eval(cl, globalenv())), error = function(e) { cat("tmb:", conditionMessage(e), " "); NULL })
      if (!is.null(m)) { m <- tmb_tight(m)
        ll <- as.numeric(logLik(m)); if (!is.finite(ll)) ll <- NA
        if (!is.null(M[[me]]) && (!is.finite(ll) || ll < as.numeric(logLik(M[[me]])) - 1e-5)) {     # retry from the lme4 optimum
          cl$start <- tmb_start(M[[me]]); m2 <- tryCatch(suppressWarnings(eval(cl, globalenv())), error = function(e) NULL)
          if (!is.null(m2)) { m2 <- tmb_tight(m2); if (is.finite(as.numeric(logLik(m2)))) m <- m2 }
        }
        if (is.finite(as.numeric(logLik(m)))) fits[[length(fits) + 1]] <- ex_tmb(m, glm = FALSE)
        else { cat("(glmmTMB", me, "dropped: no finite logLik / Hessian not PD) "); DROPPED <- c(DROPPED, sprintf("glmmTMB %s: Hessian not positive definite (singular fit); -objective = %.8f", me, -m$fit$objective)) } }
    }
    if (!is.null(nl)) for (me in intersect(c("REML", "ML"), methods)) {
      m <- tryCatch(do.call(nlme::lme, c(nl, list(data = quote(.D), method = me, control = lmeControl(opt = "nlminb", maxIter = 500, msMaxIter = 1000, msMaxEval = 5000, tolerance = 1e-10, msTol = 1e-14, niterEM = 100, returnObject = TRUE)))), error = function(e) { cat("lme:", conditionMessage(e), " "); NULL })
      if (!is.null(m)) fits[[length(fits) + 1]] <- ex_lme(m)
    }
    M_ <<- M
    ex <- if (!is.null(extras)) extras(M) else NULL
    list(fits = fits, dropped_fits = if (length(DROPPED)) I1(DROPPED) else NULL, extras = ex)
  })
}
tmb_start <- function(m) {
  th <- unlist(lapply(VarCorr(m), function(v) { s <- pmax(attr(v, "stddev"), 1e-3 * sigma(m)); C <- attr(v, "correlation"); k <- length(s)
    if (k == 1) return(log(s)); C <- 0.999 * C + 0.001 * diag(k); L <- t(chol(C)); L <- L / diag(L); c(log(s), t(L)[upper.tri(L)]) }))
  list(beta = unname(fixef(m)), betad = 2 * log(sigma(m)), theta = unname(th))
}
## generic GLMM case (glmer Laplace/AGQ + glmmTMB + independent AGQ)
glmm <- function(id, set, dataset, formula, description, capabilities, family, link = NULL, data = NULL, nAGQ = 1, tmb = TRUE, tmb_family = NULL, agq = NULL,
                 weights = NULL, offset = NULL, contrasts = NULL, extras = NULL, subset = NULL, prep = NULL, polish = TRUE, tol = 1e-12, hess = TRUE, newton = 6L, light = FALSE) {
  fam <- switch(family, binomial = binomial(if (is.null(link)) "logit" else link), poisson = poisson(if (is.null(link)) "log" else link), Gamma = Gamma(if (is.null(link)) "log" else link))
  case(id, set, dataset, formula, description, capabilities, subset = subset, prep = prep, family = family, link = fam$link, body = function() {
    .D <<- if (is.null(data)) read_ref(dataset[1]) else data(); .FAM <<- fam; .TOL <<- tol
    f <- as.formula(formula, env = globalenv()); fits <- list(); M <- list(); .tight$polish <- polish; .tight$maxnewton <- newton; .tight$nm <- FALSE; .tight$light <- FALSE; tm <- NULL
    on.exit({ .tight$light <- FALSE; .tight$polish <- TRUE; .tight$nm <- TRUE })
    ag <- function(fn) as.call(c(list(as.name(fn), f, data = as.name(".D"), family = quote(.FAM)),
             if (!is.null(weights)) list(weights = as.name(weights)), if (!is.null(offset)) list(offset = as.name(offset)), if (!is.null(contrasts)) list(contrasts = contrasts)))
    if (tmb) {
      cl <- ag("glmmTMB"); cl$control <- quote(TC()); if (!is.null(tmb_family)) cl$family <- tmb_family
      tm <- tryCatch(suppressWarnings(eval(cl, globalenv())), error = function(e) { cat("tmb:", conditionMessage(e), " "); NULL })
      if (!is.null(tm)) tm <- tmb_tight(tm)
    }
    for (k in nAGQ) {
      cl <- ag("glmer"); cl$nAGQ <- k
      if (light) { .tight$light <- TRUE
        if (!is.null(tm) && k > 0) { vc <- VarCorr(tm)$cond
          cn <- names(glFormula(f, .D, family = fam, control = GC())$reTrms$cnms); if (anyDuplicated(cn) || !setequal(cn, names(vc))) cn <- seq_along(vc)
          th <- unlist(lapply(cn, function(i) { S <- vc[[i]]; S <- matrix(as.numeric(S), nrow(S)); L <- tryCatch(t(chol(S)), error = function(e) diag(sqrt(diag(S)), nrow(S))); L[lower.tri(L, TRUE)] }))
          cl$start <- list(theta = th, fixef = num(fixef(tm)$cond)) } }
       cl$control <- if (light && k > 0) quote(GC(tol = .TOL, nAGQ0initStep = FALSE)) else quote(GC(tol = .TOL)); .tight$light <- light && k > 0
      m <- eval(cl, globalenv()); tl <- .tight$last; M[[paste0("nAGQ", k)]] <- m
      dv <- NULL
      if (k > 0 && hess) { c2 <- cl; c2$devFunOnly <- TRUE; dv <- tryCatch(eval(c2, globalenv()), error = function(e) NULL) }
      fits[[length(fits) + 1]] <- ex_glmer(m, dv, tl, k)
    }
    DROPPED <- NULL
    if (!is.null(tm) && !is.finite(as.numeric(logLik(tm)))) { DROPPED <- sprintf("glmmTMB: Hessian not positive definite (singular fit); -objective = %.8f", -tm$fit$objective); tm <- NULL }
    if (!is.null(tm)) { M$tmb <- tm; fits[[length(fits) + 1]] <- ex_tmb(tm, glm = TRUE) }
    out <- list(fits = fits, dropped_fits = if (length(DROPPED)) I1(DROPPED) else NULL)
    if (!is.null(agq)) out$independent_agq <- lapply(agq, function(k) {
      m <- M[[length(M[names(M) != "tmb"])]]; X <- getME(m, "X"); y <- m@resp$y; w <- weights(m, type = "prior")
      agq_ref(if (family == "binomial") round(y * w) else y, X, getME(m, "flist")[[1]], family, size = if (family == "binomial") w else NULL, offset = getME(m, "offset"), k = k, link = fam$link, start = c(num(getME(m, "theta")), num(fixef(m)))) })
    M_ <<- M
    out$extras <- if (!is.null(extras)) extras(M) else NULL
    out
  })
}
## generic glmmTMB-only case; `alt` = list of alternative calls giving further fits
tmbcase <- function(id, set, dataset, calls, formula, description, capabilities, family, link, data = NULL, extras = NULL, subset = NULL, prep = NULL, ranef = TRUE) {
  case(id, set, dataset, formula, description, capabilities, subset = subset, prep = prep, family = family, link = link, body = function() {
    .D <<- if (is.null(data)) read_ref(dataset[1]) else data()
    fits <- list(); M <- list(); DROPPED <- NULL
    for (nm in names(calls)) {
      m <- tryCatch(suppressWarnings(eval(calls[[nm]], globalenv())), error = function(e) { cat("tmb", nm, ":", conditionMessage(e), " "); NULL })
      if (is.null(m)) next
      m <- tmb_tight(m); if (!is.finite(as.numeric(logLik(m)))) { cat("(", nm, "dropped) "); DROPPED <- c(DROPPED, sprintf("glmmTMB %s: Hessian not positive definite; -objective = %.8f", nm, -m$fit$objective)); next }
      M[[nm]] <- m; fits[[length(fits) + 1]] <- c(list(label = nm), ex_tmb(m, ranef = ranef))
    }
    if (!length(fits)) stop("no fit worked")
    M_ <<- M
    list(fits = fits, dropped_fits = if (length(DROPPED)) I1(DROPPED) else NULL, extras = if (!is.null(extras)) extras(M) else NULL)
  })
}
