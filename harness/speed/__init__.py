"""Speed: the schedule of rounds, the estimate over them, and the verdict. Pure."""
