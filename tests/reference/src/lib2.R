# Nonlinear, ordinal, blme and glmer.nb fits
suppressMessages({ library(ordinal); library(blme); library(MASS) })
ex_nlmer <- function(m, popfun) {
  o <- list(engine = "lme4::nlmer", version = pv("lme4"), r_version = RVERS, call = dep1(m@call),
    estimator = "ML, Laplace approximation (Gauss-Newton curvature)", n = nobs(m), n_groups = as.list(ngrps(m)),
    fixed = fx_block(fixef(m), vcov(m, use.hessian = FALSE)), random = vc_list(VarCorr(m)), sigma = sigma(m), theta = I1(num(getME(m, "theta"))))
  o$fixed$se_source <- "RX factor (conditional on theta)"
  o <- c(o, info_crit(m)); o$singular <- isSingular(m); o$max_abs_gradient <- .tight$last$gmax
  o$ranef <- re_list(m); o$predictions <- list(with_re = I1(num(head(fitted(m), N_ROWS))), without_re = I1(num(head(popfun(fixef(m)), N_ROWS))))
  o
}
## Laplace NLMM with exact second derivatives; one grouping factor; b = Lambda u, diag or full Lambda
nl_ref <- function(expr, params, d, y, g, re, full = FALSE, beta, sds, sigma, curvature = c("full", "gauss-newton"), cors = 0) {
  curvature <- match.arg(curvature); ff <- deriv3(expr, params, function.arg = c(params, setdiff(all.vars(expr), params)))
  xs <- setdiff(all.vars(expr), params); yv <- d[[y]]; gi <- as.integer(factor(d[[g]])); G <- max(gi); n <- length(yv); q <- length(re); ri <- match(re, params)
  nt <- if (full) q * (q + 1) / 2 else q
  mkL <- function(th) { L <- matrix(0, q, q); if (full) { L[lower.tri(L, TRUE)] <- th; diag(L) <- exp(diag(L)) } else diag(L) <- exp(th); L }
  ust <- matrix(0, G, q)
  ev <- function(be, B) { P <- lapply(seq_along(params), function(j) be[j] + if (j %in% ri) B[gi, match(j, ri)] else 0); do.call(ff, c(unname(P), unname(as.list(d[xs])))) }
  nll <- function(par, keep = FALSE) {
    be <- par[seq_along(params)]; L <- mkL(par[length(params) + seq_len(nt)]); s2 <- exp(2 * par[length(par)])
    U <- ust; tot <- 0; obj <- function(U) { v <- ev(be, U %*% t(L)); r <- yv - as.numeric(v); list(r = r, v = v, o = as.numeric(rowsum(r^2, gi)) / (2 * s2) + rowSums(U^2) / 2) }
    cur <- obj(U)
    for (it in 1:200) {
      J <- attr(cur$v, "gradient")[, ri, drop = FALSE] %*% L; mxst <- 0; St <- matrix(0, G, q)
      for (i in seq_len(G)) { k <- gi == i; Ji <- J[k, , drop = FALSE]; Hh <- crossprod(Ji) / s2 + diag(q); gr <- crossprod(Ji, cur$r[k]) / s2 - U[i, ]; St[i, ] <- solve(Hh, gr) }
      al <- rep(1, G); for (h in 1:30) { nw <- obj(U + al * St); bad <- !is.finite(nw$o) | nw$o > cur$o + 1e-12 * abs(cur$o); if (!any(bad)) break; al[bad] <- al[bad] / 2; if (max(abs(al * St)) < 1e-14) break }
      bad <- !is.finite(nw$o) | nw$o > cur$o + 1e-10 * (1 + abs(cur$o)); al[bad] <- 0
      U <- U + al * St; cur <- obj(U); if (max(abs(al * St)) < 1e-11) break
    }
    if (all(is.finite(U))) ust <<- U
    Gd <- attr(cur$v, "gradient")[, ri, drop = FALSE]; Hs <- attr(cur$v, "hessian")[, ri, ri, drop = FALSE]; ld <- 0
    for (i in seq_len(G)) { k <- which(gi == i); Gi <- Gd[k, , drop = FALSE]; M <- crossprod(Gi) / s2
      if (curvature == "full") for (a in seq_len(q)) for (b in seq_len(q)) M[a, b] <- M[a, b] - sum(cur$r[k] * Hs[k, a, b]) / s2
      Hu <- t(L) %*% M %*% L + diag(q); dt <- determinant(Hu); if (dt$sign <= 0) return(1e10); ld <- ld + as.numeric(dt$modulus) }
    v <- sum(cur$o) + n / 2 * log(2 * pi * s2) + ld / 2
    if (keep) return(list(v = v, U = U, L = L, fit = as.numeric(cur$v))) else if (is.finite(v)) v else 1e10
  }
  th0 <- if (full) { L <- diag(sds, q); if (q > 1) L[lower.tri(L)] <- 0; diag(L) <- log(sds); L[lower.tri(L, TRUE)] } else log(sds)
  p <- c(beta, th0, log(sigma)); sc <- c(1 / pmax(abs(beta), 1e-2), rep(1, nt + 1))
  for (r in 1:3) { o <- nlminb(p, nll, scale = sc, control = list(rel.tol = 1e-13, x.tol = 1e-12, iter.max = 500, eval.max = 3000)); p <- o$par }
  for (i in 1:6) { gg <- grad(nll, p); H <- hessian(nll, p); st <- tryCatch(-solve(H, gg), error = function(e) 0 * p); pn <- p + st; if (any(abs(st) > .1 * (1 + abs(p))) || nll(pn) > nll(p) + 1e-8) break; p <- pn; if (max(abs(st) / (1 + abs(p))) < 1e-10) break }
  H <- hessian(nll, p); V <- tryCatch(solve(H), error = function(e) matrix(NA, length(p), length(p))); z <- nll(p, TRUE); S <- z$L %*% t(z$L)
  list(engine = "independent R implementation of the Laplace approximation (src/lib2.R: nl_ref)", curvature = curvature,
       estimator = "ML, Laplace", fixed = list(names = I1(params), estimate = I1(num(p[seq_along(params)])), se = I1(sqrt(num(diag(V))[seq_along(params)]))),
       random = list(list(group = g, terms = I1(re), sd = I1(sqrt(diag(S))), cor = if (q > 1) mat(cov2cor(S)) else NULL)), sigma = exp(p[length(p)]), logLik = -z$v, minus2logLik = 2 * z$v,
       df = length(p), AIC = 2 * z$v + 2 * length(p), max_abs_gradient = max(abs(grad(nll, p))), predictions_with_re = I1(head(z$fit, N_ROWS)),
       ranef = list(levels = I1(levels(factor(d[[g]]))), modes = lapply(setNames(seq_len(q), re), function(j) I1(num((z$U %*% t(z$L))[, j])))))
}
## cumulative-link references with analytic derivatives
cl_fun <- function(link) switch(link, logit = list(F = plogis, f = dlogis, g = function(x) { f <- dlogis(x); ifelse(is.finite(x), f * (1 - 2 * plogis(x)), 0) }),
  probit = list(F = pnorm, f = dnorm, g = function(x) ifelse(is.finite(x), -x * dnorm(x), 0)),
  cloglog = list(F = function(x) -expm1(-exp(x)), f = function(x) ifelse(is.finite(x), exp(x - exp(x)), 0), g = function(x) ifelse(is.finite(x), exp(x - exp(x)) * (1 - exp(x)), 0)))
