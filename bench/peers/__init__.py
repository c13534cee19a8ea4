"""Our methods beside other libraries': same problem, same arrays, same forward steps, an equal or smaller error."""
