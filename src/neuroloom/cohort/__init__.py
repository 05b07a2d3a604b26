"""Who takes part, what is asked of them, who may sit together."""
