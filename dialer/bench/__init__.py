"""What `dialer bench` measures: ratios between two things done in one run, side by side."""
