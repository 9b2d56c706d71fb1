"""Resolution: from candidates to plans, and the words for what is left out."""
