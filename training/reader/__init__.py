"""How the reader, a cross-encoder over (question, passage), is trained.

data.py       files of questions → values
examples.py   questions → groups of passages to rank, with hard negatives
batches.py    examples → tensors, in batches of similar length
loss.py       what training makes smaller
train.py      the loop:  python -m training.reader.train DATA OUT
score.py      the reader through torch, while it is trained
measure.py    figures on questions that training doesn't see
ship.py       weights → the file that Groundwire ships

The network is in rag/network.py, its windows in rag/windows.py, the reader at work in
rag/trained.py.
"""
