"""What the papers claim, and what was measured here: each verdict is computed from rows.

for one in judged(papers):
    one.claim.statement, one.claim.published, one.measured, one.verdict, one.detail
"""

from reports.claims import baydin, jfb, lecture
from reports.claims.claim import Case, Claim, Rule
from reports.claims.verdict import VERDICTS, Judged, judge
from reports.papers import Papers

__all__ = ["CLAIMS", "VERDICTS", "Case", "Claim", "Judged", "Rule", "judge", "judged"]

CLAIMS = (*baydin.CLAIMS, *jfb.CLAIMS, *lecture.CLAIMS)


def judged(papers: Papers) -> list[Judged]:
    """Every claim with what became of it, document by document."""
    return [judge(claim, papers) for claim in CLAIMS]
