"""Fault campaigns: real servers are broken on purpose while visitors go on, and nothing acknowledged may be lost.

``python -m campaigns`` (`make campaigns`). Read in this order: `ledger`, what visitors were told; `visitors`, who ask;
`site`, whom they ask; `engines`, what keeps the sessions; `faults`, what happens to it; `campaign`, all of it together.
"""
