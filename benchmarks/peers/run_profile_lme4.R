# How long lme4's profiles take: Rscript run_profile_lme4.R CSV FORMULA FACTORS FAMILY REPEATS prints a JSON line.
suppressMessages(library(lme4))
arguments <- commandArgs(trailingOnly = TRUE)
data <- read.csv(arguments[1])
for (name in strsplit(arguments[3], ",")[[1]]) data[[name]] <- factor(data[[name]])
formula <- as.formula(arguments[2])
cpu <- function(call) {
  begin <- proc.time()
  force(call)
  sum((proc.time() - begin)[c("user.self", "sys.self")])
}
suppressWarnings(suppressMessages({
  fit <- if (arguments[4] == "gaussian") lmer(formula, data, REML = FALSE) else glmer(formula, data, arguments[4])
  warm <- profile(lmer(Yield ~ 1 + (1 | Batch), Dyestuff, REML = FALSE))
  times <- replicate(as.integer(arguments[5]), cpu(found <<- profile(fit, signames = FALSE)))
  again <- cpu(limits <<- confint(found))
}))
rows <- sprintf('"%s": [%s, %s]', rownames(limits), signif(limits[, 1], 12), signif(limits[, 2], 12))
cat(sprintf(
  '{"engine": "lme4", "version": "%s", "profile": %.6g, "confint": %.6g, "points": %d, "limits": {%s}}\n',
  packageVersion("lme4"), median(times), median(times) + again, nrow(as.data.frame(found)),
  gsub("NA", "NaN", paste(rows, collapse = ", "))
))
