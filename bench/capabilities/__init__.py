"""What each method can do, found out by doing it: tiny problems in float64, judged by closed forms.

An outcome is ``yes`` where the numbers agree, ``refused`` where this package raises its own error, ``no`` where a
framework raises its own, and ``wrong`` where numbers come that are not the right ones. ``wrong`` is a mistake of ours.
"""
