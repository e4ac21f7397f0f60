"""A run, shown: in the terminal, as Markdown, and as a page to read failures in.

Everything here works from the record of a run, a plain dict as in its `run.json`, so a run of last
month is shown in the same way as one that has just ended.
"""
