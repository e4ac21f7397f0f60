"""Judges: does a text back a statement? All stand behind one seam, `evals.judges.seam.Judge`."""

from evals.judges.claims import Claim, Grade, as_context, hit_of
from evals.judges.load import load_judge

__all__ = ["Claim", "Grade", "as_context", "hit_of", "load_judge"]
