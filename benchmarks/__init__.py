"""How fast and how small Groundwire is: `python -m benchmarks [name ...]`.

    figures.py     what is measured: a value, its target, and what it was compared with
    homes.py       the data folders that are measured, kept between runs
    recombined.py  a large corpus made of the sentences of the small one
    ingest.py ask.py cold.py scale.py      one benchmark each

A machine is never quiet: figures are medians, and ratios taken in one run where that is possible.
"""
