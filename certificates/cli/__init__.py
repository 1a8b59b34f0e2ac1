"""The commands of certificates, one module a group."""
