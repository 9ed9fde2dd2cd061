"""Everything that decides: the pure core, the packs, the Flink operators around it, the simulator."""
