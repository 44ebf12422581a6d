"""The shell: the one loop that turns engines, and what keeps it alive."""
