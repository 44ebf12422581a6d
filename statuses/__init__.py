"""Pure vocabulary: what a call came to, what it means for a lead, and when to call again."""
