import bayesmixed as bm

cbpp = bm.load_data("cbpp")
model = bm.Model("cbind(incidence, size - incidence) ~ period + (1 | herd)", cbpp, family="binomial")
ml = model.fit("ml")
print(ml)
print(bm.confint(ml))
print(model.fit(bm.ML(quadrature=9)).fixef())
