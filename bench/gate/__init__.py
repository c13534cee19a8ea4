"""The gate: does a change of ``impls`` make a gradient slower, hungrier or less right?

``gradratio gate BASE HEAD`` takes the two commits' ``impls`` as two folders, compares exact numbers for
equality, and times two live worker processes that take turns on one core. docs/gate.md has its error rates.
"""