cl_obs <- function(eta, hi, lo, C) { a <- hi - eta; b <- lo - eta
  p <- pmax(ifelse(b > 0, C$F2(b) - C$F2(a), C$F(a) - C$F(b)), 1e-300); d <- -(C$f(a) - C$f(b)) / p; list(l = log(p), d = d, w = d^2 - (C$g(a) - C$g(b)) / p) }
cl_get <- function(link) { C <- cl_fun(link); C$F2 <- switch(link, logit = function(x) plogis(x, lower.tail = FALSE), probit = function(x) pnorm(x, lower.tail = FALSE), cloglog = function(x) exp(-exp(x))); C }
ord_opt <- function(nll, p, J, nb) {
  for (r in 1:3) p <- suppressWarnings(nlminb(p, nll, control = list(rel.tol = 1e-14, x.tol = 1e-13, iter.max = 500, eval.max = 2000)))$par
  for (i in 1:4) { g <- grad(nll, p); H <- hessian(nll, p); st <- tryCatch(-solve(H, g), error = function(e) 0 * p); pn <- p + st; if (max(abs(st)) > .1 || nll(pn) > nll(p) + 1e-9) break; p <- pn; if (max(abs(st)) < 1e-9) break }
  list(p = p, H = hessian(nll, p), g = max(abs(grad(nll, p)))) }
