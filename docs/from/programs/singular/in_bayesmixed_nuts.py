import bayesmixed as bm

oats = bm.load_data("Oats")
model = bm.Model("yield ~ nitro + Variety + (nitro | Block) + (1 | Block:Variety)", oats)
print(model.fit("nuts", seed=1))
