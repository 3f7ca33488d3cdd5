"""rnnbench: which conclusions about recurrent networks hold, how sure that is, what each costs."""
