"""Who is at fault when a port fails: where in the user's files, and which promise of the contract
was broken."""
