"""Pacing policies: how many calls to place at this moment."""
