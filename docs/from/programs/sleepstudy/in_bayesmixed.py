import pandas as pd

import bayesmixed as bm

sleep = bm.load_data("sleepstudy")
model = bm.Model("Reaction ~ Days + (Days | Subject)", sleep)
reml = model.fit("reml")
print(reml.summary(ddf="satterthwaite"))
print(bm.confint(reml))
print(reml.predict(pd.DataFrame({"Days": [10], "Subject": ["308"]})))
