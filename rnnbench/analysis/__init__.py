"""From runs to typed rows: what tables and figures show."""
