"""What is measured, as plain functions that know nothing of answers, judges or runs.

    retrieval.py       whether the hits hold the gold evidence, and how early
    answers.py         whether a text says what was asked for
    citations.py       whether the citations of a statement bear it, and which of them are needed
    classification.py  how well scores and decisions tell true from false
    bootstrap.py       figures over many questions, with intervals

`evals/scores.py` applies them to the questions of a run.
"""
