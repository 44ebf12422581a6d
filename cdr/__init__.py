"""Turn what happened to calls into call detail records: schema, projector, analytics, named queries."""