agq_ord <- function(y, X, g, k = 25, start, link = "logit") {
  J <- nlevels(y); yi <- as.integer(y); g <- as.integer(factor(g)); G <- max(g); gh <- GHrule(k); z <- gh[, 1]; w <- gh[, 2]; C <- cl_get(link); rs <- function(v) as.numeric(rowsum(v, g)); nb <- ncol(X)
  nll <- function(par) {
    th <- c(-Inf, par[1:(J - 1)], Inf); if (any(diff(par[1:(J - 1)]) <= 0)) return(1e10); s <- par[length(par)]; e0 <- as.numeric(X %*% par[J - 1 + seq_len(nb)]); hi <- th[yi + 1]; lo <- th[yi]
    ob <- function(u) { o <- cl_obs(e0 + s * u[g], hi, lo, C); list(l = rs(o$l) - u^2 / 2, d = s * rs(o$d) - u, h = s^2 * rs(o$w) + 1) }
    u <- rep(0, G); cur <- ob(u)
    for (it in 1:200) { st <- cur$d / cur$h; for (hv in 1:50) { nw <- ob(u + st); bad <- !is.finite(nw$l) | nw$l < cur$l - 1e-11 * (1 + abs(cur$l)); if (!any(bad)) break; st[bad] <- st[bad] / 2 }; u <- u + st; cur <- ob(u); if (max(abs(st)) < 1e-12) break }
    tau <- 1 / sqrt(cur$h); A <- sapply(seq_along(z), function(q) ob(u + tau * z[q])$l + z[q]^2 / 2 + log(w[q])); A <- matrix(A, nrow = G); mx <- apply(A, 1, max); -sum(mx + log(rowSums(exp(A - mx))) + log(tau)) }
  o <- ord_opt(nll, start, J, nb); p <- o$p; sdv <- sqrt(diag(solve(o$H)))
  list(engine = "independent R implementation (src/lib2.R: agq_ord)", k = k, link = link, thresholds = I1(p[1:(J - 1)]), thresholds_se = I1(sdv[1:(J - 1)]), beta = I1(p[J - 1 + seq_len(nb)]), beta_se = I1(sdv[J - 1 + seq_len(nb)]), sd = abs(p[length(p)]), se_sd = sdv[length(sdv)], logLik = -nll(p), max_abs_gradient = o$g) }
## Laplace for any number of scalar random intercepts (sparse Newton)
ord_laplace <- function(y, X, groups, start, link = "logit") {
  J <- nlevels(y); yi <- as.integer(y); C <- cl_get(link); nb <- ncol(X); K <- length(groups); Zs <- lapply(groups, function(g) t(Matrix::fac2sparse(factor(g)))); Z <- do.call(cbind, Zs); q <- sapply(Zs, ncol); Iq <- Matrix::Diagonal(sum(q)); us <- rep(0, sum(q))
  nll <- function(par, keep = FALSE) {
    th <- c(-Inf, par[1:(J - 1)], Inf); if (any(diff(par[1:(J - 1)]) <= 0)) return(1e10); sv <- rep(par[J - 1 + nb + seq_len(K)], q); e0 <- as.numeric(X %*% par[J - 1 + seq_len(nb)]); hi <- th[yi + 1]; lo <- th[yi]; ZL <- Z %*% Matrix::Diagonal(x = sv)
    ob <- function(u) { o <- cl_obs(e0 + as.numeric(ZL %*% u), hi, lo, C); o$v <- sum(o$l) - sum(u^2) / 2; o }
    u <- us; cur <- ob(u)
    for (it in 1:100) { H <- Matrix::crossprod(ZL, cur$w * ZL) + Iq; ch <- Matrix::Cholesky(Matrix::forceSymmetric(H), LDL = FALSE); st <- as.numeric(Matrix::solve(ch, as.numeric(Matrix::crossprod(ZL, cur$d)) - u)); f <- 1
      for (hv in 1:40) { nw <- ob(u + f * st); if (is.finite(nw$v) && nw$v >= cur$v - 1e-11 * abs(cur$v)) break; f <- f / 2 }; u <- u + f * st; cur <- nw; if (max(abs(f * st)) < 1e-11) break }
    us <<- u; H <- Matrix::crossprod(ZL, cur$w * ZL) + Iq; ch <- Matrix::Cholesky(Matrix::forceSymmetric(H), LDL = FALSE); v <- -cur$v + as.numeric(Matrix::determinant(ch, logarithm = TRUE)$modulus)   # = half log det H
    if (keep) list(v = v, b = sv * u) else v }
  o <- ord_opt(nll, start, J, nb); p <- o$p; V <- tryCatch(solve(o$H), error = function(e) matrix(NA, length(p), length(p))); sdv <- suppressWarnings(sqrt(diag(V))); z <- nll(p, TRUE); off <- c(0, cumsum(q))
  list(engine = "independent R implementation of the Laplace approximation (src/lib2.R: ord_laplace)", link = link, thresholds = list(estimate = I1(p[1:(J - 1)]), se = I1(sdv[1:(J - 1)])), fixed = list(names = I1(colnames(X)), estimate = I1(p[J - 1 + seq_len(nb)]), se = I1(sdv[J - 1 + seq_len(nb)])),
    random = lapply(seq_len(K), function(i) list(group = names(groups)[i], terms = I1("(Intercept)"), sd = I1(abs(p[J - 1 + nb + i])), n_levels = q[[i]])), estimator = "ML, Laplace", logLik = -z$v, minus2logLik = 2 * z$v, df = length(p), max_abs_gradient = o$g,
    ranef = lapply(setNames(seq_len(K), names(groups)), function(i) list(levels = I1(head(colnames(Zs[[i]]), N_LEVELS)), mode = I1(head(z$b[off[i] + seq_len(q[[i]])], N_LEVELS))))) }
