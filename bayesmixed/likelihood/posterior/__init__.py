"""The posterior of hyperparameters: its density with effects integrated out, and draws of effects given them."""
