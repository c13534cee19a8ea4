"""What the peers' bench measured: ratios of ours to each contender, targets with computed verdicts, a figure, a table.

    found = section(read("results/local/peers-quick.jsonl"))       all that the page and the Markdown show

The bench writes parts of the experiment ``peers``; a part's table has one record for each contender of one cell.
"""

from reports.peers.section import MARKS, Section, section, tables

__all__ = ["MARKS", "Section", "section", "tables"]
