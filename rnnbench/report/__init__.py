"""From rows to figures and pages."""
