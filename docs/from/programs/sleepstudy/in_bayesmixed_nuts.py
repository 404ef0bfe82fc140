import pandas as pd

import bayesmixed as bm

sleep = bm.load_data("sleepstudy")
model = bm.Model("Reaction ~ Days + (Days | Subject)", sleep)
post = model.fit("nuts", seed=1)
print(post)
print(post.predict(pd.DataFrame({"Days": [10], "Subject": ["308"]}), interval="confidence"))
