"""`dialer bench pacing`: pacing policies side by side, against the same people and against the exact optimum."""
