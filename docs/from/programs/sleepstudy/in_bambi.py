import arviz as az
import bambi as bmb
import pandas as pd

sleep = pd.read_csv("sleepstudy.csv", dtype={"Subject": str})
model = bmb.Model("Reaction ~ Days + (Days | Subject)", sleep)
print(model)
idata = model.fit(inference_method="nutpie", chains=4, random_seed=1, progressbar=False)
names = ["Intercept", "Days", "1|Subject_sigma", "Days|Subject_sigma", "sigma"]
print(az.summary(idata, var_names=names).to_string())
model.predict(idata, data=pd.DataFrame({"Days": [10], "Subject": ["308"]}))
print(az.summary(idata, var_names=["mu"]).to_string())
