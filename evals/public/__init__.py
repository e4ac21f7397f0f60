"""Public benchmarks, run on files that the user has: under their papers' definitions, not ours.

    multihop.py  MultiHop-RAG: are the facts of several articles retrieved, and the answers right
    rgb.py       RGB: noise, rejection, integration and counterfactuals, on documents handed over
    squad.py     SQuAD-format files: exact match and F1, also where there is no answer
    ragtruth.py  RAGTruth-format files: a judge as a detector of hallucinations

    fields.py    reading their files, and refusing a malformed one
    asking.py    asking our assistant over their documents
    figures.py   figures with intervals, as a table or as JSON
    run.py       all of it, for `groundwire eval public`

A figure whose name ends in "(ours)" is not the paper's.
"""
