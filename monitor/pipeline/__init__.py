"""What a worker does: scan a source, ring deadlines, relay events into lanes, deliver lanes to targets."""
