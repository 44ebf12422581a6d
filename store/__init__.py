"""Keep campaigns, leads and attempts in SQL, and what happened in an outbox of the same transaction."""
