"""What was said and what became of it, as the ledger keeps it, in; figures by rule and period out: for a terminal, a table, a page.

Nothing of a patient comes out, no card and no hash; the clinicians' own words only where they are asked for (`comments`).
"""
