"""A real switch through its adapter: how soon people are joined to agents, and what that costs beside a bare loop."""
