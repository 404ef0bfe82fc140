import bayesmixed as bm

oats = bm.load_data("Oats")
model = bm.Model("yield ~ nitro + Variety + (nitro | Block) + (1 | Block:Variety)", oats)
reml = model.fit("reml")
print(reml)
print(bm.diagnose(reml))
print(bm.confint(reml))
