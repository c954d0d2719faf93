"""The house's own rules, read from the source: who imports whom, which words the core may say, how it owns memory."""
