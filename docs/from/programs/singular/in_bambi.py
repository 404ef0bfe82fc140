import arviz as az
import bambi as bmb
import pandas as pd

oats = pd.read_csv("Oats.csv")
model = bmb.Model("yield ~ nitro + Variety + (nitro | Block) + (1 | Block:Variety)", oats)
print(model)
idata = model.fit(inference_method="nutpie", chains=4, random_seed=1, progressbar=False)
sds = ["1|Block_sigma", "nitro|Block_sigma", "1|Block:Variety_sigma", "sigma"]
print(az.summary(idata, var_names=["Intercept", "nitro", "Variety", *sds]).to_string())
print("divergences:", int(idata.sample_stats["diverging"].sum()))
