"""One visible loop, its checkpoints, and the two kinds of learner."""
