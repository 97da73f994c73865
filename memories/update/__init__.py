"""Updates of LLM Memory itself: where versions come from, whether there is a newer one, putting it in place."""
