suppressPackageStartupMessages(library(lme4))
data(Oats, package = "nlme")
m <- lmer(yield ~ nitro + Variety + (nitro | Block) + (1 | Block:Variety), Oats)
summary(m)
rePCA(m)$Block
confint(m)
