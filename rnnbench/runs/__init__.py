"""Finished runs: listed, shown, used on texts, exported, imported, relocated."""
