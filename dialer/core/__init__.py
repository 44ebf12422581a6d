"""The pure engine: events in, effects out, time as an argument."""
