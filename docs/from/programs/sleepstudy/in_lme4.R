suppressPackageStartupMessages(library(lmerTest))  # lme4 with degrees of freedom
m <- lmer(Reaction ~ Days + (Days | Subject), sleepstudy)
summary(m)
confint(m)
predict(m, data.frame(Days = 10, Subject = "308"))
