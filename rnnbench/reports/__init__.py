"""The report of a study or of the timings: what the rooms have to say, in order."""
