"""Where bytes lie: durable writes, hashing, sharing, and the removal of what nobody needs."""
