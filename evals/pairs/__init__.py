"""True and false statements about a passage, made by rule from articles.

A true statement says what the passage says, word for word or in another form; a false one is one
of those with something changed, added or borrowed, so that the passage doesn't back it. Two sets:

    fitting_samples   coarse rules over both halves of the articles: the verifier learns from the
                      fit half (`evals.calibrate_verifier`)
    ruler_samples     the finer rules that judges are measured with (`evals.ruler`): a change is
                      made only where a rule can see that it is false and still reads as a sentence

Articles, not pairs, are dealt into halves, both times in the same way: what the verifier was fitted
on is never in the half that is reported.

    cases.py       what a rule works on       edits.py       changing text
    coarse.py      the fitting rules          samples.py     the pairs
    truths.py      the ruler's true ones      falsehoods.py  and its false ones
"""

from evals.pairs.cases import load_articles
from evals.pairs.samples import (
    SEED,
    SENTENCES_PER_ARTICLE,
    Sample,
    fitting_samples,
    ruler_samples,
)

__all__ = [
    "SEED",
    "SENTENCES_PER_ARTICLE",
    "Sample",
    "fitting_samples",
    "load_articles",
    "ruler_samples",
]
