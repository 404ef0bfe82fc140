import bayesmixed as bm

cbpp = bm.load_data("cbpp")
model = bm.Model("cbind(incidence, size - incidence) ~ period + (1 | herd)", cbpp, family="binomial")
print(model.fit("nuts", seed=1))
