"""SQL store: customers, campaigns, leads, attempts, the outbox and the rules that bind them (architecture.md 2)."""
