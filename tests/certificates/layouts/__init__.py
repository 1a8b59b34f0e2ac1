"""Tests of certificates.layouts."""