clmmcase <- function(id, set, dataset, formula, description, capabilities, link = "logit", nAGQ = 1, agq = NULL, data = NULL, extras = NULL, threshold = "flexible", prep = NULL, subset = NULL)
  case(id, set, dataset, formula, description, capabilities, family = "cumulative (ordinal)", link = link, prep = prep, subset = subset, body = function() {
    .D <<- if (is.null(data)) read_ref(dataset[1]) else data(); f <- as.formula(formula, env = globalenv()); fits <- list(); M <- list()
    for (k in nAGQ) { m <- eval(as.call(list(as.name("clmm"), f, data = as.name(".D"), link = link, threshold = threshold, nAGQ = k, Hess = TRUE, control = quote(clmm.control(grtol = 1e-9, gradTol = 1e-6, maxIter = 100, innerCtrl = "noWarn")))), globalenv())
      M[[paste0("nAGQ", k)]] <- m; fits[[length(fits) + 1]] <- ex_clmm(m) }
    out <- list(fits = fits); M_ <<- M; m <- M[[1]]
    mf <- .D[complete.cases(.D[, all.vars(f)]), ]; X <- model.matrix(lme4::nobars(f)[-2], mf)[, -1, drop = FALSE]; y <- droplevels(mf[[all.vars(f)[1]]])
    gr <- lapply(setNames(names(m$ST), names(m$ST)), function(n) if (grepl(":", n)) interaction(mf[strsplit(n, ":")[[1]]], sep = ":", drop = TRUE) else factor(mf[[n]]))
    s0 <- sapply(m$ST, function(z) max(abs(num(z)), 0.05))
    out$independent_laplace <- list(ord_laplace(y, X, gr, c(num(m$alpha), num(m$beta), s0), link))
    if (!is.null(agq)) out$independent_agq <- lapply(setdiff(agq, 1), function(k) agq_ord(y, X, gr[[1]], k, c(num(m$alpha), num(m$beta), s0), link))
    if (!is.null(extras)) out$extras <- extras(M)
    out
  })
blcase <- function(id, set, dataset, formula, description, capabilities, call, prior, family = "gaussian", link = "identity", data = NULL)
  case(id, set, dataset, formula, description, c("blme", capabilities), family = family, link = link, body = function() {
    .D <<- if (is.null(data)) read_ref(dataset[1]) else data(); .tight$nm <- FALSE; .tight$polish <- TRUE; .tight$light <- FALSE
    m <- eval(call, globalenv()); tl <- .tight$last
    pr <- capture.output(print(m)); pr <- pr[grepl("prior", pr, ignore.case = TRUE) | grepl("deviance", pr, ignore.case = TRUE)]
    fit <- if (inherits(m, "glmerMod")) ex_glmer(m, NULL, tl, 1, engine = "blme::bglmer") else ex_lmer(m, engine = "blme::blmer", tl = tl)
    fit$estimator <- paste("maximum a posteriori,", fit$estimator); fit$prior <- prior; fit$printed_prior <- I1(pr); fit$penalised_objective <- tl$fval
    fit$logLik_note <- "logLik/AIC/BIC/REML criterion are those of the likelihood part as reported by blme at the posterior mode"
    list(fits = list(fit))
  })
