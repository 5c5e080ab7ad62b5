"""What sessions cost, beside the libraries people use today: `overhead` (in a cookie), `server_side` (in a store)."""
