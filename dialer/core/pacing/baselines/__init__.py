"""Other dialers' pacing, re-implemented from its descriptions (pacing.md 2), to compare ours with."""