## glmer.nb, then theta re-profiled with a tight optimiser (glmer.nb ignores a tighter tol)
nb_profile <- function(f) {
  m0 <- suppressWarnings(glmer.nb(f, .D, control = glmerControl(optimizer = "bobyqa"))); th0 <- getME(m0, "glmer.nb.theta"); .tight$nm <- FALSE; .tight$polish <- FALSE; .tight$light <- FALSE
  fit <- function(lt) suppressWarnings(glmer(f, .D, family = MASS::negative.binomial(theta = exp(lt)), control = glmerControl(optimizer = "bobyqa", tolPwrss = 1e-10, optCtrl = list(rhobeg = 0.02, rhoend = 1e-8, maxfun = 20000), calc.derivs = FALSE)))
  ff <- function(lt) as.numeric(-logLik(fit(lt)))
  o <- optimize(ff, log(th0) + c(-.05, .05), tol = 1e-6); m <- fit(o$minimum); e <- ex_glmer(m, NULL, NULL, 1)
  e$engine <- "lme4::glmer.nb"; e$nb_theta <- exp(o$minimum); e$nb_theta_glmer_nb_default <- th0; e$estimator <- "ML, Laplace approximation (glmer.nb, theta re-profiled)"; e$df <- e$df + 1; e$AIC <- e$AIC + 2; e$BIC <- e$BIC + log(e$n)
  e$fixed$se_source <- "RX factor (conditional on theta and nb_theta)"; e$call <- dep1(m0@call); e$loglik_note <- "lme4's negative binomial Laplace uses expected curvature and differs from glmmTMB nbinom2 (observed curvature)"; e }
nbfit <- function(m, ...) { e <- ex_glmer(m, NULL, NULL, 1); e$engine <- "lme4::glmer.nb"; e$nb_theta <- getME(m, "glmer.nb.theta"); e$estimator <- "ML, Laplace approximation (glmer.nb)"; e$fixed$se_source <- "RX factor (conditional on theta and nb_theta)"; e }
lme_case <- function(id, set, dataset, formula, description, capabilities, calls, prep = NULL, data = NULL, extras = NULL, gls = FALSE, subset = NULL)
  case(id, set, dataset, formula, description, capabilities, prep = prep, subset = subset, body = function() {
    .D <<- if (is.null(data)) read_ref(dataset[1]) else data(); fits <- list(); M <- list()
    for (nm in names(calls)) { m <- eval(calls[[nm]], globalenv()); M[[nm]] <- m
      fits[[length(fits) + 1]] <- c(list(label = nm), if (inherits(m, "glmmTMB")) ex_tmb(tmb_tight(m), glm = FALSE) else if (inherits(m, "merMod")) ex_lmer(m) else if (inherits(m, "gls")) ex_gls(m) else ex_lme(m)) }
    list(fits = fits, extras = if (!is.null(extras)) extras(M) else NULL)
  })
ex_gls <- function(m) { tt <- summary(m)$tTable; list(engine = "nlme::gls", version = pv("nlme"), r_version = RVERS, call = dep1(m$call), estimator = m$method, n = m$dims$N, fixed = fx_block(coef(m), vcov(m)), sigma = m$sigma,
  corStruct = if (!is.null(m$modelStruct$corStruct)) list(class = class(m$modelStruct$corStruct)[1], coef = I1(num(coef(m$modelStruct$corStruct, unconstrained = FALSE)))) else NULL,
  varStruct = if (!is.null(m$modelStruct$varStruct)) list(class = class(m$modelStruct$varStruct)[1], coef = as.list(coef(m$modelStruct$varStruct, unconstrained = FALSE))) else NULL,
  logLik = num(logLik(m)), AIC = AIC(m), BIC = BIC(m), df = attr(logLik(m), "df"), predictions = list(without_re = I1(num(head(fitted(m), N_ROWS))))) }
LMEC <- function() lmeControl(opt = "nlminb", maxIter = 500, msMaxIter = 1000, msMaxEval = 5000, tolerance = 1e-10, msTol = 1e-14, niterEM = 100, returnObject = TRUE)
pb_block <- function(big, small, nsim, seed = 101) { t <- pbkrtest::PBmodcomp(big, small, nsim = nsim, seed = seed); p <- t$test["PBtest", "p.value"]
  list(engine = "pbkrtest::PBmodcomp", version = pv("pbkrtest"), nsim = nsim, seed = seed, large = dep1(formula(big)), small = dep1(formula(small)), table = tab(t$test), p_PB = p, monte_carlo_se = sqrt(p * (1 - p) / (nsim + 1)), samples_used = t$samples[["npos"]], note = "(1 + #{t* >= t})/(1 + n_used); compare within about 3 monte_carlo_se") }
