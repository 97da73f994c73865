"""Other memory servers beside ours, measured in one run on one machine: `python -m bench.peers`."""
