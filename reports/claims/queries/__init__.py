"""What was measured against each claim: a file an experiment, a function a claim, a case a condition."""
