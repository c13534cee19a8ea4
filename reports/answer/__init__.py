"""Which gradient method to use, by situation: computed from the cells of the page, undecided where they do not tell.

    found = part(cells(results), samples(results), papers, {"results", "memory"}, results.run)    of the page
    markdown(found)                                                                              for a README

A situation has a rule: which cells it looks at, the gradient error it allows, the cost that is to be least. Methods
whose costs are not told apart are compared by error and memory (``reports.ranking``). The grid answers; the papers'
experiments only where it does not compare two exact methods, and only if they ran on the same machine with the same
versions.
"""

from reports.answer.section import part
from reports.answer.text import markdown

__all__ = ["markdown", "part"]
