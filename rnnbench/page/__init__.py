"""What every report is made of: tables, figures, blocks of text, the page; and the terminal."""
