# SYNTHETIC stand-ins for two published data sets that could not be found (Example 2, waterlick_sim).
# They are built so that the PUBLISHED numbers come out; they are not the authors' data.
source(file.path(Sys.getenv("REFROOT", "tests/reference"), "src", "lib.R"))
N <- matrix(c(81, 206, 33, 63, 254, 101, 18, 52, 88, 210, 51, 58, 43, 222, 207, 37), 4)     # mouse x treatment (published table)
lm_b <- c(0.71490545, -0.07802047, 0.00914741, 0.04971562); lm_se1 <- 0.01233741
be <- c(0.699786009, -0.017490109, 0.009353984, 0.029448530); se <- c(0.03484986, 0.01726513, 0.01657856, 0.01656107)
tt <- lm_b[1] + c(0, lm_b[-1]); nt <- colSums(N); nm <- rowSums(N); n <- sum(N)
s2lm <- lm_se1^2 * nt[1]; RSSlm <- s2lm * (n - 4)
idx <- expand.grid(m = 1:4, t = 1:4); nv <- as.vector(N); X <- cbind(1, outer(idx$t, 2:4, "==") * 1); Z <- outer(idx$m, 1:4, "==") * 1
vb <- function(sb2, s2) { g <- sb2 / s2; W <- nv; A <- crossprod(Z, W * Z) + diag(4) / g; XtX <- crossprod(X, W * X); XtZ <- crossprod(X, W * Z); solve(XtX - XtZ %*% solve(A, t(XtZ))) * s2 }
o <- optim(c(log(.065^2), log(.23^2)), function(p) sum((sqrt(diag(vb(exp(p[1]), exp(p[2])))) / se - 1)^2), control = list(reltol = 1e-16, maxit = 5000)); o <- optim(o$par, function(p) sum((sqrt(diag(vb(exp(p[1]), exp(p[2])))) / se - 1)^2), control = list(reltol = 1e-16, maxit = 5000))
sb2 <- exp(o$par[1]); s2 <- exp(o$par[2]); g <- sb2 / s2
cat("implied sd_mouse", sqrt(sb2), "sigma", sqrt(s2), "SE mismatch", sqrt(diag(vb(sb2, s2))) / se - 1, "\n")
## linear constraints on the 16 cell means c:  treatment means; GLS normal equations
A <- diag(nv) ; Vi <- function(v) nv * v - (nv * Z) %*% solve(crossprod(Z, nv * Z) + diag(4) / g, crossprod(Z, nv * v))
C1 <- t(sapply(1:4, function(t) ifelse(idx$t == t, nv / nt[t], 0))); M <- t(X) %*% sapply(1:16, function(j) Vi(as.numeric(1:16 == j)))
rhs2 <- M %*% (X %*% be); CC <- rbind(C1, M / 100); rr <- c(tt, rhs2 / 100); sv <- svd(CC, nv = 16); k <- sum(sv$d > 1e-9 * sv$d[1])
t0 <- tt[idx$t]; c0 <- t0 + sv$v[, 1:k] %*% (crossprod(sv$u[, 1:k], rr - CC %*% t0) / sv$d[1:k]); NS <- sv$v[, (k + 1):16, drop = FALSE]
## nonlinear: ML score for g equals zero, sigma^2 = r'V^-1 r / n with SSW from the LM residual SS
eqs <- function(z) { cm <- as.numeric(c0 + NS %*% z); fit <- tt[idx$t]; SSW <- RSSlm - sum(nv * (cm - fit)^2); r <- cm - as.numeric(X %*% be)
  Q <- SSW + sum(r * Vi(r)); Az <- crossprod(Z, nv * Z) + diag(4) / g; u <- solve(Az, crossprod(Z, nv * r))       # BLUPs
  ## d/dg of -2l = logdet(I + g Z'NZ) + n log Q ;  dQ/dg = -|u|^2/g^2
  sc <- sum(nm / (1 + g * nm)) - n * sum(u^2) / g^2 / Q
  c((Q / n) / s2 - 1, sc / sum(nm / (1 + g * nm)), if (SSW < 0) SSW else 0) }
set.seed(1); best <- NULL
for (i in 1:20) { o <- optim(rnorm(ncol(NS), sd = .002 * i), function(z) sum(eqs(z)^2) + 1e-13 * sum(z^2), method = "BFGS", control = list(reltol = 1e-20, maxit = 2000)); if (is.null(best) || o$value < best$value) best <- o }
cat("residual of constraints", eqs(best$par), "\n"); cm <- as.numeric(c0 + NS %*% best$par); SSW <- RSSlm - sum(nv * (cm - tt[idx$t])^2); cat("cell means\n"); print(matrix(cm, 4)); cat("SSW", SSW, "\n")
set.seed(2); y <- unlist(lapply(1:16, function(j) { e <- rnorm(nv[j]); e <- e - mean(e); e })); e2 <- sum(y^2); y <- y * sqrt(SSW / e2) + rep(cm, nv)
d2 <- data.frame(res = round(y, 9), treatment_idx = factor(rep(idx$t, nv)), midx = factor(rep(idx$m, nv)))
print(summary(lm(res ~ treatment_idx, d2))$coefficients); m2 <- lmerTest::lmer(res ~ treatment_idx + (1 | midx), d2, REML = FALSE, control = LC()); print(summary(m2)$coefficients); print(VarCorr(m2))
## waterlick: 512 trials, 8 mice, 216 correct
set.seed(3); id <- sample(1:8, 512, TRUE, prob = c(.11, .15, .12, .12, .15, .14, .1, .11)); id <- sort(id); u <- rnorm(8, sd = .5); x0 <- rnorm(512); e <- -0.65 + .33 * x0 + u[id]; p <- plogis(e); lick <- as.integer(rank(runif(512) - p, ties.method = "first") <= 216)
mk <- function(q) { x <- x0 + q[1] * (lick - mean(lick)); (x - mean(x)) * exp(q[2]) + 4.810 }
fitw <- function(q) { dd <- data.frame(lick, dff = mk(q), mouseID = factor(id)); m <- glmmTMB(lick ~ dff + (1 | mouseID), dd, family = binomial, control = TC()); s <- summary(m)$coefficients$cond[2, 1:2]; s }
o <- optim(c(0, log(5.2)), function(q) { s <- tryCatch(fitw(q), error = function(e) c(9, 9)); sum((s / c(.06235, .01986) - 1)^2) }, control = list(reltol = 1e-14, maxit = 300)); cat("waterlick surrogate", fitw(o$par), "\n")
dw <- data.frame(mouseID = factor(id), lick = lick, dff = round(mk(o$par), 6)); print(summary(dw)); .tight$nm <- FALSE; print(summary(glmer(lick ~ dff + (1 | mouseID), dw, family = binomial))$coefficients)
saveRDS(list(ex2 = d2, waterlick = dw), file.path(ROOT, "src", "surrogates.rds"))
