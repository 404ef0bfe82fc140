"""What methods and data are cited as: papers by key, and how one is written."""
