"""Articles at rest: the Library, the indexes derived from it, and the words both sides share."""

from corpus.offline import silence

silence()  # before any library that would phone home is imported
