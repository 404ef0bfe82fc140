import arviz as az
import bambi as bmb
import pandas as pd

cbpp = pd.read_csv("cbpp.csv", dtype={"herd": str, "period": str})
model = bmb.Model("p(incidence, size) ~ period + (1 | herd)", cbpp, family="binomial")
print(model)
idata = model.fit(inference_method="nutpie", chains=4, random_seed=1, progressbar=False)
print(az.summary(idata, var_names=["Intercept", "period", "1|herd_sigma"]).to_string())
