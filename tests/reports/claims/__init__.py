"""Claims of the papers: rules, verdicts, and each claim on rows made up for it."""
