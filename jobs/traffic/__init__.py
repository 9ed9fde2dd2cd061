"""Traffic that is made up: deterministic by seed, with faults whose findings are known beforehand.

A module that is called as a pack in `rules/` is that pack's traffic: it has a BUSINESS (jobs.traffic.stream).
"""
