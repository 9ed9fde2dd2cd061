"""Traffic that is made up: deterministic by seed, with faults whose findings are known beforehand."""
